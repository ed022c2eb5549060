"""Real spherical harmonics, and the Clebsch-Gordan products of what turns like them; e3nn's conventions.

The components of degree l are counted from m = -l to l about the y axis, so that those of l = 1 are x, y, z.
"""

import math

import numpy as np
import torch
from e3nn import o3

from engine.errors import check

# What each harmonic is on the unit sphere, up to a factor.
POLYNOMIALS = (
    ("1",),
    ("x", "y", "z"),
    ("xz", "xy", "2y²−x²−z²", "yz", "z²−x²"),
    ("x(3z²−x²)", "xyz", "x(4y²−x²−z²)", "y(2y²−3x²−3z²)", "z(4y²−x²−z²)", "y(z²−x²)", "z(z²−3x²)"),
)
LMAX = len(POLYNOMIALS) - 1
NATURAL = ("0e", "1o", "2e", "3o")  # the irreps of these harmonics


def sphere(rows: int = 61, columns: int = 121) -> np.ndarray:
    """[rows, columns, 3] unit vectors on a grid of polar angle and azimuth about z, both ends included."""
    polar, azimuth = np.linspace(0, np.pi, rows)[:, None], np.linspace(0, 2 * np.pi, columns)
    return np.stack(
        [np.sin(polar) * np.cos(azimuth), np.sin(polar) * np.sin(azimuth), np.cos(polar) + 0 * azimuth], -1
    )


def harmonics(ell: int, directions: np.ndarray) -> np.ndarray:
    """[..., 2l+1] real spherical harmonics of vectors [..., 3]; the squares of one degree add up to 1."""
    vectors = torch.as_tensor(np.asarray(directions, dtype=np.float64))
    return o3.spherical_harmonics(ell, vectors, normalize=True, normalization="norm").numpy()


def selection_rule(first: str, second: str) -> list[str]:
    """Irreps in the product of two, like "0e", "1e" and "2e" in "1o" and "1o".

    |l1 - l2| <= l3 <= l1 + l2, and the parity is p1 p2.
    """
    return [str(irrep) for irrep in o3.Irrep(first) * o3.Irrep(second)]


def is_natural(irrep: str) -> bool:
    """Whether its parity is that of its spherical harmonic, (-1)^l."""
    ell, parity = o3.Irrep(irrep)
    return parity == (-1) ** ell


def clebsch_gordan(first: str, second: str, third: str) -> np.ndarray:
    """[2 l3+1, 2 l1+1, 2 l2+1] real coefficients C[m3, m1, m2]; each C[m3] has norm 1.

    Raises:
        EngineError: the product of the first two does not contain the third.
    """
    allowed = selection_rule(first, second)
    check(third in allowed, f"{first} x {second} must contain the third irrep, got {third}; it has {allowed}")
    l1, l2, l3 = (o3.Irrep(irrep).l for irrep in (first, second, third))
    coefficients = math.sqrt(2 * l3 + 1) * o3.wigner_3j(l1, l2, l3, dtype=torch.float64)
    return coefficients.permute(2, 0, 1).numpy()


def powers(vectors: np.ndarray, lmax: int, weights: np.ndarray | None = None) -> np.ndarray:
    """[lmax + 1] how much of each degree is left when the harmonics of n vectors [n, 3] are added up:

        P_l = sum_c |sum_j w_jc Y_l(r_j)|^2 / sum_c (sum_j |w_jc|)^2

    With weights 1, P_0 = 1; P_l = 1 where all vectors lie in one direction and 0 where they cancel by symmetry.

    Args:
        weights: [n, C] a weight for each vector and channel c; 1 if left out.
    """
    weights = np.ones((len(vectors), 1)) if weights is None else weights
    sums = [np.einsum("jc,jm->cm", weights, harmonics(ell, vectors)) for ell in range(lmax + 1)]
    return np.array([np.square(one).sum() for one in sums]) / np.square(np.abs(weights).sum(0)).sum()
