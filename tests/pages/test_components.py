"""Drawings and formats, without a browser."""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pymatgen.core import Lattice, Structure
from scipy.spatial.transform import Rotation

from engine import EngineError
from pages.components import charts
from pages.components.crystal.frame import frame_html
from pages.components.crystal.scene import make_scene
from pages.components.widgets import number, space_group, span, subscripts

ROOT = Path(__file__).resolve().parents[2]
SALT = Structure(Lattice.cubic(4.2), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])


def test_atoms_on_a_corner_are_drawn_on_all_eight_corners() -> None:
    assert sorted(make_scene(SALT, 1).numbers.tolist()) == [17] + 8 * [55]
    assert len(make_scene(SALT, 2).numbers) == 27 + 8


def test_each_atom_is_tied_to_its_nearest_neighbours_only() -> None:
    scene = make_scene(SALT, 1)
    assert len(scene.bonds) == 8
    assert all(sorted(scene.numbers[pair]) == [17, 55] for pair in scene.bonds)


def test_bonds_over_the_border_are_drawn_with_the_atoms_at_their_ends() -> None:
    scene = make_scene(SALT, 1, beyond=True)
    outside = ((scene.positions < -0.01) | (scene.positions > 4.21)).any(axis=1)
    assert outside.sum() == 26  # the middles of all cells around
    assert len(scene.bonds) == 8 + 8 * 7
    assert not outside[scene.bonds].all(axis=1).any()


def test_a_button_looks_along_each_lattice_vector() -> None:
    lattice = Lattice.from_parameters(3, 4, 5, 80, 95, 110)
    html = frame_html(make_scene(Structure(lattice, ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]), 1))
    assert html.count("<button") == 5
    for name, vector in zip("abc", lattice.matrix, strict=True):
        button = html[html.index(f'aria-label="View along {name}"') :]
        turn = Rotation.from_quat([float(part) for part in re.findall(r"PI / 9\), (.*?)\]", button)[0].split(",")])
        assert turn.apply(vector / np.linalg.norm(vector)) == pytest.approx([0, 0, 1], abs=1e-5)


def test_the_drawing_is_the_same_for_an_atom_written_in_another_cell() -> None:
    moved = Structure(SALT.lattice, SALT.species, SALT.frac_coords + np.array([[1, -2, 0], [0, 0, 3]]))
    np.testing.assert_allclose(make_scene(moved, 1).positions, make_scene(SALT, 1).positions, atol=1e-12)


def test_no_label_of_a_visitor_reaches_the_frame() -> None:
    label = "</script><script>alert(1)</script>"
    named = Structure(SALT.lattice, SALT.species, SALT.frac_coords, labels=[label, "Cl"])
    html = frame_html(make_scene(named, 1))
    assert "alert" not in html
    assert html == frame_html(make_scene(SALT, 1))


def test_the_frame_loads_its_script_from_the_app_and_forbids_every_other_source() -> None:
    html = frame_html(make_scene(SALT, 1))
    assert "'/app/static/3Dmol-min.js'" in html
    assert "default-src 'none'; script-src 'self'" in html
    assert "http://" not in html
    assert "https://" not in html


def test_a_number_that_is_no_element_is_refused() -> None:
    scene = make_scene(SALT, 1)
    scene.numbers[0] = 0
    with pytest.raises(EngineError, match="no element"):
        frame_html(scene)


def test_prediction_dft_and_difference_share_one_scale_around_zero() -> None:
    dft = np.diag([2.0, 3.0, 8.0])
    figure = charts.tensor_panels({"Prediction": 1.1 * dft, "DFT": dft, "Prediction − DFT": 0.1 * dft})
    scales = {(heat.zmin, heat.zmax) for heat in figure.data}
    assert len(scales) == 1
    low, high = scales.pop()
    assert low == -high
    assert high == pytest.approx(8.8)


def test_the_heat_map_reads_like_the_matrix_is_written() -> None:
    tensor = np.arange(9.0).reshape(3, 3)
    figure = charts.tensor_panels({"DFT": tensor})
    np.testing.assert_array_equal(figure.data[0].z, tensor)
    assert figure.layout.yaxis.autorange == "reversed"
    assert list(figure.data[0].text[0]) == ["0", "1.00", "2.00"]


def test_a_parity_plot_says_what_its_axes_are_and_has_the_same_on_both() -> None:
    points = pd.DataFrame(
        {"material_id": ["mp-1", None], "formula": ["MgO", "CsCl"], "target": "ionic", "dft": [7.0, 0.5],
         "predicted": [6.0, 90.0]}
    )  # fmt: skip
    axes = charts.parity(points).layout
    assert axes.xaxis.title.text == "mean permittivity, DFT"
    assert axes.yaxis.title.text == "mean permittivity, predicted"
    assert axes.xaxis.range == axes.yaxis.range
    assert axes.xaxis.tickvals == axes.yaxis.tickvals


def test_a_tiny_negative_component_is_not_printed_as_minus_zero() -> None:
    figure = charts.tensor_panels({"DFT": np.full((3, 3), -1e-9)})
    assert list(figure.data[0].text[0]) == ["0", "0", "0"]


@pytest.mark.parametrize(
    ("symbol", "written"),
    [("Fm-3m", "Fm-3m"), ("P6_3/mmc", "P6₃/mmc"), ("I-42d", "I-42d"), ("C2/m", "C2/m")],
)
def test_space_groups_are_written_as_crystallographers_do(symbol: str, written: str) -> None:
    assert space_group(symbol) == written


def test_formulas_and_numbers_are_written_for_reading() -> None:
    assert subscripts("Ba2In2O5") == "Ba₂In₂O₅"
    assert [number(x) for x in (None, float("inf"), 2.34567, 23.4567, 234.567)] == [
        "–",
        "–",
        "2.346",
        "23.46",
        "235",
    ]


def test_no_two_modules_of_the_pages_say_the_same_colour() -> None:
    said = {
        path.name: set(re.findall(r'"(#\w{6})"|\brgba\((\d+, ?\d+, ?\d+)', path.read_text()))
        for path in (ROOT / "pages").rglob("*.py")
    }
    counts = Counter(color for colors in said.values() for color in colors)
    assert {color for color, count in counts.items() if count > 1} <= {("#ffffff", "")}


def test_an_interval_that_is_a_number_or_beyond_all_sense_is_written_as_such() -> None:
    assert span((0.0, 0.0)) == "0"
    assert span((2.4, 4064.0)) == "2 to over 1,000"


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [((5.591, 12.46), "5.6–12.5"), ((2.522, 2.676), "2.52–2.68"), ((26.0, 433.0), "26–433")],
)
def test_an_interval_has_two_digits_of_its_width(bounds: tuple[float, float], expected: str) -> None:
    assert span(bounds) == expected
