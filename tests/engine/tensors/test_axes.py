"""Axes and point groups, on one crystal of each of the 32 point groups."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from engine.data.datasets import load_dataset
from engine.errors import EngineError
from engine.tensors import axes
from engine.tensors.tensors import symmetrise
from tests import crystals
from tests.materials_project_server import served_elsewhere

# Order of each point group: International Tables for Crystallography A, table 3.2.1.
ORDERS = [
    1,
    2,
    2,
    2,
    4,
    4,
    4,
    8,
    4,
    4,
    8,
    8,
    8,
    8,
    16,
    3,
    6,
    6,
    6,
    12,
    6,
    6,
    12,
    12,
    12,
    12,
    24,
    12,
    24,
    24,
    24,
    48,
]
# Independent components of a symmetric second-rank tensor: International Tables for Crystallography D (2006),
# table 1.4.1.1.
ONE_OF_EACH_SYSTEM = {"-1": 6, "2/m": 4, "mmm": 3, "4/mmm": 2, "-3m": 2, "6/mmm": 2, "m-3m": 1}


def random_tensor(seed: int) -> np.ndarray:
    return symmetrise(np.random.default_rng(seed).normal(size=(3, 3)))


def random_rotation(seed: int) -> np.ndarray:
    matrix = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
    return matrix * np.linalg.det(matrix)


def averaged(tensor: np.ndarray, structure: Structure) -> np.ndarray:
    rotations = axes.point_group_rotations(structure)
    return np.mean([g @ tensor @ g.T for g in rotations], axis=0)


@pytest.mark.parametrize("symbol", crystals.POINT_GROUPS)
@pytest.mark.parametrize(
    "of_point_group", [crystals.crystal_of_point_group, crystals.small_crystal_of_point_group]
)
def test_shared_crystal_has_exactly_its_point_group(of_point_group, symbol):
    structure = of_point_group(symbol)
    assert SpacegroupAnalyzer(structure, symprec=1e-5).get_point_group_symbol() == symbol


@pytest.mark.parametrize(("symbol", "order"), list(zip(crystals.POINT_GROUPS, ORDERS, strict=True)))
def test_point_group_has_as_many_rotations_as_the_tables_say(symbol, order):
    rotations = axes.point_group_rotations(crystals.crystal_of_point_group(symbol))
    assert len(rotations) == order
    assert np.abs(rotations @ rotations.swapaxes(1, 2) - np.eye(3)).max() < 1e-12


def test_centred_cell_counts_each_rotation_once():
    assert len(axes.point_group_rotations(crystals.diamond())) == 48


@pytest.mark.parametrize(("symbol", "free"), ONE_OF_EACH_SYSTEM.items())
def test_point_group_leaves_as_many_components_free_as_the_tables_say(symbol, free):
    structure = crystals.crystal_of_point_group(symbol)
    units = np.eye(9).reshape(9, 3, 3)
    allowed = [averaged(symmetrise(unit), structure).ravel() for unit in units]
    assert np.linalg.matrix_rank(allowed, tol=1e-8) == free


@pytest.mark.parametrize("symbol", [s for s in crystals.POINT_GROUPS if s not in ("1", "-1")])
def test_residual_is_zero_for_a_symmetrised_tensor_and_not_for_a_random_one(symbol):
    structure = crystals.crystal_of_point_group(symbol)
    tensor = random_tensor(8)
    assert axes.neumann_residual(averaged(tensor, structure), structure) < 1e-14
    assert axes.neumann_residual(tensor, structure) > 0.1


def test_triclinic_crystals_allow_any_symmetric_tensor():
    for symbol in ("1", "-1"):
        structure = crystals.crystal_of_point_group(symbol)
        assert axes.neumann_residual(random_tensor(9), structure) < 1e-14


def test_residual_of_nothing_is_zero():
    assert axes.neumann_residual(np.zeros((3, 3)), crystals.diamond()) == 0


@pytest.mark.parametrize("symbol", ONE_OF_EACH_SYSTEM)
def test_ieee_axes_and_back_is_the_same_tensor(symbol):
    structure = crystals.crystal_of_point_group(symbol)
    tensor = random_tensor(10)
    there = axes.to_ieee(tensor, structure)
    np.testing.assert_allclose(axes.from_ieee(there, structure), tensor, atol=1e-12)
    np.testing.assert_allclose(np.linalg.eigvalsh(there), np.linalg.eigvalsh(tensor), atol=1e-12)
    rotation = axes.ieee_rotation(structure)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)


@pytest.mark.parametrize("symbol", ONE_OF_EACH_SYSTEM)
def test_ieee_tensor_does_not_depend_on_how_the_crystal_lies(symbol):
    structure = crystals.crystal_of_point_group(symbol)
    tensor = averaged(random_tensor(11), structure)
    rotation = random_rotation(12)
    lying = Structure(Lattice(structure.lattice.matrix @ rotation.T), structure.species, structure.frac_coords)
    turned = rotation @ tensor @ rotation.T
    np.testing.assert_allclose(axes.to_ieee(turned, lying), axes.to_ieee(tensor, structure), atol=1e-5)


def test_uniaxial_crystals_have_their_axis_along_ieee_x3():
    for material in load_dataset("petousis-2017")[::40]:
        if material.crystal_system in ("trigonal", "tetragonal", "hexagonal"):
            x1, x2, _ = np.diag(axes.to_ieee(material.electronic, material.structure))
            assert x1 == pytest.approx(x2, rel=0.03), material.material_id


def test_axes_that_the_convention_leaves_open_are_refused_by_name():
    square = Structure.from_spacegroup(
        16, Lattice.cubic(6), ["Mg", "Si", "O"], [[0.11, 0.2, 0.29], [0.41, 0.07, 0.36], [0.23, 0.35, 0.44]]
    )
    with pytest.raises(EngineError, match="MgSiO: IEEE axes are not defined for this cell"):
        axes.to_ieee(np.eye(3), square)


def ieee_of(tensor, structure):
    """The tensor in IEEE axes, symmetrised as Materials Project does."""
    return axes.to_ieee(averaged(tensor, structure), structure)


def led_back(symbol, seed, strain=0.0):
    """Whether a tensor turned to IEEE axes and back fits the crystal as served; None where that is in doubt."""
    structure = crystals.crystal_of_point_group(symbol)
    tensor = averaged(random_tensor(seed), structure)
    moved = axes.strained_copies(structure, strain, 1)[0]
    served, rotation = served_elsewhere(moved, np.random.default_rng(seed))
    ieee = ieee_of(tensor, structure)
    if axes.axes_doubt(ieee[None], served) > 0.02:
        return None
    error = np.linalg.norm(axes.from_ieee(ieee, served) - rotation @ tensor @ rotation.T)
    return error < (3 * strain + 1e-6) * np.linalg.norm(tensor)


@pytest.mark.parametrize("symbol", crystals.POINT_GROUPS)
@pytest.mark.parametrize("seed", [0, 1])
def test_ieee_axes_lead_back_from_any_orientation_and_cell_or_are_in_doubt(symbol, seed):
    assert led_back(symbol, seed) is not False


@pytest.mark.parametrize("symbol", crystals.POINT_GROUPS)
@pytest.mark.parametrize("seed", [0, 1])
def test_a_crystal_strained_by_one_percent_keeps_its_axes_or_they_are_in_doubt(symbol, seed):
    assert led_back(symbol, seed, strain=0.01) is not False


@pytest.mark.parametrize("symbol", list(crystals.POINT_GROUPS)[8:])  # with an axis of order three or more
def test_axes_fixed_by_symmetry_are_never_in_doubt(symbol):
    assert led_back(symbol, 0)


@pytest.mark.parametrize("symbol", [s for s in ONE_OF_EACH_SYSTEM if s != "-1"])
def test_strained_copies_keep_the_point_group_and_the_size_of_the_strain(symbol):
    structure = crystals.crystal_of_point_group(symbol)
    for copy in axes.strained_copies(structure, 0.01, 4):
        assert len(axes.point_group_rotations(copy)) == len(axes.point_group_rotations(structure))
        strain = np.linalg.solve(structure.lattice.matrix, copy.lattice.matrix) - np.eye(3)
        assert np.abs(np.linalg.eigvalsh(strain)).max() == pytest.approx(0.01)


def box(a, b, c):
    """An orthorhombic crystal with axes of these lengths."""
    return Structure(Lattice.orthorhombic(a, b, c), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])


def test_axes_of_almost_equal_length_are_in_doubt_and_others_are_not():
    tensor = np.diag([2.0, 3.0, 4.0])
    assert axes.axes_doubt(tensor[None], box(4.0, 5.0, 6.0)) < 1e-9
    assert axes.axes_doubt(tensor[None], box(4.0, 5.0, 5.02)) > 0.1
    assert axes.axes_doubt(np.eye(3)[None], box(4.0, 5.0, 5.02)) == 0


def test_axes_of_equal_length_that_no_symmetry_joins_are_refused():
    polar = Structure(Lattice.orthorhombic(4.0, 5.0, 5.0), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.3]])
    with pytest.raises(EngineError, match="IEEE axes are not defined"):
        axes.axes_doubt(np.diag([2.0, 3.0, 4.0])[None], polar)
