"""What light does in a crystal of a complex permittivity, [F, 3, 3] at F frequencies.

A plane wave that enters along k, at a right angle to the surface, has no D along k. That leaves the two directions
across it, with the permittivity

    e = eps_tt - eps_tk eps_kt / eps_kk,    N = e^(1/2)    (2x2 matrices, Im >= 0),

N being the complex refractive index n + i k where the field lies along one of its axes. E and H are continuous at
the surface, E + E_r = E_t and E - E_r = N E_t, so E_r = (1 - N) (1 + N)^-1 E.
Source: Born and Wolf, Principles of Optics (Cambridge University Press, 1999), chapter 15.
"""

import numpy as np

from engine.errors import check

ACROSS = 1e-6  # cosine to the direction that a polarisation may have


def principal_index(permittivity: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """[F] complex refractive index for a field along a principal axis [3] of the permittivity [F, 3, 3].

    Raises:
        EngineError: the axis is zero.
    """
    unit = _unit(axis)
    value = np.einsum("fab,a,b->f", permittivity, unit, unit)
    return np.sqrt(value.real + 1j * np.maximum(value.imag, 0))


def index_along(permittivity: np.ndarray, direction: np.ndarray, polarisation: np.ndarray) -> np.ndarray:
    """[F] complex refractive index, p N p for light that goes along a direction with the field along p.

    Args:
        permittivity: [F, 3, 3] complex.
        direction, polarisation: [3], at right angles.

    Raises:
        EngineError: they are not, or one is zero.
    """
    index, p = _index(permittivity, direction, polarisation)
    return np.einsum("fab,a,b->f", index, p, p)


def reflectivity(permittivity: np.ndarray, direction: np.ndarray, polarisation: np.ndarray) -> np.ndarray:
    """[F] share of the power that a surface in vacuum reflects, |(1 - N) (1 + N)^-1 p|^2; see `index_along`."""
    index, p = _index(permittivity, direction, polarisation)
    unit = np.eye(2)
    back = (unit - index) @ np.linalg.solve(unit + index, np.broadcast_to(p[:, None], (len(index), 2, 1)))
    return (np.abs(back[..., 0]) ** 2).sum(-1)


def isotropic_reflectivity(index: np.ndarray) -> np.ndarray:
    """[F] share of the power that is reflected at normal incidence, for a complex refractive index [F]."""
    return np.abs((1 - index) / (1 + index)) ** 2


def absorption(frequency: np.ndarray, index: np.ndarray) -> np.ndarray:
    """[F] absorption coefficient of the power in cm^-1, 4 pi o Im N, at frequencies o in cm^-1."""
    return 4 * np.pi * np.asarray(frequency) * index.imag


def loss(permittivity: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """[F] Im(-1 / (q eps q)) for a unit vector q along a direction [3]; its peaks are longitudinal modes."""
    q = _unit(direction)
    return -(1 / np.einsum("fab,a,b->f", permittivity, q, q)).imag


def _index(
    permittivity: np.ndarray, direction: np.ndarray, polarisation: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """N, [F, 2, 2], and the polarisation in its axes, [2]."""
    k, p = _unit(direction), _unit(polarisation)
    check(
        abs(float(k @ p)) < ACROSS,
        f"light is polarised at a right angle to its direction, got {np.degrees(np.arccos(k @ p)):.1f} degrees",
    )
    frame = np.stack([p, np.cross(k, p), k])
    turned = frame @ permittivity @ frame.T
    across = turned[:, :2, :2] - turned[:, :2, 2:] @ turned[:, 2:, :2] / turned[:, 2:, 2:]
    return _root(across), np.array([1.0, 0.0])


def _root(matrix: np.ndarray) -> np.ndarray:
    """Square roots of symmetric complex [F, 2, 2] whose eigenvalues have Im >= 0, with roots that have it too.

    By the theorem of Cayley and Hamilton, A^(1/2) = (A + det(A)^(1/2)) / tr(A^(1/2)).
    """
    values = np.linalg.eigvals(matrix)
    roots = np.sqrt(values.real + 1j * np.maximum(values.imag, 0))  # [F, 2]
    unit = np.eye(2) * roots.prod(1)[:, None, None]
    return (matrix + unit) / roots.sum(1)[:, None, None]


def _unit(vector: np.ndarray) -> np.ndarray:
    length = float(np.linalg.norm(vector))
    check(length > 0, "a direction must be longer than zero")
    return np.asarray(vector, dtype=float) / length
