"""What a tensor looks like in space: its value along every direction, as a closed surface and as plane cuts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.errors import check
from engine.tensors.sphere import sphere

Shape = Literal["permittivity", "index ellipsoid"]
SHAPES: tuple[Shape, ...] = ("permittivity", "index ellipsoid")
PLANES = ("xy", "yz", "zx")
SUBDIVISIONS = 3  # 642 vertices: the farthest point of a face lies 0.3 % inside a sphere
SMALLEST = 1e-3  # a value below this leaves the surface without a body
STEP = 1e-5  # radians, between directions whose difference is a slope

Values = Callable[[np.ndarray], np.ndarray]  # unit vectors [..., 3] -> [...]


@dataclass(frozen=True, kw_only=True)
class Directional:
    """A quantity that a crystal has along each direction.

    Attributes:
        values: its value along unit vectors.
        low, high: the smallest and the largest.
        signed: whether it is below zero along some directions by its nature; a surface then shows its size.
        subdivisions: of the sphere of directions, enough for the shape to look smooth.
    """

    values: Values
    low: float
    high: float
    signed: bool = False
    subdivisions: int = SUBDIVISIONS

    def radii(self, directions: np.ndarray) -> np.ndarray:
        """[...] distance from the origin to the surface along unit vectors [..., 3]."""
        return np.abs(self.values(directions)) if self.signed else self.values(directions)

    @property
    def largest(self) -> float:
        """The largest distance from the origin."""
        return max(abs(self.low), abs(self.high))


@dataclass(frozen=True, kw_only=True)
class Surface:
    """A closed surface around the origin.

    Attributes:
        vertices: [V, 3] points, their distance from the origin is `radii`, in the quantity's unit.
        normals: [V, 3] unit vectors that point outwards.
        faces: [F, 3] indices of the vertices of each triangle, anticlockwise from outside.
        radii: [V].
        values: [V] the quantity, which is the radius but for its sign.
    """

    vertices: np.ndarray
    normals: np.ndarray
    faces: np.ndarray
    radii: np.ndarray
    values: np.ndarray


def of_tensor(tensor: np.ndarray, shape: Shape) -> Directional:
    """The quantity whose surface `radius` tells of, for a symmetric tensor [3, 3] in the tensor's own axes.

    Raises:
        EngineError: a principal value is zero or negative, so that there is no index ellipsoid.
    """
    low, _, high = np.linalg.eigvalsh(tensor)
    if shape == "index ellipsoid":
        _check_positive(low, SMALLEST)
        low, high = low**0.5, high**0.5

    def values(directions: np.ndarray) -> np.ndarray:
        return radius(tensor, directions, shape)

    return Directional(values=values, low=float(low), high=float(high))


def radius(tensor: np.ndarray, directions: np.ndarray, shape: Shape) -> np.ndarray:
    """Distance from the origin to the surface along unit vectors [..., 3].

    "permittivity": s^T eps s, the permittivity that a field along s meets. "index ellipsoid": the refractive-index
    ellipsoid (indicatrix) x^T eps^-1 x = 1, so (s^T eps^-1 s)^(-1/2), the index of light whose D field is along s;
    its semi-axes are sqrt(eps_i). Nye, Physical Properties of Crystals (Oxford, 1957).
    """
    if shape == "permittivity":
        return np.einsum("...i,ij,...j->...", directions, tensor, directions)
    return np.einsum("...i,ij,...j->...", directions, np.linalg.inv(tensor), directions) ** -0.5


def surface(quantity: Directional) -> Surface:
    """The surface of a quantity.

    Raises:
        EngineError: it is zero or negative along a direction, and not by its nature: the surface has no body.
    """
    check_body(quantity)
    directions, faces = sphere(quantity.subdivisions)
    values = quantity.values(directions)
    radii = quantity.radii(directions)
    return Surface(
        vertices=radii[:, None] * directions,
        normals=_normals(quantity, directions, radii),
        faces=faces,
        radii=radii,
        values=values,
    )


def cut(quantity: Directional, plane: str, points: int = 181) -> tuple[np.ndarray, np.ndarray]:
    """Where a plane through the origin cuts the surface: angles [P] and values [P], whose size is the radius.

    Args:
        plane: "xy", "yz" or "zx"; angles run from its first axis towards its second.
        points: number of angles over the full turn, both ends included.

    Raises:
        EngineError: it is negative along a direction, and not by its nature.
    """
    check_body(quantity, -SMALLEST)
    angles = np.linspace(0, 2 * np.pi, points)
    return angles, quantity.values(_in_plane(angles, plane))


def outline(quantity: Directional, plane: str) -> tuple[np.ndarray, np.ndarray]:
    """[P, 3] the closed curve of `cut`, as points in space, and [P] the values there."""
    angles, values = cut(quantity, plane)
    return np.abs(values)[:, None] * _in_plane(angles, plane), values


def check_body(quantity: Directional, least: float = SMALLEST) -> None:
    """Raise EngineError unless the quantity may be drawn as a surface: above `least`, or signed by its nature."""
    if not quantity.signed:
        _check_positive(quantity.low, least)


def _check_positive(low: float, least: float) -> None:
    check(low > least, f"the smallest principal value must be positive for a surface, got {low:.3f}")


def extremes(values: Values) -> tuple[np.ndarray, np.ndarray]:
    """[3] unit vectors along which a quantity is smallest and largest, to a thousandth of a degree or so."""
    directions = sphere(SUBDIVISIONS + 1)[0]
    there = values(directions)
    return _refined(values, directions[there.argmin()], -1), _refined(values, directions[there.argmax()], 1)


def _refined(values: Values, start: np.ndarray, sign: int) -> np.ndarray:
    """The best of ever smaller circles around the best so far."""
    best, turns = start, np.linspace(0, 2 * np.pi, 12, endpoint=False)
    width = 0.1
    while width > STEP:
        first, second = _across(best[None])
        around = best + width * (np.cos(turns)[:, None] * first + np.sin(turns)[:, None] * second)
        around = np.vstack([best[None], around / np.linalg.norm(around, axis=1, keepdims=True)])
        index = int((sign * values(around)).argmax())
        best, width = around[index], width if index else width / 2
    return best


def _normals(quantity: Directional, directions: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """[V, 3] r s - grad r, gradient of |x| - r(x / |x|) at the surface but for a factor, made unit vectors."""
    normals = radii[:, None] * directions
    for tangent in _across(directions):
        ahead, behind = (quantity.radii(_unit(directions + side * STEP * tangent)) for side in (1, -1))
        normals = normals - ((ahead - behind) / (2 * STEP))[:, None] * tangent
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.where(lengths > 0, normals / np.where(lengths > 0, lengths, 1), directions)


def _across(directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two [V, 3] unit vectors at right angles to each direction and to each other."""
    helper = np.eye(3)[np.abs(directions).argmin(axis=1)]
    first = _unit(np.cross(directions, helper))
    return first, np.cross(directions, first)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def _in_plane(angles: np.ndarray, plane: str) -> np.ndarray:
    """[P, 3] unit vectors."""
    first, second = (np.eye(3)["xyz".index(axis)] for axis in plane)
    return np.cos(angles)[:, None] * first + np.sin(angles)[:, None] * second
