"""What a visitor sees of a crystal's vibrations."""

import numpy as np
import pytest
from pymatgen.core import Element

from engine.data.datasets import load_dataset
from engine.data.dft_modes import dft_modes_of
from engine.tensors.principal_axes import conventional_cell
from engine.vibrations.charge_ellipsoids import charge_ellipsoid
from engine.vibrations.curves import curves, shown_frequencies, shown_range
from engine.vibrations.site_charges import site_charges
from engine.vibrations.units import from_wavenumber
from pages.components.crystal.charges import charge_mesh
from pages.components.crystal.flat import flat_drawing
from pages.components.crystal.frame import ARROW, frame_html
from pages.components.crystal.scene import make_scene
from pages.components.material.infrared_charts import ABSORPTION, PERMITTIVITY, QUANTITIES, spectrum
from tests.engine import shipped
from tests.pages.test_material_page import look_up, words

LAYERED = "mp-1943"  # GaSe


@pytest.fixture(scope="module")
def prediction():
    return shipped.predictor().predict(load_material(), out_of_fold=True)


def load_material():
    return next(m for m in load_dataset("petousis-2017") if m.material_id == LAYERED)


@pytest.fixture(scope="module")
def wavenumber(prediction):
    return np.linspace(*shown_range(prediction.modes), 400)


@pytest.fixture(scope="module")
def found(prediction, wavenumber):
    cell = conventional_cell(prediction.structure)
    return curves(prediction.modes, cell, wavenumber, 8.0)


def test_the_tab_shows_spectrum_modes_charges_and_files():
    page = look_up(LAYERED, "Infrared")
    text = words(page)
    assert "Field ∥ [001]: ε(0) = " in text
    assert "Field ⟂ [001]: ε(0) = " in text
    assert "oxidation state" in text
    assert "E1u" in page.dataframe[0].value["symmetry"].str.cat(sep=" ")
    assert "–" in page.dataframe[0].value["90 %"].iloc[0]
    assert page.segmented_control(key="view-unit").options == ["cm⁻¹", "THz", "meV", "µm"]


def test_the_sharpest_peaks_are_drawn_as_high_as_they_are(prediction):
    sharp = 1.0  # cm^-1, the least damping that the page has
    drawn = prediction.modes.permittivity(shown_frequencies(prediction.modes, sharp), sharp).imag
    dense = np.linspace(*shown_range(prediction.modes), 40_000)
    whole = prediction.modes.permittivity(dense, sharp).imag
    for axis in range(3):
        assert drawn[:, axis, axis].max() == pytest.approx(whole[:, axis, axis].max(), rel=0.01)


def test_vibrations_are_those_of_pbesol_and_the_page_says_so():
    page = look_up(LAYERED, "Infrared")
    shipped_ones = shipped.predictor().shipped(load_material())
    assert "As PBEsol has them" in words(page)
    shown = [float(one) for one in page.dataframe[0].value["TO (cm⁻¹)"]]
    by_pbe, by_pbesol = (one.modes.first(one.modes.wavenumbers) for one in (shipped_ones, shipped_ones.by_pbesol))
    np.testing.assert_allclose(shown, by_pbesol, atol=0.5)
    assert np.abs(by_pbe - by_pbesol).max() > 1


def test_modes_by_dft_stand_beside_the_predicted_ones_of_their_symmetry():
    page = look_up(LAYERED, "Infrared")
    rows = page.dataframe[0].value
    known = dft_modes_of(LAYERED)
    for label in set(known.labels):
        wanted = [f"{x:.0f}" for x, one in zip(known.wavenumbers, known.labels, strict=True) if one == label]
        assert rows.loc[rows["symmetry"].str.split().str[0] == label, "TO, DFT"].tolist() == wanted
    assert "phonon calculation by PBEsol" in words(page)


def test_without_a_calculation_nothing_stands_beside():
    page = look_up("mp-570589", "Infrared")  # the database has another phase
    assert "TO, DFT" not in page.dataframe[0].value


def test_an_unstable_mode_is_named_and_its_frequency_written_as_imaginary():
    page = look_up("mp-2998", "Infrared")  # BaTiO3, cubic
    (warning,) = [one.value for one in page.warning if "imaginary" in one.value]
    assert "T1u" in warning
    assert page.dataframe[0].value["TO (cm⁻¹)"].iloc[0].endswith("i")
    assert page.dataframe[0].value["TO, DFT"].iloc[0].endswith("i")
    assert "By DFT the crystal is unstable" in words(page)


