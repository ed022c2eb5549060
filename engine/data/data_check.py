"""Whether DFT tensors can be what they claim to be."""

import numpy as np
from pymatgen.core import Structure

from engine.tensors.axes import point_group_rotations, residual_under
from engine.tensors.tensors import symmetrise

MAX_ASYMMETRY = 0.02
MAX_RESIDUAL = 0.02


def flags_of(electronic: np.ndarray, total: np.ndarray, structure: Structure) -> tuple[str, ...]:
    """What is wrong with a row: the names of the checks that it fails, each beginning with the tensor's."""
    flags, rotations = [], point_group_rotations(structure)
    for name, tensor in (("electronic", electronic), ("total", total)):
        if np.linalg.norm(tensor - tensor.T) > MAX_ASYMMETRY * np.linalg.norm(tensor):
            flags.append(f"{name} asymmetric")
        if residual_under(rotations, symmetrise(tensor)) > MAX_RESIDUAL:
            flags.append(f"{name} breaks the point group")
    if np.linalg.eigvalsh(symmetrise(electronic)).min() < 1:
        flags.append("electronic eigenvalue below 1")
    if np.linalg.eigvalsh(symmetrise(total - electronic)).min() < -0.05:
        flags.append("ionic eigenvalue below 0")
    return tuple(flags)
