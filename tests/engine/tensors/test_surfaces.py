"""Every point of a drawn surface or cut says what the tensor says along its direction."""

import numpy as np
import pytest

from engine import EngineError
from engine.tensors import surfaces
from engine.tensors.sphere import sphere

RUTILE = np.diag([6.8, 6.8, 8.4])
SEED = 3


def biaxial() -> np.ndarray:
    rotation = np.linalg.qr(np.random.default_rng(SEED).normal(size=(3, 3)))[0]
    return rotation @ np.diag([2.0, 4.5, 9.0]) @ rotation.T


@pytest.mark.parametrize("tensor", [RUTILE, biaxial()], ids=["uniaxial", "turned biaxial"])
def test_each_vertex_of_the_permittivity_surface_lies_as_far_out_as_its_direction_has_permittivity(tensor):
    drawn = surfaces.surface(surfaces.of_tensor(tensor, "permittivity"))
    for vertex in drawn.vertices:
        direction = vertex / np.linalg.norm(vertex)
        assert np.linalg.norm(vertex) == pytest.approx(direction @ tensor @ direction)


@pytest.mark.parametrize("tensor", [RUTILE, biaxial()], ids=["uniaxial", "turned biaxial"])
def test_each_vertex_of_the_index_ellipsoid_obeys_the_equation_of_the_indicatrix(tensor):
    drawn = surfaces.surface(surfaces.of_tensor(tensor, "index ellipsoid"))
    np.testing.assert_allclose(
        np.einsum("vi,ij,vj->v", drawn.vertices, np.linalg.inv(tensor), drawn.vertices), 1, atol=1e-12
    )


@pytest.mark.parametrize(("shape", "power"), [("permittivity", 1), ("index ellipsoid", 0.5)])
def test_along_a_principal_axis_the_surface_shows_the_principal_value_or_index(shape, power):
    values, axes = np.linalg.eigh(biaxial())
    np.testing.assert_allclose(surfaces.radius(biaxial(), axes.T, shape), values**power, rtol=1e-12)


@pytest.mark.parametrize("shape", surfaces.SHAPES)
def test_an_isotropic_crystal_has_a_sphere(shape):
    radii = surfaces.surface(surfaces.of_tensor(5.8 * np.eye(3), shape)).radii
    np.testing.assert_allclose(radii, 5.8 if shape == "permittivity" else np.sqrt(5.8))


@pytest.mark.parametrize("shape", surfaces.SHAPES)
def test_a_turned_tensor_has_the_turned_surface(shape):
    rotation = np.linalg.qr(np.random.default_rng(4).normal(size=(3, 3)))[0]
    directions = sphere(1)[0]
    there = surfaces.radius(rotation @ biaxial() @ rotation.T, directions @ rotation.T, shape)
    np.testing.assert_allclose(there, surfaces.radius(biaxial(), directions, shape))


@pytest.mark.parametrize("shape", surfaces.SHAPES)
def test_normals_are_at_right_angles_to_the_surface_and_point_outwards(shape):
    drawn = surfaces.surface(surfaces.of_tensor(biaxial(), shape))
    assert np.all(np.einsum("vi,vi->v", drawn.normals, drawn.vertices) > 0)
    step = 1e-6
    for axis in np.eye(3):
        tangent = np.cross(drawn.normals, axis)
        moved = drawn.vertices + step * tangent
        there = np.linalg.norm(moved, axis=1)
        off = there - surfaces.radius(biaxial(), moved / there[:, None], shape)
        np.testing.assert_allclose(off, 0, atol=1e3 * step**2)


@pytest.mark.parametrize("shape", surfaces.SHAPES)
def test_triangles_close_the_surface_and_face_outwards(shape):
    drawn = surfaces.surface(surfaces.of_tensor(biaxial(), shape))
    corners = drawn.vertices[drawn.faces]  # [F, 3, 3]
    outwards = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert np.all(np.einsum("fi,fi->f", outwards, corners.mean(axis=1)) > 0)
    edges = np.sort(drawn.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    assert np.all(np.unique(edges, axis=0, return_counts=True)[1] == 2)
    assert len(drawn.vertices) - len(edges) // 2 + len(drawn.faces) == 2  # Euler's number of a closed ball


def test_the_ellipsoid_holds_the_volume_that_its_semi_axes_say():
    drawn = surfaces.surface(surfaces.of_tensor(biaxial(), "index ellipsoid"))
    volume = np.linalg.det(drawn.vertices[drawn.faces]).sum() / 6
    assert volume == pytest.approx(4 / 3 * np.pi * np.sqrt(np.linalg.det(biaxial())), rel=0.02)


@pytest.mark.parametrize(("plane", "first", "second"), [("xy", 0, 1), ("yz", 1, 2), ("zx", 2, 0)])
def test_a_cut_begins_at_its_first_axis_and_turns_towards_its_second(plane, first, second):
    tensor = biaxial()
    angles, radii = surfaces.cut(surfaces.of_tensor(tensor, "permittivity"), plane, points=5)
    np.testing.assert_allclose(np.degrees(angles), [0, 90, 180, 270, 360])
    expected = [tensor[first, first], tensor[second, second]]
    np.testing.assert_allclose(radii, expected * 2 + expected[:1])
    normal = 3 - first - second
    np.testing.assert_allclose(
        surfaces.outline(surfaces.of_tensor(tensor, "permittivity"), plane)[0][:, normal], 0, atol=1e-12
    )


def test_a_crystal_that_does_not_respond_along_one_axis_still_has_cuts():
    _, radii = surfaces.cut(surfaces.of_tensor(np.diag([0.0, 2.0, 3.0]), "permittivity"), "xy", points=5)
    np.testing.assert_allclose(radii, [0, 2, 0, 2, 0], atol=1e-12)


def test_a_tensor_without_a_body_is_refused_in_words():
    with pytest.raises(EngineError, match=r"must be positive for a surface, got 0\.000"):
        surfaces.surface(surfaces.of_tensor(np.zeros((3, 3)), "permittivity"))
