"""Symmetric 3x3 tensors: their parts, principal values and what light makes of them."""

from typing import Literal

import numpy as np

DEGENERACY = 1e-3  # refractive indices closer than this, relative to their mean, count as equal

OpticalClass = Literal["isotropic", "uniaxial positive", "uniaxial negative", "biaxial"]


def symmetrise(tensor: np.ndarray) -> np.ndarray:
    """(T + T^T) / 2 of a [..., 3, 3] array."""
    return (tensor + np.swapaxes(tensor, -1, -2)) / 2


def irreducible_parts(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The l = 0, 1 and 2 parts of any matrix [3, 3], which add up to it and never mix when it is turned:

    tr(A) / 3 I,    (A - A^T) / 2,    (A + A^T) / 2 - tr(A) / 3 I.
    """
    scalar = np.trace(matrix) / 3 * np.eye(3)
    return scalar, (matrix - matrix.T) / 2, symmetrise(matrix) - scalar


def along(tensor: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """n T n for unit vectors n, [3, 3] and [..., 3] -> [...]: radius of the tensor's directional surface."""
    return np.einsum("...i,ij,...j->...", directions, tensor, directions)


def mean(tensor: np.ndarray) -> float:
    """Mean of the diagonal, the same in every frame."""
    return float(np.trace(tensor) / 3)


def principal_values(tensor: np.ndarray) -> np.ndarray:
    """[3] eigenvalues of a symmetric tensor, ascending."""
    return np.linalg.eigvalsh(tensor)


def anisotropy_ratio(tensor: np.ndarray) -> float:
    """Largest over smallest principal value."""
    low, _, high = principal_values(tensor)
    return float(high / low)


def refractive_index(electronic: np.ndarray) -> float:
    """n = sqrt(mean of the diagonal), Materials Project's definition."""
    return float(np.sqrt(mean(electronic)))


def principal_refractive_indices(electronic: np.ndarray) -> np.ndarray:
    """[3] square roots of the principal values, ascending."""
    return np.sqrt(principal_values(electronic))


def birefringence(electronic: np.ndarray) -> float:
    """Largest minus smallest principal refractive index."""
    indices = principal_refractive_indices(electronic)
    return float(indices[2] - indices[0])


def optical_class(electronic: np.ndarray, distinct: int) -> OpticalClass:
    """How light sees the crystal: by its symmetry, not by how near to each other the indices happen to be.

    Positive uniaxial: the index along the optic axis is the largest. International Tables for Crystallography D,
    chapter 1.6 (Glazer and Cox, 2013).

    Args:
        electronic: [3, 3], as the crystal's symmetry allows it, see `axes.allowed_part`.
        distinct: how many principal values the symmetry lets differ, see `axes.distinct_values`.
    """
    if distinct == 1:
        return "isotropic"
    if distinct == 3:
        return "biaxial"
    low, middle, high = principal_refractive_indices(electronic)
    return "uniaxial positive" if middle - low <= high - middle else "uniaxial negative"


def optic_axial_angle(electronic: np.ndarray) -> float:
    """2V in degrees, the angle between the two optic axes of a biaxial crystal across its axis of largest index.

    tan^2 V = (1/n1^2 - 1/n2^2) / (1/n2^2 - 1/n3^2) for n1 < n2 < n3: an optic axis is normal to a circular section
    of the index ellipsoid, of radius n2, and lies in the plane of n1 and n3. Below 90 the crystal is biaxial
    positive, above negative. A uniaxial positive crystal has 0, a negative one 180.
    """
    low, middle, high = 1 / principal_values(electronic)
    return float(2 * np.degrees(np.arctan2(np.sqrt(low - middle), np.sqrt(middle - high))))


def reflectance(electronic: np.ndarray) -> np.ndarray:
    """[3] ((n - 1) / (n + 1))^2, the share of light reflected at normal incidence, for each principal index.

    Fresnel's equation in vacuum and without absorption: E and H are continuous, so 1 + r = t and 1 - r = n t.
    """
    indices = principal_refractive_indices(electronic)
    return ((indices - 1) / (indices + 1)) ** 2
