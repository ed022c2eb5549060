"""Sheets, chains and molecules are told from crystals, whatever cell they come in."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from pymatgen.core.operations import SymmOp

from engine.crystals.vacuum import in_vacuum
from engine.data.catalogue import catalogued
from engine.data.datasets import load_dataset
from engine.teaching.equivariance import rotation_about
from tests.crystals import diamond, hcp, in_other_cell, isolated_atom, outside, skewed, wurtzite
from tests.low_dimensional import disulfide, molecule_in_box, nitride, selenium, two_disulfides

BOXES = {
    "MoS2": (disulfide(18), "sheet", 18 - 3.13, 18),
    "MoS2 across the border": (disulfide(18, 0.0), "sheet", 18 - 3.13, 18),
    "BN": (nitride(10), "sheet", 10, 10),
    "Se": (selenium(14), "chain", 14 - 0.98 * 3**0.5, 14**2),
    "CO2": (molecule_in_box("CO2", 12), "molecule", 12 - 2.36, 12**3),
    "benzene": (molecule_in_box("C6H6", 14, 13, 11), "molecule", None, 14 * 13 * 11),
    "argon": (isolated_atom(), "molecule", 50, 50**3),
}


def turned(structure: Structure) -> Structure:
    copy = structure.copy()
    rotation = rotation_about("x", 37) @ rotation_about("z", 64)
    copy.apply_operation(SymmOp.from_rotation_and_translation(rotation, [0, 0, 0]))
    return copy


def moved(structure: Structure) -> Structure:
    copy = structure.copy()
    copy.translate_sites(range(len(copy)), [0.31, 0.47, 0.53])
    return copy


def measure(repeats: np.ndarray) -> float:
    return float(np.sqrt(np.linalg.det(repeats @ repeats.T)))


@pytest.mark.parametrize(("structure", "kind", "vacuum", "size"), BOXES.values(), ids=list(BOXES))
def test_what_stands_in_a_box_is_named_with_its_vacuum_and_the_room_it_has(structure, kind, vacuum, size):
    found = in_vacuum(structure)
    assert found.kind == kind
    assert measure(found.repeats) == pytest.approx(size)
    if vacuum is not None:
        assert found.vacuum == pytest.approx(vacuum, abs=0.02)


@pytest.mark.parametrize("name", list(BOXES))
@pytest.mark.parametrize(
    "change",
    [
        turned,
        moved,
        outside,
        lambda one: skewed(one, 2),
        lambda one: one.make_supercell([[1, 1, 0], [-1, 1, 0], [0, 0, 1]], in_place=False),
        lambda one: one.make_supercell([1, 1, 2], in_place=False),
        lambda one: in_other_cell(one, [[0, 0, 1], [1, 0, 0], [0, 1, 0]]),
    ],
    ids=["turned", "moved", "outside", "skewed", "in plane", "on top", "renamed"],
)
def test_it_is_the_same_in_every_cell(name, change):
    structure = BOXES[name][0]
    before, after = in_vacuum(structure), in_vacuum(change(structure))
    assert (after.kind, len(after.structure)) == (before.kind, len(before.structure))
    assert after.vacuum == pytest.approx(before.vacuum, abs=1e-6)
    assert measure(after.repeats) == pytest.approx(measure(before.repeats))


@pytest.mark.parametrize("name", list(BOXES))
def test_its_atoms_lie_together_and_its_axes_along_and_across(name):
    structure = moved(BOXES[name][0])
    found = in_vacuum(structure)
    along, across = found.axes[: found.dimensionality], found.axes[found.dimensionality :]
    np.testing.assert_allclose(found.axes @ found.axes.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(across @ found.structure.lattice.matrix[: found.dimensionality].T, 0, atol=1e-9)
    np.testing.assert_allclose(along @ found.repeats.T, 0, atol=1e-9)
    extent = np.ptp(found.structure.cart_coords @ across.T, axis=0)
    assert (extent < 5.1).all()  # the longest, benzene, has 4.97 Å between hydrogen atoms


@pytest.mark.parametrize(
    "crystal",
    [
        diamond(),
        hcp(),
        wurtzite(),
        Structure.from_spacegroup(
            194, Lattice.hexagonal(2.46, 6.71), ["C"] * 2, [[0, 0, 0.25], [1 / 3, 2 / 3, 0.25]]
        ),
        Structure(Lattice.cubic(6.2), ["Xe"] * 4, [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]),
    ],
    ids=["diamond", "magnesium", "zincite", "graphite", "xenon"],
)
def test_layers_and_atoms_that_touch_make_a_crystal(crystal):
    assert in_vacuum(crystal) is None


def test_no_crystal_with_a_dft_tensor_is_taken_for_a_sheet_or_molecule():
    assert not [m.material_id for m in load_dataset("petousis-2017") if in_vacuum(m)]


def test_what_is_named_in_the_other_data_has_its_images_farther_than_any_crystal_has_its_layers():
    others = load_dataset("matbench-dielectric")
    found = [box for m in (*others, *catalogued(others)) if (box := in_vacuum(m))]
    assert 0 < len(found) < 50
    assert min(box.vacuum for box in found) > 6.5


def test_two_sheets_of_one_box_are_taken_together_wherever_they_are_written():
    found = in_vacuum(two_disulfides(30, 9.9))
    assert (found.kind, len(found.structure)) == ("sheet", 6)
    assert measure(found.repeats) == pytest.approx(30)
    assert found.vacuum == pytest.approx(30 - 9.9 - 3.13)
