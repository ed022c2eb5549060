"""Principal axes are named as a crystallographer would name them."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from engine.data.datasets import load_dataset
from engine.tensors.axes import allowed_part, distinct_values
from engine.tensors.principal_axes import conventional_cell, principal_axes
from engine.tensors.tensors import optical_class
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


def test_the_optic_axis_of_dft_tensors_is_the_c_axis_also_where_noise_breaks_the_symmetry():
    noisy = ["mp-22904", "mp-736", "mp-561258", "mp-7812", "mp-468", "mp-757", "mp-1873"]
    for material in load_dataset("petousis-2017"):
        if material.material_id in noisy:
            allowed = allowed_part(material.electronic, material.structure)
            found = principal_axes(allowed, conventional_cell(material.structure), distinct=2)
            alone = next(one for one in found if one.times == 1)
            assert (alone.uvw, alone.off) == ((0, 0, 1), pytest.approx(0, abs=0.05)), material.material_id


@pytest.mark.parametrize(
    ("material_id", "expected"),
    [
        ("mp-1266", "isotropic"),  # Na2Se, cubic: its DFT tensor is uniaxial
        ("mp-736", "uniaxial positive"),  # Li3P, hexagonal: biaxial
        ("mp-468", "uniaxial positive"),  # AlF3, trigonal: isotropic within a thousandth
        ("mp-23711", "biaxial"),  # MgH2, orthorhombic: two indices within a thousandth
    ],
)
def test_the_optical_class_follows_the_symmetry_of_the_crystal(material_id, expected):
    material = next(m for m in load_dataset("petousis-2017") if m.material_id == material_id)
    found = optical_class(material.allowed_electronic, distinct_values(material.structure))
    assert found == expected


@pytest.mark.parametrize(
    ("symbol", "expected"),
    [("m-3m", 1), ("23", 1), ("-3", 2), ("6/mmm", 2), ("-4", 2), ("mmm", 3), ("2/m", 3), ("1", 3)],
)
def test_as_many_principal_values_differ_as_the_point_group_lets(symbol, expected):
    assert distinct_values(crystals.crystal_of_point_group(symbol)) == expected
