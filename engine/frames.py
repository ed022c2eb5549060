"""Tensors in one set of axes or another, and whether a tensor obeys its crystal's point group."""

import numpy as np
from pymatgen.core import Structure
from pymatgen.core.tensors import Tensor
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from engine.errors import EngineError

SYMPREC = 0.01  # Å, distance within which atoms count as mapped onto each other


def point_group_rotations(structure: Structure, symprec: float = SYMPREC) -> np.ndarray:
    """[G, 3, 3] Cartesian matrices of the crystal's point group, in the structure's own axes."""
    operations = SpacegroupAnalyzer(structure, symprec=symprec).get_symmetry_operations(cartesian=True)
    matrices = np.array([operation.rotation_matrix for operation in operations])
    _, first = np.unique(matrices.round(6) + 0.0, axis=0, return_index=True)  # + 0.0 makes -0.0 and 0.0 equal
    return matrices[first]


def neumann_residual(tensor: np.ndarray, structure: Structure, symprec: float = SYMPREC) -> float:
    """|mean over g of g T g^T - T| / |T|: zero where a tensor [3, 3] obeys its crystal's point group."""
    rotations = point_group_rotations(structure, symprec)
    average = np.einsum("gij,jk,glk->il", rotations, tensor, rotations) / len(rotations)
    norm = np.linalg.norm(tensor)
    return float(np.linalg.norm(average - tensor) / norm) if norm > 0 else 0.0


def ieee_rotation(structure: Structure) -> np.ndarray:
    """[3, 3] matrix R that turns the structure's Cartesian axes into the IEEE 1987 ones.

    Raises:
        EngineError: the convention leaves the axes open, as for equal axis lengths in a triclinic cell.
    """
    try:
        return np.asarray(Tensor.get_ieee_rotation(structure))
    except (ValueError, IndexError, TypeError) as error:
        raise EngineError(
            f"{structure.composition.reduced_formula}: IEEE axes are not defined for this cell ({error})"
        ) from error


def to_ieee(tensor: np.ndarray, structure: Structure) -> np.ndarray:
    """R T R^T, the tensor [3, 3] in the IEEE axes of its crystal."""
    rotation = ieee_rotation(structure)
    return rotation @ tensor @ rotation.T


def from_ieee(tensor: np.ndarray, structure: Structure) -> np.ndarray:
    """R^T T R, a tensor [3, 3] given in IEEE axes in the structure's own axes."""
    rotation = ieee_rotation(structure)
    return rotation.T @ tensor @ rotation
