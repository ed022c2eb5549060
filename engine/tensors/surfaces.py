"""What a tensor looks like in space: its value along every direction, as a closed surface and as plane cuts."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from engine.errors import check

Shape = Literal["permittivity", "index ellipsoid"]
SHAPES: tuple[Shape, ...] = ("permittivity", "index ellipsoid")
PLANES = ("xy", "yz", "zx")
SUBDIVISIONS = 3  # 642 vertices: the farthest point of a face lies 0.3 % inside a sphere
SMALLEST = 1e-3  # a principal value below this leaves the surface without a body


@dataclass(frozen=True, kw_only=True)
class Surface:
    """A closed surface around the origin.

    Attributes:
        vertices: [V, 3] points, their distance from the origin is `radii`; no unit.
        normals: [V, 3] unit vectors that point outwards.
        faces: [F, 3] indices of the vertices of each triangle, anticlockwise from outside.
        radii: [V].
    """

    vertices: np.ndarray
    normals: np.ndarray
    faces: np.ndarray
    radii: np.ndarray


def radius(tensor: np.ndarray, directions: np.ndarray, shape: Shape) -> np.ndarray:
    """Distance from the origin to the surface along unit vectors [..., 3].

    "permittivity": s^T eps s, the permittivity that a field along s meets. "index ellipsoid": the refractive-index
    ellipsoid (indicatrix) x^T eps^-1 x = 1, so (s^T eps^-1 s)^(-1/2), the index of light whose D field is along s;
    its semi-axes are sqrt(eps_i). Nye, Physical Properties of Crystals (Oxford, 1957).
    """
    if shape == "permittivity":
        return np.einsum("...i,ij,...j->...", directions, tensor, directions)
    return np.einsum("...i,ij,...j->...", directions, np.linalg.inv(tensor), directions) ** -0.5


def surface(tensor: np.ndarray, shape: Shape) -> Surface:
    """The surface of a symmetric tensor [3, 3], in the tensor's own axes.

    Raises:
        EngineError: a principal value is zero or negative, so that the surface has no body.
    """
    check_positive(tensor)
    directions, faces = sphere(SUBDIVISIONS)
    radii = radius(tensor, directions, shape)
    return Surface(
        vertices=radii[:, None] * directions,
        normals=_normals(tensor, directions, radii, shape),
        faces=faces,
        radii=radii,
    )


def cut(tensor: np.ndarray, plane: str, shape: Shape, points: int = 181) -> tuple[np.ndarray, np.ndarray]:
    """Where a plane through the origin cuts the surface: angles [P] and radii [P].

    Args:
        tensor: [3, 3].
        plane: "xy", "yz" or "zx"; angles run from its first axis towards its second.
        shape: see `radius`.
        points: number of angles over the full turn, both ends included.

    Raises:
        EngineError: a principal value is negative, or zero for an index ellipsoid.
    """
    check_positive(tensor, SMALLEST if shape == "index ellipsoid" else -SMALLEST)
    angles = np.linspace(0, 2 * np.pi, points)
    return angles, radius(tensor, _in_plane(angles, plane), shape)


def outline(tensor: np.ndarray, plane: str, shape: Shape) -> np.ndarray:
    """[P, 3] the closed curve of `cut`, as points in space."""
    angles, radii = cut(tensor, plane, shape)
    return radii[:, None] * _in_plane(angles, plane)


def check_positive(tensor: np.ndarray, least: float = SMALLEST) -> None:
    """Raise EngineError unless every principal value is above `least`."""
    low = float(np.linalg.eigvalsh(tensor)[0])
    check(low > least, f"the smallest principal value must be positive for a surface, got {low:.3f}")


@lru_cache
def sphere(subdivisions: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors [V, 3] spread evenly, triangles [F, 3] between them: an icosahedron, its faces cut in four."""
    golden = (1 + 5**0.5) / 2
    flat = np.array([[-1, golden, 0], [1, golden, 0], [-1, -golden, 0], [1, -golden, 0]]) / np.hypot(1, golden)
    vertices = np.vstack([np.roll(flat, turns, axis=1) for turns in range(3)])  # [12, 3]
    faces = np.array([
        [0, 11, 5], [0, 5, 1], [0, 1, 7], [0, 7, 10], [0, 10, 11], [1, 5, 9], [5, 11, 4], [11, 10, 2], [10, 7, 6],
        [7, 1, 8], [3, 9, 4], [3, 4, 2], [3, 2, 6], [3, 6, 8], [3, 8, 9], [4, 9, 5], [2, 4, 11], [6, 2, 10],
        [8, 6, 7], [9, 8, 1],
    ])  # fmt: skip
    for _ in range(subdivisions):
        vertices, faces = _subdivided(vertices, faces)
    return vertices, faces


def _subdivided(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    edges = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]], axis=2)  # [F, 3, 2]
    pairs, middle = np.unique(edges.reshape(-1, 2), axis=0, return_inverse=True)
    added = vertices[pairs].sum(axis=1)
    added /= np.linalg.norm(added, axis=1, keepdims=True)
    ab, bc, ca = (middle.reshape(-1, 3) + len(vertices)).T
    a, b, c = faces.T
    parts = [(a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca)]
    return np.vstack([vertices, added]), np.vstack([np.stack(part, axis=1) for part in parts])


def _normals(tensor: np.ndarray, directions: np.ndarray, radii: np.ndarray, shape: Shape) -> np.ndarray:
    """[V, 3] gradient of |x| - x^T eps x / |x|^2, or of x^T eps^-1 x, at the surface, made a unit vector."""
    if shape == "permittivity":
        normals = directions - 2 * (directions @ tensor / radii[:, None] - directions)
    else:
        normals = directions @ np.linalg.inv(tensor)
    return normals / np.linalg.norm(normals, axis=1, keepdims=True)


def _in_plane(angles: np.ndarray, plane: str) -> np.ndarray:
    """[P, 3] unit vectors."""
    first, second = (np.eye(3)["xyz".index(axis)] for axis in plane)
    return np.cos(angles)[:, None] * first + np.sin(angles)[:, None] * second
