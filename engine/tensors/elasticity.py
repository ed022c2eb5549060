"""What follows from an elastic tensor: moduli of the crystal along a direction, and of a polycrystal; pure."""

from dataclasses import dataclass

import numpy as np

from engine.tensors.surfaces import Directional, extremes
from engine.tensors.voigt import compliance_tensor

SUBDIVISIONS = 4  # of the sphere of directions: a modulus varies faster than a permittivity


@dataclass(frozen=True, kw_only=True)
class Moduli:
    """Of a polycrystal without texture, GPa, between the bounds of Voigt and Reuss.

    Attributes:
        bulk_voigt, bulk_reuss, shear_voigt, shear_reuss: bounds, from above and below.
    """

    bulk_voigt: float
    bulk_reuss: float
    shear_voigt: float
    shear_reuss: float

    @property
    def bulk(self) -> float:
        """Hill's mean, GPa."""
        return (self.bulk_voigt + self.bulk_reuss) / 2

    @property
    def shear(self) -> float:
        """Hill's mean, GPa."""
        return (self.shear_voigt + self.shear_reuss) / 2

    @property
    def young(self) -> float:
        """9 K G / (3 K + G) of Hill's means, GPa."""
        return 9 * self.bulk * self.shear / (3 * self.bulk + self.shear)

    @property
    def poisson(self) -> float:
        """(3 K - 2 G) / (6 K + 2 G) of Hill's means."""
        return (3 * self.bulk - 2 * self.shear) / (6 * self.bulk + 2 * self.shear)

    @property
    def anisotropy(self) -> float:
        """A^U = 5 G_V / G_R + K_V / K_R - 6, zero for an isotropic crystal.

        Ranganathan and Ostoja-Starzewski, Phys. Rev. Lett. 101, 055504 (2008).
        """
        return 5 * self.shear_voigt / self.shear_reuss + self.bulk_voigt / self.bulk_reuss - 6


def moduli(stiffness: np.ndarray) -> Moduli:
    """Bounds of Voigt and Reuss of a matrix [6, 6], GPa, which must be positive definite.

    Hill, Proc. Phys. Soc. A 65, 349 (1952).
    """
    c, s = stiffness, np.linalg.inv(stiffness)
    return Moduli(
        bulk_voigt=float(c[:3, :3].sum() / 9),
        bulk_reuss=float(1 / s[:3, :3].sum()),
        shear_voigt=float((3 * np.trace(c[:3, :3]) - c[:3, :3].sum() + 6 * np.trace(c[3:, 3:])) / 30),
        shear_reuss=float(15 / (6 * np.trace(s[:3, :3]) - 2 * s[:3, :3].sum() + 3 * np.trace(s[3:, 3:]))),
    )


def is_stable(stiffness: np.ndarray) -> bool:
    """Whether every small strain costs energy: all eigenvalues of the matrix [6, 6] are positive (Born)."""
    return bool(np.linalg.eigvalsh(stiffness)[0] > 0)


def youngs_modulus(stiffness: np.ndarray) -> Directional:
    """E(n) = 1 / (n_i n_j S_ijkl n_k n_l), GPa: stress over strain along n in a rod that is pulled along n.

    Args:
        stiffness: [6, 6] GPa, positive definite.
    """
    compliance = compliance_tensor(np.linalg.inv(stiffness))

    def values(directions: np.ndarray) -> np.ndarray:
        pairs = directions[..., :, None] * directions[..., None, :]
        return 1 / np.einsum("...ij,ijkl,...kl->...", pairs, compliance, pairs, optimize=True)

    low, high = (float(values(one)) for one in extremes(values))
    return Directional(values=values, low=low, high=high, subdivisions=SUBDIVISIONS)
