"""Phases are told apart, however their cells are relaxed."""

import pytest
from pymatgen.core import Lattice, Structure

from engine.crystals.likeness import nearest_of_phase


def salt(edge):
    return Structure.from_spacegroup(225, Lattice.cubic(edge), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])


def quartz(group):
    silicon = [0.5303, 0.5303, 0]
    oxygen = [0.4135, 0.2669, 0.7858 if group == "P3_221" else -0.7858]
    return Structure.from_spacegroup(group, Lattice.hexagonal(4.916, 5.405), ["Si", "O"], [silicon, oxygen])


BLENDE = Structure.from_spacegroup(216, Lattice.cubic(6.1), ["Na", "Cl"], [[0, 0, 0], [0.25, 0.25, 0.25]])


def test_of_one_phase_in_several_cells_the_nearest_in_volume_is_found():
    assert nearest_of_phase(salt(5.64), [BLENDE, salt(5.3), salt(5.7), salt(5.9)]) == 2
    assert nearest_of_phase(salt(5.64).get_primitive_structure(), [salt(5.7)]) == 0


def test_another_phase_or_element_is_none():
    other = salt(5.64)
    other.replace_species({"Na": "K"})
    assert nearest_of_phase(salt(5.64), [BLENDE, other]) is None


def test_a_distortion_that_lowers_the_symmetry_makes_another_phase():
    strained = salt(5.64)
    strained.apply_strain([0, 0, 0.02])
    assert nearest_of_phase(salt(5.64), [strained]) is None


@pytest.mark.parametrize("group", ["P3_121", "P3_221"])
def test_a_mirror_image_is_the_same_phase(group):
    assert len(quartz(group)) == 9
    assert nearest_of_phase(quartz("P3_221"), [quartz(group)]) == 0
