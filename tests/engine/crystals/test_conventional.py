"""The conventional cell holds the same crystal, in the same place."""

import numpy as np
import pytest
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure

from engine.crystals.conventional import conventional

ROCK_SALT = Structure.from_spacegroup(225, Lattice.cubic(5.6), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])


def test_the_conventional_cell_of_rock_salt_is_its_cube_as_it_lies_in_space():
    primitive = ROCK_SALT.get_primitive_structure()
    turned = Structure(
        Lattice(primitive.lattice.matrix @ np.array([[0.6, 0.8, 0], [-0.8, 0.6, 0], [0, 0, 1.0]])),
        primitive.species,
        primitive.frac_coords,
    )
    found = conventional(turned)
    assert found.lattice.abc == pytest.approx([5.6] * 3)
    assert found.lattice.angles == pytest.approx([90] * 3)
    assert len(found) == 8
    for site in turned:  # each atom of the one is where the other has one of its kind
        near = found.get_sites_in_sphere(site.coords, 0.01)
        assert [one.specie for one in near] == [site.specie]
    assert StructureMatcher(primitive_cell=True).fit(found, turned)


def test_a_conventional_cell_has_no_other():
    assert conventional(ROCK_SALT) is None


def test_nothing_is_made_of_a_supercell():
    large = ROCK_SALT.get_primitive_structure()
    large.make_supercell([3, 1, 1])
    assert conventional(large) is None
