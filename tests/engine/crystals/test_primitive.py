"""A crystal is the same in every cell that it is written in, and stays where it lies in space."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from scipy.spatial.transform import Rotation

from engine.crystals.primitive import primitive, skew
from engine.data.datasets import load_dataset
from tests import crystals

TURN = Rotation.from_euler("xyz", [0.3, 0.7, 1.1]).as_matrix()
ONE_OF_EACH_SYSTEM = list({m.crystal_system: m for m in load_dataset("petousis-2017") if m.natoms > 2}.values())


def turned(structure: Structure) -> Structure:
    return Structure(structure.lattice.matrix @ TURN.T, structure.species, structure.frac_coords)


def is_same_crystal(one: Structure, other: Structure) -> bool:
    """Whether atoms of `one` lie where `other` has atoms of their element, as far as a shift of all."""
    places = other.lattice.get_fractional_coords(one.cart_coords)
    alike = np.array(one.atomic_numbers)[:, None] == np.array(other.atomic_numbers)
    for start in other.frac_coords:
        apart = other.lattice.get_all_distances(places - places[0] + start, other.frac_coords)
        if (np.where(alike, apart, 9).min(1) < 1e-4).all():
            return True
    return False


@pytest.mark.parametrize("material", ONE_OF_EACH_SYSTEM, ids=lambda material: material.crystal_system)
def test_a_supercell_is_reduced_without_being_turned(material):
    structure = turned(primitive(material.structure))
    found = primitive(structure * [[2, 1, 0], [0, 1, 0], [1, 0, 2]])
    assert len(found) == len(structure)
    assert found.volume == pytest.approx(structure.volume)
    in_old_cell = structure.lattice.get_fractional_coords(found.lattice.matrix)
    assert np.allclose(in_old_cell, np.round(in_old_cell), atol=1e-6)
    assert is_same_crystal(found, structure)


def test_a_primitive_cell_stays_as_it_is_to_the_last_digit():
    for material in ONE_OF_EACH_SYSTEM:
        cell = primitive(material.structure)
        assert primitive(cell) is cell


def test_a_supercell_with_one_atom_moved_is_another_crystal():
    structure = crystals.wurtzite() * [2, 1, 1]
    structure.translate_sites([0], [0, 0, 0.02], frac_coords=False)
    assert primitive(structure) is structure


def test_a_cell_skewed_beyond_sense_is_reduced_and_the_crystal_stays_where_it_lies():
    structure = turned(crystals.wurtzite())
    skewed = Structure(
        Lattice([[1, 40, -30], [0, 1, 50], [0, 0, 1]] @ structure.lattice.matrix),
        structure.species,
        structure.cart_coords,
        coords_are_cartesian=True,
    )
    found = primitive(skewed)
    assert skew(found.lattice) <= 2
    assert len(found) == len(structure)
    assert found.volume == pytest.approx(structure.volume)
    assert is_same_crystal(found, structure)
