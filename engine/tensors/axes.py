"""Tensors in one set of axes or another, and whether a tensor obeys its crystal's point group."""

import numpy as np
import spglib
from pymatgen.core import Lattice, Structure
from pymatgen.core.tensors import Tensor
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from engine.errors import EngineError

SYMPREC = 0.01  # Å, distance within which atoms count as mapped onto each other
STRAIN = 0.01  # by which two calculations of one crystal may differ
TRIALS = 12  # strained copies
ISOTROPIC = 1e-4  # of a tensor's norm: less anisotropy is none


def symmetry_dataset(structure: Structure) -> spglib.SpglibDataset | None:
    """What spglib finds of the crystal's space group; None where it finds nothing."""
    crystal = (structure.lattice.matrix, structure.frac_coords, structure.atomic_numbers)
    return spglib.get_symmetry_dataset(crystal, symprec=SYMPREC)  # type: ignore[arg-type]  # arrays are taken too


def point_group_rotations(structure: Structure, symprec: float = SYMPREC) -> np.ndarray:
    """[G, 3, 3] Cartesian matrices of the crystal's point group, in the structure's own axes."""
    operations = SpacegroupAnalyzer(structure, symprec=symprec).get_symmetry_operations(cartesian=True)
    matrices = np.array([operation.rotation_matrix for operation in operations])
    _, first = np.unique(matrices.round(6) + 0.0, axis=0, return_index=True)  # + 0.0 makes -0.0 and 0.0 equal
    return matrices[first]


def turned(tensor: np.ndarray, rotation: np.ndarray) -> np.ndarray:
    """R_ai R_bj ... T_ij..., a tensor [3, ..., 3] of any rank turned by a matrix [3, 3], or mirrored by it."""
    for axis in range(tensor.ndim):
        tensor = np.moveaxis(np.tensordot(rotation, tensor, axes=(1, axis)), 0, axis)
    return tensor


def neumann_residual(tensor: np.ndarray, structure: Structure, symprec: float = SYMPREC) -> float:
    """|mean over g of T turned by g - T| / |T|: zero where a tensor obeys its crystal's point group."""
    return residual_under(point_group_rotations(structure, symprec), tensor)


def residual_under(rotations: np.ndarray, tensor: np.ndarray) -> float:
    """`neumann_residual` for a point group [G, 3, 3] that is known already."""
    average, norm = symmetry_average(tensor, rotations), np.linalg.norm(tensor)
    return float(np.linalg.norm(average - tensor) / norm) if norm > 0 else 0.0


def symmetry_average(tensor: np.ndarray, rotations: np.ndarray) -> np.ndarray:
    """Mean over g of T turned by g, the part of a tensor [3, ..., 3] that the group [G, 3, 3] leaves as it is."""
    if tensor.ndim == 2:
        return np.einsum("gij,jk,glk->il", rotations, tensor, rotations) / len(rotations)
    return np.mean([turned(tensor, one) for one in rotations], axis=0)


def allowed_part(tensor: np.ndarray, structure: Structure) -> np.ndarray:
    """The part of a tensor [3, 3] that its crystal's point group allows; what DFT leaves beside it is noise."""
    return symmetry_average(tensor, point_group_rotations(structure))


def distinct_values(structure: Structure) -> int:
    """How many principal values the crystal's point group lets differ: 1 (cubic), 2 (one axis) or 3 (none).

    The number of components that a symmetric tensor keeps is 1/h sum over g of ((tr g)^2 + tr g^2) / 2; it is one,
    two, or at least three.
    """
    rotations = point_group_rotations(structure)
    traces = np.trace(rotations, axis1=1, axis2=2)
    squares = np.trace(rotations @ rotations, axis1=1, axis2=2)
    return min(3, round(float((traces**2 + squares).mean() / 2)))


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
    """R^T T R, a tensor [..., 3, 3] given in IEEE axes in the structure's own axes."""
    rotation = ieee_rotation(structure)
    return rotation.T @ tensor @ rotation


def axes_doubt(tensors: np.ndarray, structure: Structure) -> float:
    """How far tensors would lie elsewhere had the crystal been strained a little: |change| / |T|, the largest.

    IEEE axes are chosen by comparing lattice vectors. Where two are about as long, a calculation of the same
    crystal with other settings chooses other axes, and a tensor turned back by this structure's would be wrong.
    The copies are strained by up to `STRAIN` in ways that keep the point group.

    Args:
        tensors: [K, 3, 3] in IEEE axes.

    Raises:
        EngineError: the axes are not defined for this cell.
    """
    norms = np.linalg.norm(tensors, axis=(1, 2))
    isotropic = np.eye(3) * np.trace(tensors, axis1=1, axis2=2)[:, None, None] / 3
    if (np.linalg.norm(tensors - isotropic, axis=(1, 2)) <= ISOTROPIC * norms).all():
        return 0.0
    here = from_ieee(tensors, structure)
    worst = 0.0
    for copy in strained_copies(structure, STRAIN, TRIALS):
        try:
            change = from_ieee(tensors, copy) - here
        except EngineError:
            return np.inf
        worst = max(worst, float((np.linalg.norm(change, axis=(1, 2)) / norms).max()))
    return worst


def strained_copies(structure: Structure, strain: float, count: int) -> list[Structure]:
    """Copies whose cell is strained at random, the largest principal strain `strain`, the point group kept."""
    rotations, rng = point_group_rotations(structure), np.random.default_rng(0)
    copies = []
    for _ in range(count):
        raw = rng.normal(size=(3, 3))
        one = symmetry_average(raw + raw.T, rotations)
        one *= strain / np.abs(np.linalg.eigvalsh(one)).max()
        cell = structure.lattice.matrix @ (np.eye(3) + one)
        copies.append(Structure(Lattice(cell), structure.species, structure.frac_coords))
    return copies
