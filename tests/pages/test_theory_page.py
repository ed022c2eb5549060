"""The Theory page: what its drawings hold, and what a visitor reads."""

from concurrent.futures import Future
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
import streamlit as st
from pymatgen.core import Lattice, Structure
from streamlit.testing.v1 import AppTest

from engine.config import GraphConfig
from engine.errors import EngineError
from engine.evaluation.results import Origin
from engine.optics.measured_modes import measured_modes
from engine.teaching.equivariance import random_rotations, rotation_about
from engine.teaching.harmonics import LMAX, NATURAL, clebsch_gordan, selection_rule
from engine.teaching.oscillator import Oscillator
from engine.teaching.sites import neighbours
from pages.components import cached, waiting
from pages.components.crystal.scene import make_scene
from pages.components.theory import charts as theory_charts
from pages.components.theory import surfaces as theory_surfaces
from pages.components.widgets import scientific

PAGE = str(Path(__file__).resolve().parents[2] / "pages" / "theory.py")
PATIENCE = 120  # seconds; the first run loads torch and reads the data
ROTATION = random_rotations(1, 0)[0]
TENSOR = ROTATION @ np.diag([2.0, 3.0, 9.0]) @ ROTATION.T
CUBIC = "mp-2998"  # BaTiO3, titanium in an octahedron


def open_page(**address: str) -> AppTest:
    page = AppTest.from_file(PAGE, default_timeout=PATIENCE)
    for name, value in address.items():
        page.query_params[name] = value
    return page.run()


def words(page: AppTest) -> str:
    assert not page.exception
    return "\n".join(element.value for group in (page.markdown, page.caption, page.info) for element in group)


def surface(figure: go.Figure) -> np.ndarray:
    """[n, 3] points of the drawn surface."""
    mesh = next(trace for trace in figure.data if trace.type == "mesh3d")
    return np.stack([mesh.x, mesh.y, mesh.z], axis=1).astype(float)


def test_the_drawn_surface_is_the_tensor_along_each_direction() -> None:
    figure = theory_surfaces.tensor_surface(TENSOR, TENSOR, 9.0, (2.0, 9.0))
    points = surface(figure)
    radius = np.linalg.norm(points, axis=1)
    directions = points / radius[:, None]
    np.testing.assert_allclose(np.einsum("ni,ij,nj->n", directions, TENSOR, directions), radius, rtol=1e-5)
    np.testing.assert_allclose(figure.data[0].intensity, radius, rtol=1e-5)
    assert radius.min() == pytest.approx(2, rel=0.01)
    assert radius.max() == pytest.approx(9, rel=0.01)


def test_the_lines_through_a_surface_are_the_expected_principal_axes() -> None:
    lines = theory_surfaces.tensor_surface(np.eye(3), TENSOR, 9.0, (1.0, 9.0)).data[1]
    ends = np.stack([lines.x, lines.y, lines.z], axis=1).reshape(3, 3, 3)[:, :2]
    for low, high in ends:
        np.testing.assert_allclose(low, -high)
        length = np.linalg.norm(high)
        np.testing.assert_allclose(TENSOR @ high, high * length / 1.12, rtol=1e-9)


def test_a_drawn_surface_is_closed_and_its_faces_look_outwards() -> None:
    figure = theory_surfaces.tensor_surface(np.eye(3), np.eye(3), 1.0, (0.0, 1.0))
    mesh, points = figure.data[0], surface(figure)
    a, b, c = (points[np.asarray(corner)] for corner in (mesh.i, mesh.j, mesh.k))
    volume = np.einsum("ni,ni->n", a, np.cross(b, c)).sum() / 6
    assert volume == pytest.approx(4 / 3 * np.pi, rel=0.02)


def test_the_drawn_crystal_turns_and_keeps_its_size() -> None:
    scene = make_scene(Structure(Lattice.cubic(4.0), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]), 1)
    rest, turned = (theory_surfaces.crystal(scene, rotation) for rotation in (np.eye(3), rotation_about("z", 90)))
    np.testing.assert_allclose(turned.data[2].x, -np.asarray(rest.data[2].y), atol=1e-9)
    assert rest.layout.scene.xaxis.range == turned.layout.scene.xaxis.range


@pytest.mark.parametrize("ell", range(LMAX + 1))
def test_a_drawn_harmonic_is_coloured_by_its_sign(ell: int) -> None:
    points = surface(theory_surfaces.harmonic(ell, ell))
    assert np.linalg.norm(points, axis=1).max() == pytest.approx(1, rel=1e-5)
    colors = np.asarray(theory_surfaces.harmonic(ell, ell).data[0].intensity)
    along_y = points[:, 1] > 0.9  # m = 0 about the y axis
    assert (colors[along_y] == 1).all()
    assert set(np.unique(colors)) <= {-1, 0, 1}


