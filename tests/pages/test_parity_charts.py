"""Predicted against DFT as figures: every point leads to its crystal, the furthest off are named legibly."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from engine.evaluation.parity import COMPONENTS, MEAN, QUANTITIES, Parity, compare
from engine.model.shipped_models import available_models
from pages.components import cached
from pages.components.model import parity_charts
from pages.components.model.naming import FRAMES, HEIGHT, LETTER, offsets

LISTED = 10


@pytest.fixture(scope="module")
def parities() -> dict[str, Parity]:
    return cached.judged(available_models()[0])["electronic"].parity


def drawn(parity: Parity, quantity: str, density: bool) -> object:
    draw = parity_charts.by_density if density else parity_charts.by_group
    return draw(parity, "electronic", quantity, LISTED, dark=False)


@pytest.mark.parametrize("density", [False, True])
@pytest.mark.parametrize("quantity", QUANTITIES)
def test_every_point_is_drawn_once_and_leads_to_its_crystal(
    parities: dict[str, Parity], quantity: str, density: bool
) -> None:
    figure = drawn(parities[quantity], quantity, density)
    points = [row for trace in figure.data if trace.customdata is not None for row in trace.customdata]
    expected = parities[quantity].points
    assert sorted(row[0] for row in points) == sorted(expected["material_id"])
    assert sum(row[1] for row in points) == pytest.approx(expected["dft"].sum())
    assert figure.layout.xaxis.range == figure.layout.yaxis.range


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_the_names_are_of_crystals_that_are_furthest_off_and_stand_at_their_points(
    parities: dict[str, Parity], quantity: str
) -> None:
    far = parities[quantity].furthest.head(LISTED)
    known = set(zip(far["formula"], far["across"], far["up"], strict=True))
    names = drawn(parities[quantity], quantity, density=False).layout.annotations
    assert len(names) == parity_charts.NAMED
    assert {(name.text, name.x, name.y) for name in names} <= known


def test_the_colour_bar_ends_at_the_largest_count(parities: dict[str, Parity]) -> None:
    trace = drawn(parities[COMPONENTS], COMPONENTS, density=True).data[1]
    most = parities[COMPONENTS].points["crowd"].max()
    assert max(trace.marker.color) == pytest.approx(np.log10(most))
    assert [float(text) for text in trace.marker.colorbar.ticktext] == pytest.approx(
        10 ** np.array(trace.marker.colorbar.tickvals)
    )


def test_zero_and_negative_components_have_their_place_in_order() -> None:
    tensor = np.array([[200.0, -5.0, 0.0], [-5.0, 200.0, 0.0], [0.0, 0.0, 200.0]])
    facts = pd.DataFrame({"material_id": ["mp-1"], "formula": ["MgO"], "crystal_system": ["cubic"]})
    points = compare("ionic", facts, tensor[None], tensor[None])[COMPONENTS].points
    assert points["across"][points["dft"] == 0].eq(0).all()
    assert points.sort_values("dft")["across"].is_monotonic_increasing


def test_a_figure_without_points_is_empty() -> None:
    facts = pd.DataFrame({"material_id": [], "formula": [], "crystal_system": []}, dtype=object)
    for parity in compare("electronic", facts, np.zeros((0, 3, 3)), np.zeros((0, 3, 3))).values():
        assert len(drawn(parity, MEAN, density=False).layout.annotations) == 0
        assert drawn(parity, MEAN, density=True).layout.annotations == ()


@pytest.mark.parametrize("seed", range(5))
def test_names_cover_neither_each_other_nor_a_named_point_on_phone_and_screen(seed: int) -> None:
    points = np.random.default_rng(seed).uniform(0.05, 0.95, size=(10, 2)) ** 2
    found = offsets(points, ["Li2AgSb"] * 10, points, 5)
    assert len(found) == 5
    size = np.array([LETTER * len("Li2AgSb"), HEIGHT])
    for frame in FRAMES:
        middles = {row: points[row] * frame + offset for row, offset in found.items()}
        for one, other in combinations(middles.values(), 2):
            assert (np.abs(one - other) >= size).any()
        for middle in middles.values():
            assert (np.abs(points * frame - middle) > size / 2).any(axis=1).all()
            assert (middle > size / 2).all()
            assert (middle < frame - size / 2).all()
