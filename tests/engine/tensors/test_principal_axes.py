"""Principal axes are named as a crystallographer would name them."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from engine.data.datasets import load_dataset
from engine.tensors.principal_axes import conventional_cell, principal_axes
from tests import crystals

CUBIC = 4.0 * np.eye(3)
MONOCLINIC = Lattice.from_parameters(5, 6, 7, 90, 110, 90).matrix


def test_an_isotropic_tensor_has_its_value_in_every_direction():
    (only,) = principal_axes(3.0 * np.eye(3), CUBIC)
    assert (only.times, only.value) == (3, pytest.approx(3))


def test_a_uniaxial_tensor_has_one_axis_and_the_plane_across_it():
    plane, alone = principal_axes(np.diag([2.0, 2.0, 3.0]), CUBIC)
    assert (plane.times, plane.uvw, plane.value) == (2, (0, 0, 1), pytest.approx(2))
    assert (alone.times, alone.uvw, alone.value) == (1, (0, 0, 1), pytest.approx(3))


def test_three_values_have_three_axes_in_order_of_the_values():
    found = principal_axes(np.diag([4.0, 2.0, 3.0]), CUBIC)
    assert [one.uvw for one in found] == [(0, 1, 0), (0, 0, 1), (1, 0, 0)]
    assert [one.value for one in found] == pytest.approx([2, 3, 4])


@pytest.mark.parametrize("degrees", [0.0, 1.5])
def test_an_axis_near_a_lattice_direction_is_named_after_it_and_says_how_far_off_it_is(degrees):
    turn = np.radians(degrees)
    rotation = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    low, _, _ = principal_axes(rotation @ np.diag([2.0, 3.0, 4.0]) @ rotation.T, CUBIC)
    assert low.uvw == (1, 0, 0)
    assert low.off == pytest.approx(degrees, abs=1e-5)


def test_an_axis_far_from_any_simple_direction_has_angles_to_the_lattice_vectors():
    turn = np.radians(8.0)
    rotation = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
    found = principal_axes(rotation @ np.diag([2.0, 3.0, 4.0]) @ rotation.T, CUBIC)
    assert found[1].uvw == (0, 1, 0)
    assert found[0].uvw is None
    assert found[0].angles == pytest.approx([8, 90, 98])


def test_directions_count_along_the_lattice_vectors_of_an_oblique_cell():
    along = np.array([1, 0, 1]) @ MONOCLINIC
    along /= np.linalg.norm(along)
    found = principal_axes(np.eye(3) + 2 * np.outer(along, along), MONOCLINIC)
    assert found[-1].uvw == (1, 0, 1)
    assert found[-1].off == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("symbol", ["-3m", "6/mmm", "4/mmm"])
def test_the_axis_of_a_uniaxial_crystal_is_its_c_axis_however_it_lies(symbol):
    structure = crystals.crystal_of_point_group(symbol)
    rotation = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    lying = Structure(Lattice(structure.lattice.matrix @ rotation.T), structure.species, structure.frac_coords)
    tensor = rotation @ np.diag([2.0, 2.0, 3.0]) @ rotation.T
    assert principal_axes(tensor, conventional_cell(lying))[-1].uvw == (0, 0, 1)


def test_the_conventional_cell_has_the_shape_that_pymatgen_finds_and_whole_numbers_of_lattice_vectors():
    for structure in (crystals.fcc_primitive(), crystals.rhombohedral(), crystals.wurtzite()):
        cell = conventional_cell(structure)
        known = SpacegroupAnalyzer(structure).get_conventional_standard_structure().lattice
        np.testing.assert_allclose(sorted(np.linalg.norm(cell, axis=1)), sorted(known.abc), rtol=1e-3)
        steps = cell @ np.linalg.inv(structure.lattice.matrix)
        np.testing.assert_allclose(steps, steps.round(), atol=1e-3)


def test_dft_tensors_of_uniaxial_crystals_have_their_own_value_along_c():
    for material in load_dataset("petousis-2017")[::60]:
        if material.crystal_system in ("trigonal", "tetragonal", "hexagonal"):
            found = principal_axes(material.electronic, conventional_cell(material.structure))
            if len(found) == 2:
                assert next(one for one in found if one.times == 1).uvw == (0, 0, 1), material.material_id