def test_modes_far_softer_than_the_stiffest_are_named_with_how_often_such_are_wrong():
    (warning,) = [one.value for one in look_up(LAYERED, "Infrared").warning if "Far softer" in one.value]
    assert "Far softer than the stiffest: E2u" in warning
    assert "6 % of the polar ones are more than 20 % off DFT, of others 1 %" in warning


def test_a_uniaxial_crystal_has_two_curves_that_meet_its_tensors(prediction, found):
    assert [one.axis.times for one in found] == [1, 2]
    for one in found:
        assert one.static == pytest.approx(one.field @ prediction.total @ one.field)
        assert one.fast == pytest.approx(one.field @ prediction.electronic @ one.field)
        assert ((one.reflectivity > 0) & (one.reflectivity < 1)).all()


def test_marks_lie_where_the_light_is_absorbed_most(found, wavenumber):
    step = wavenumber[1] - wavenumber[0]
    for one in found:
        strongest = max(one.marks, key=lambda mark: mark.share)
        assert wavenumber[one.permittivity.imag.argmax()] == pytest.approx(strongest.transverse, abs=2 * step)
        assert wavenumber[one.loss.argmax()] == pytest.approx(strongest.longitudinal, abs=2 * step)


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("unit", ["cm^-1", "µm"])
def test_each_quantity_is_drawn_for_each_axis_with_its_modes(found, wavenumber, quantity, unit):
    figure = spectrum({"one": found[0], "other": found[1]}, wavenumber, quantity, unit)
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    assert len(lines) == (4 if quantity == PERMITTIVITY else 2)
    assert len(figure.layout.shapes) == 2 * sum(len(one.marks) for one in found)
    strongest = from_wavenumber(max(found[0].marks, key=lambda mark: mark.share).transverse, unit)
    texts = [one.text for one in figure.layout.annotations]
    assert f"TO {strongest:.0f}" in texts or f"TO {strongest:.3g}" in texts
    assert figure.layout.yaxis.type == ("log" if quantity == ABSORPTION else "linear")
    assert figure.layout.xaxis.type == ("log" if unit == "µm" else "linear")


def test_equivalent_atoms_share_a_row_of_charges(prediction):
    rows = site_charges(prediction.ions)
    assert [(one.element, one.times, one.oxidation) for one in rows] == [("Ga", 4, 2), ("Se", 4, -2)]
    assert np.trace(sum(one.times * one.charge for one in rows)) == pytest.approx(0, abs=1e-9)


def test_each_atom_of_the_drawing_bears_the_ellipsoid_of_its_charge_in_the_colour_of_its_sign(prediction):
    scene = make_scene(prediction.structure, 1)
    mesh = charge_mesh(prediction.born_charges, scene)
    each = mesh.vertices.reshape(len(scene.positions), -1, 3)
    assert each.mean(1) == pytest.approx(scene.positions)
    sizes = np.linalg.norm(each - scene.positions[:, None], axis=2).max(1)
    charges = [charge_ellipsoid(one).charges for one in prediction.born_charges[scene.atoms]]
    assert sizes / sizes.max() == pytest.approx(np.abs(charges).max(1) / np.abs(charges).max(), rel=0.02)
    blue = mesh.colors.reshape(each.shape)[:, 0, 2] > mesh.colors.reshape(each.shape)[:, 0, 0]
    assert blue.tolist() == [number == Element("Ga").Z for number in scene.numbers]
    assert frame_html(scene, charges=prediction.born_charges).count("addCustom(") == 1
    edges = [
        trace for trace in flat_drawing(scene, charges=prediction.born_charges).data if trace.fill == "toself"
    ]
    assert len(edges) == len(scene.positions)


def test_a_switch_draws_the_charges_on_the_atoms():
    page = look_up(LAYERED, "Infrared")
    assert "ellipsoid" not in words(page)
    page.toggle(key="view-charges").set_value(True).run()
    assert "An atom that moves along an axis of its ellipsoid" in words(page)


def test_atoms_move_in_the_drawing_and_arrows_show_how(prediction):
    scene = make_scene(prediction.structure, 1)
    motion = 0.2 * prediction.modes.displacements[-1]
    html = frame_html(scene, motion=motion)
    assert "vibrate" in html
    assert "prefers-reduced-motion" in html
    assert "vibrate" not in frame_html(scene)
    arrows = flat_drawing(scene, motion=motion).layout.annotations
    assert arrows
    assert {arrow.arrowcolor for arrow in arrows} == {ARROW}
