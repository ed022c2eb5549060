"""The ellipsoid of a Born charge is what the symmetric part of the charge says."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from engine.vibrations.charge_ellipsoids import THINNEST, charge_ellipsoid
from tests.engine.ions import drawn

RUTILE = Structure.from_spacegroup(
    136, Lattice.tetragonal(4.59, 2.96), ["Ti", "O"], [[0, 0, 0], [0.305, 0.305, 0]]
)


@pytest.fixture(scope="module")
def ions():
    return drawn(RUTILE)


def matrix(one):
    return (one.axes.T * one.charges) @ one.axes


def test_its_axes_are_eigenvectors_of_the_symmetric_part_alone(ions):
    charge = ions.charges[2] + np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 0]])
    found = charge_ellipsoid(charge)
    assert found.axes @ found.axes.T == pytest.approx(np.eye(3))
    assert matrix(found) == pytest.approx((charge + charge.T) / 2)


def test_its_surface_is_where_unit_displacements_lead(ions):
    for charge in ions.charges:
        symmetric = (charge + charge.T) / 2
        vertices, normals, faces, along = charge_ellipsoid(charge).points(1)
        assert np.linalg.norm(vertices @ np.linalg.inv(symmetric), axis=1) == pytest.approx(1)
        middle = vertices[faces].mean(1)
        outwards = np.cross(*(vertices[faces[:, i]] - vertices[faces[:, 0]] for i in (1, 2)))
        assert (np.einsum("fi,fi->f", outwards, middle) > 0).all()
        assert (np.einsum("vi,vi->v", normals, vertices) > 0).all()
        assert along.min() >= np.linalg.eigvalsh(symmetric)[0] - 1e-9


def test_atoms_that_symmetry_makes_of_one_another_have_ellipsoids_that_it_makes_of_one_another(ions):
    shapes = [charge_ellipsoid(charge) for charge in ions.charges]
    for operation in ions.operations:
        turn = operation.rotation_cartesian
        for before, after in enumerate(operation.permutation):
            assert matrix(shapes[after]) == pytest.approx(turn @ matrix(shapes[before]) @ turn.T)


def test_a_cubic_site_has_a_sphere():
    salt = Structure.from_spacegroup(225, Lattice.cubic(5.6), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    ions = drawn(salt.get_primitive_structure())
    for charge in ions.charges:
        vertices, *_ = charge_ellipsoid(charge).points(1)
        assert np.linalg.norm(vertices, axis=1) == pytest.approx(abs(charge[0, 0]))


def test_its_outline_is_the_edge_of_all_its_points():
    found = charge_ellipsoid(np.array([[2.0, 0.3, 0.1], [0.3, -1.0, 0.4], [0.1, 0.4, 3.0]]))
    across, up = np.array([1, 0, 0]), np.array([0, 0.6, 0.8])
    points = found.points(3)[0] @ np.stack([across, up]).T
    edge = found.outline(across, up)
    for angle in np.linspace(0, np.pi, 7):
        to = np.array([np.cos(angle), np.sin(angle)])
        assert (edge @ to).max() == pytest.approx((points @ to).max(), rel=0.01)


def test_a_charge_of_zero_along_an_axis_still_has_a_body():
    vertices, normals, *_ = charge_ellipsoid(np.diag([0.0, 1.0, 2.0])).points(1)
    assert vertices[:, 0].max() == pytest.approx(THINNEST, rel=0.2)
    assert np.isfinite(normals).all()
