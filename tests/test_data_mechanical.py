"""A crystal is found again however it lies, and its tensors are turned with it."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from scipy.spatial.transform import Rotation

from data.mechanical_sources import LENGTHWISE, NONE, WHOLE, agreed, in_structure
from data.same_crystal import ways
from engine.data.datasets import load_dataset
from engine.tensors.axes import ieee_rotation, neumann_residual, point_group_rotations, symmetry_average, turned
from engine.tensors.voigt import piezoelectric_tensor

TURN = Rotation.random(random_state=2).as_matrix()
RNG = np.random.default_rng(3)
WURTZITE = Structure.from_spacegroup(
    186, Lattice.hexagonal(3.25, 5.21), ["Zn", "O"], [[1 / 3, 2 / 3, 0], [1 / 3, 2 / 3, 0.382]]
)
QUARTZ = Structure.from_spacegroup(
    152, Lattice.hexagonal(4.91, 5.40), ["Si", "O"], [[0.47, 0, 1 / 3], [0.413, 0.266, 0.786]]
)
PEROVSKITE = Structure(  # tetragonal by one in a hundred: three ways to lie nearly fit
    Lattice.tetragonal(3.99, 4.03), ["Ba", "Ti", "O", "O", "O"],
    [[0, 0, 0], [0.5, 0.5, 0.515], [0.5, 0.5, -0.02], [0.5, 0, 0.485], [0, 0.5, 0.485]],
)  # fmt: skip


def elsewhere(structure: Structure, matrix: np.ndarray) -> Structure:
    """The crystal turned or mirrored, in a larger cell with other vectors, strained a little, atoms shuffled."""
    lattice = Lattice(structure.lattice.matrix @ matrix.T * 1.01)
    moved = Structure(lattice, structure.species, structure.frac_coords + np.array([0.1, 0.2, 0.3]))
    moved.make_supercell([[1, 1, 0], [0, 1, 0], [0, 0, 2]])
    order = RNG.permutation(len(moved))
    return Structure.from_sites([moved[int(i)] for i in order])


@pytest.mark.parametrize("structure", [WURTZITE, QUARTZ, PEROVSKITE], ids=["wurtzite", "quartz", "perovskite"])
@pytest.mark.parametrize("matrix", [TURN, -TURN], ids=["turned", "mirrored"])
def test_whatever_lays_a_crystal_onto_its_turned_copy_turns_an_allowed_tensor_as_the_turn_does(structure, matrix):
    allowed = symmetry_average(RNG.normal(size=(3, 3, 3)), point_group_rotations(structure))
    found = ways(structure, elsewhere(structure, matrix))
    np.testing.assert_allclose(turned(allowed, found[0]), turned(allowed, matrix), atol=1e-3)


def test_another_crystal_is_no_copy():
    assert ways(QUARTZ, WURTZITE) == []
    opened = QUARTZ.copy()
    opened.scale_lattice(1.3 * opened.volume)
    assert ways(QUARTZ, opened) == []


@pytest.mark.parametrize(
    ("structure", "known"),
    [(WURTZITE, WHOLE), (QUARTZ, LENGTHWISE), (PEROVSKITE, WHOLE)],
    ids=["6mm", "32", "4mm"],
)
def test_all_ways_to_lie_that_symmetry_allows_are_found_and_the_true_one_is_among_them(structure, known):
    allowed = symmetry_average(RNG.normal(size=(3, 3, 3)), point_group_rotations(structure))
    allowed = (allowed + allowed.transpose(0, 2, 1)) / 2
    found = in_structure(turned(allowed, ieee_rotation(structure)), structure)
    assert any(np.allclose(one, allowed) for one in found)
    assert all(neumann_residual(one, structure) < 0.05 for one in found)
    assert agreed(found) == known


def test_an_orthorhombic_polar_crystal_leaves_open_which_axis_across_is_which():
    material = next(m for m in load_dataset("petousis-2017") if 25 <= m.space_group_number <= 46)
    voigt = np.zeros((3, 6))
    voigt[0, 4], voigt[1, 3], voigt[2, :3] = 0.2, 0.5, (-0.3, 0.4, 1.0)
    assert agreed(in_structure(piezoelectric_tensor(voigt), material.structure)) == NONE