def test_nothing_is_drawn_of_a_degree_that_the_neighbours_cancel() -> None:
    crystal = Structure.from_spacegroup("F-43m", Lattice.cubic(5.4), ["Zn", "S"], [[0] * 3, [0.25] * 3])
    around = neighbours(crystal, 0, GraphConfig(r_max=3.0))
    drawn = [any(t.type == "mesh3d" for t in theory_surfaces.site(around, ell).data) for ell in range(5)]
    assert drawn == [True, False, False, True, True]


@pytest.mark.parametrize("first", NATURAL)
@pytest.mark.parametrize("second", NATURAL)
def test_every_product_in_the_table_can_be_drawn(first: str, second: str) -> None:
    for third in selection_rule(first, second):
        values = clebsch_gordan(first, second, third)
        panels = theory_charts.coefficients(values, dark=False).data
        np.testing.assert_array_equal([panel.z for panel in panels], values)


def test_the_turned_crystal_and_the_turned_prediction_agree_for_one_network_and_not_for_the_other() -> None:
    index = cached.search("mp-2815")[0]
    by_network = cached.turned(index, "x", 30).result()
    first, then = by_network["equivariant"]
    np.testing.assert_allclose(then, first, atol=1e-4)
    first, then = by_network["ordinary"]
    assert np.abs(then - first).max() > 0.1
    frame = cached.differences(index, "x").result()
    assert frame["equivariant"].max() < 1e-2 < frame["ordinary"].min()
    text = words(open_page())
    assert "the rounding of single precision" in text
    assert "the whole tensor is off by" in text


def test_an_address_opens_its_crystal_axis_and_angle() -> None:
    page = open_page(crystal="mp-149-none", axis="y", angle="75")
    assert page.selectbox(key="chosen").value == "mp-2815"
    assert page.slider(key="angle").value == 75
    page = open_page(crystal="mp-1986")  # not among those that the page offers
    assert page.selectbox(key="chosen").value == "mp-1986"
    assert "ZnO" in page.selectbox(key="chosen").options[-1].replace("₂", "")


def test_choosing_a_crystal_puts_it_into_the_address() -> None:
    page = open_page()
    page.selectbox(key="chosen").set_value(CUBIC).run()
    assert page.query_params["crystal"] in (CUBIC, [CUBIC])
    words(page)


def test_a_cubic_site_is_said_to_have_no_vector_and_no_anisotropy() -> None:
    page = open_page(crystal=CUBIC)
    titanium = next(option for option in page.selectbox if option.label == "Atom")
    titanium.select_index([one.startswith("Ti") for one in titanium.options].index(True)).run()
    text = words(page)
    assert "Nothing is left for ℓ = 2: the neighbours cancel by symmetry." in text
    assert "These neighbours have no part with ℓ = 1, 2, 3." in text


def test_a_symmetric_matrix_is_said_to_have_no_vector_part() -> None:
    page = open_page()
    assert "axial vector (0.5, −0.25, 0.5)" in words(page)
    page.segmented_control(key="example").set_value("symmetric").run()
    assert "the ℓ = 1 part is zero" in words(page)


def test_the_first_product_shown_is_the_vector_product_with_its_parity() -> None:
    text = words(open_page())
    assert "odd · odd = even" in text
    assert "1e is an axial vector" in text
    assert "No spherical harmonic has this parity" in text


@pytest.mark.parametrize(("value", "written"), [(4.8e-6, "4.8×10⁻⁶"), (0.0, "0"), (1e-10, "1.0×10⁻¹⁰")])
def test_small_differences_are_written_as_powers_of_ten(value: float, written: str) -> None:
    assert scientific(value) == written


def test_the_table_of_both_networks_bears_a_mark_where_no_commit_holds_its_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cached.origin.clear()
    changed = Origin(code="abc+changes", date="", machine="two cores", index_data="")
    monkeypatch.setattr("pages.components.cached.read_origin", lambda path: changed)
    page = open_page()
    cached.origin.clear()
    assert "Measured with code abc+changes, on two cores." in words(page)
    assert any("No commit holds the code" in box.value for box in page.warning)


def test_a_mode_half_as_fast_adds_four_times_as_much_to_the_static_permittivity() -> None:
    salt = next(one for one in measured_modes() if one.formula == "NaCl")
    fast, slow = Oscillator.measured(salt), Oscillator.measured(salt, 0.5)
    assert fast.static == pytest.approx(salt.static)
    assert fast.longitudinal == pytest.approx(salt.longitudinal)
    assert slow.static - slow.electronic == pytest.approx(4 * (salt.static - salt.electronic))
    assert fast.permittivity(np.zeros(1), 5.0)[0] == pytest.approx(salt.static)
    page = open_page()
    page.slider(key="softened").set_value(50).run()
    assert f"ε(0) = **{slow.static:.2f}**" in words(page)


def test_what_could_not_be_computed_is_asked_for_again() -> None:
    asked = []

    @st.cache_resource
    def question(number: int) -> Future:
        asked.append(number)
        answer: Future = Future()
        answer.set_exception(EngineError("no model"))
        return answer

    for _ in range(2):
        assert waiting.computed(question, 1, what="This") is None
    assert asked == [1, 1]
