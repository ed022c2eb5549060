"""What follows from a piezoelectric tensor; pure."""

import numpy as np

from engine.tensors.surfaces import Directional, extremes
from engine.tensors.voigt import piezoelectric_tensor

SUBDIVISIONS = 4  # of the sphere of directions, for its lobes


def longitudinal(piezoelectric: np.ndarray) -> Directional:
    """e(n) = e_ijk n_i n_j n_k, C/m^2: polarisation along n that a stretching strain along n makes.

    e(-n) = -e(n). Shear constants count twice, as e_14 does in 2 e_14 n_1 n_2 n_3.

    Args:
        piezoelectric: [3, 6] stress constants e, C/m^2.
    """
    tensor = piezoelectric_tensor(piezoelectric)

    def values(directions: np.ndarray) -> np.ndarray:
        pairs = directions[..., :, None] * directions[..., None, :]
        return np.einsum("...i,ijk,...jk->...", directions, tensor, pairs, optimize=True)

    low, high = (float(values(one)) for one in extremes(values))
    return Directional(values=values, low=low, high=high, signed=True, subdivisions=SUBDIVISIONS)
