"""Principal axes of a tensor as directions of the crystal."""

import itertools
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from pymatgen.core import Structure

from engine.tensors.axes import symmetry_dataset
from engine.tensors.tensors import DEGENERACY

LARGEST_INDEX = 3  # of a direction [uvw]
SMALLEST = 1e-3  # difference between principal values that says anything
NEAR = 2.0  # degrees within which an axis is named after a direction


@dataclass(frozen=True, kw_only=True)
class PrincipalAxis:
    """A principal value and where it holds.

    Attributes:
        value: principal value.
        times: 1, or 2 or 3 where so many values are equal: every direction in a plane, or in space, has it.
        axis: [3] unit vector along the axis, or normal to the plane; in the structure's Cartesian axes.
        uvw: the lattice direction of the conventional cell within `NEAR` of `axis`, or None.
        off: angle between them, degrees.
        angles: [3] degrees between `axis` and the conventional cell's a, b and c.
    """

    value: float
    times: int
    axis: np.ndarray
    uvw: tuple[int, int, int] | None
    off: float
    angles: np.ndarray


def principal_axes(tensor: np.ndarray, cell: np.ndarray, distinct: int | None = None) -> list[PrincipalAxis]:
    """One entry a distinct principal value, ascending.

    Args:
        tensor: symmetric [3, 3].
        cell: [3, 3] Å, rows are lattice vectors of the conventional cell in the tensor's axes.
        distinct: how many values symmetry lets differ, see `axes.distinct_values`; without it, values within twice
            `DEGENERACY` of their mean are equal. Twice, because a square root halves relative differences.
    """
    values, vectors = np.linalg.eigh(tensor)
    if distinct is None:
        distinct = _apart(values)
    low, high = np.diff(values)
    groups = [[0, 1, 2]] if distinct == 1 else [[0], [1], [2]]
    if distinct == 2:
        groups = [[0, 1], [2]] if low <= high else [[0], [1, 2]]
    return [_entry(values, vectors, group, cell) for group in groups]


def _apart(values: np.ndarray) -> int:
    tolerance = max(2 * DEGENERACY * np.abs(values).mean(), SMALLEST)
    if values[2] - values[0] <= tolerance:
        return 1
    return 2 if (np.diff(values) <= tolerance).any() else 3


def conventional_cell(structure: Structure) -> np.ndarray:
    """[3, 3] Å, rows are the conventional lattice vectors, as the crystal lies in the structure's Cartesian axes.

    The setting is spglib's: hexagonal axes for rhombohedral crystals, the unique axis b for monoclinic ones.
    """
    found = symmetry_dataset(structure)
    if found is None:
        return structure.lattice.matrix
    return np.linalg.inv(found.transformation_matrix).T @ structure.lattice.matrix


def _entry(values: np.ndarray, vectors: np.ndarray, group: list[int], cell: np.ndarray) -> PrincipalAxis:
    alone = next((i for i in range(3) if i not in group), group[0]) if len(group) == 2 else group[0]
    return line(vectors[:, alone], float(values[group].mean()), cell, len(group))


def line(axis: np.ndarray, value: float, cell: np.ndarray, times: int = 1) -> PrincipalAxis:
    """A value along a line through the crystal, whose sense does not matter; arguments as of `PrincipalAxis`."""
    uvw, off = _direction(axis, cell)
    cosines = cell @ axis / np.linalg.norm(cell, axis=1)
    along = axis @ (np.array(uvw) @ cell) if uvw is not None else cosines[np.abs(cosines).argmax()]
    axis, cosines = (axis, cosines) if along > 0 else (-axis, -cosines)
    return PrincipalAxis(
        value=value,
        times=times,
        axis=axis,
        uvw=uvw,
        off=off,
        angles=np.degrees(np.arccos(np.clip(cosines, -1, 1))),
    )


def _direction(axis: np.ndarray, cell: np.ndarray) -> tuple[tuple[int, int, int] | None, float]:
    """The simplest lattice direction within `NEAR`, and how far off it is, degrees."""
    candidates = _candidates()
    lines = candidates @ cell
    cosines = np.abs(lines @ axis) / np.linalg.norm(lines, axis=1)
    off = np.degrees(np.arccos(np.clip(cosines, 0, 1)))
    close = np.flatnonzero(off <= NEAR)
    if not len(close):
        return None, math.nan
    return tuple(candidates[close[0]].tolist()), float(off[close[0]])


@lru_cache
def _candidates() -> np.ndarray:
    """[D, 3] coprime indices, one of each pair of opposite directions, the smallest first."""
    numbers = range(-LARGEST_INDEX, LARGEST_INDEX + 1)
    found = [
        uvw for uvw in itertools.product(numbers, repeat=3) if math.gcd(*uvw) == 1 and uvw > tuple(-i for i in uvw)
    ]
    return np.array(sorted(found, key=lambda uvw: (sum(i * i for i in uvw), [-i for i in uvw])))
