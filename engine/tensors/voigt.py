"""Elastic and piezoelectric tensors in Voigt's notation and as tensors; pure.

A pair of indices becomes one: xx, yy, zz, yz, xz, xy are 1 to 6. Stiffnesses C (GPa) and piezoelectric stress
constants e (C/m^2) have no factors in it; compliances S have 2 for one shear index and 4 for two, because the
engineering shear strain is twice the tensor's. Nye, Physical Properties of Crystals (Oxford, 1957).
"""

import numpy as np

PAIRS = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))
INDEX = np.array([[0, 5, 4], [5, 1, 3], [4, 3, 2]])  # of a pair
FACTORS = np.array([1.0, 1, 1, 2, 2, 2])
_FIRST, _SECOND = np.array(PAIRS).T


def stiffness_tensor(voigt: np.ndarray) -> np.ndarray:
    """[3, 3, 3, 3] C_ijkl of a matrix [6, 6], same unit."""
    return voigt[INDEX][:, :, INDEX]


def stiffness_matrix(tensor: np.ndarray) -> np.ndarray:
    """[6, 6] of C_ijkl [3, 3, 3, 3]."""
    return tensor[_FIRST, _SECOND][:, _FIRST, _SECOND]


def compliance_tensor(voigt: np.ndarray) -> np.ndarray:
    """[3, 3, 3, 3] S_ijkl of a matrix [6, 6] of compliances, the inverse of the stiffnesses'."""
    return stiffness_tensor(voigt / np.outer(FACTORS, FACTORS))


def piezoelectric_tensor(voigt: np.ndarray) -> np.ndarray:
    """[3, 3, 3] e_ijk of a matrix [3, 6], same unit; symmetric in its last two indices."""
    return voigt[:, INDEX]


def piezoelectric_matrix(tensor: np.ndarray) -> np.ndarray:
    """[3, 6] of e_ijk [3, 3, 3]."""
    return tensor[:, _FIRST, _SECOND]
