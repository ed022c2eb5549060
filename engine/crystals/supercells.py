"""Supercells of a crystal that symmetry tells apart, and how it moves their sites.

The superlattices of one index are the integer matrices in Hermite normal form: Hart and Forcade, Phys. Rev. B 77,
224115 (2008), https://doi.org/10.1103/PhysRevB.77.224115. spglib finds the symmetry.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import spglib

from engine.crystals.refusal import Refused

SYMMETRIC = 0.01  # Å, within which a file's positions are symmetric
NO_SYMMETRY = "its symmetry cannot be found; give an ordered cell"


@dataclass(frozen=True, kw_only=True)
class Symmetry:
    """Space group of a primitive cell of N sites.

    Attributes:
        rotations: [G, 3, 3] int, of columns of fractional coordinates; the first is the identity.
        images: [G, N] int, the site on which an operation puts each.
        shifts: [G, N, 3] int, the cell in which it does.
    """

    rotations: np.ndarray
    images: np.ndarray
    shifts: np.ndarray


def smallest_cell(
    cell: np.ndarray, positions: np.ndarray, kinds: Sequence[int]
) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Primitive cell [3, 3] Å as it lies in space, positions [N, 3] in it and kinds [N] of its sites."""
    given = cell.tolist(), positions.tolist(), kinds
    found = spglib.standardize_cell(given, to_primitive=True, no_idealize=True, symprec=SYMMETRIC)
    if found is None:
        raise Refused(NO_SYMMETRY)
    vectors, places = np.array(found[0]), np.array(found[1])
    reduced = compact(vectors)
    return reduced, places @ vectors @ np.linalg.inv(reduced) % 1, list(found[2])


def compact(cell: np.ndarray) -> np.ndarray:
    """[3, 3] Å, the shortest vectors of the lattice, not turned."""
    found = spglib.niggli_reduce(cell)
    return cell if found is None else found


def symmetry_of(cell: np.ndarray, positions: np.ndarray, kinds: Sequence[int]) -> Symmetry:
    """The symmetry of a primitive cell; Refused where spglib finds none."""
    found = spglib.get_symmetry((cell.tolist(), positions.tolist(), kinds), symprec=SYMMETRIC)
    if found is None:
        raise Refused(NO_SYMMETRY)
    rotations = found["rotations"].astype(int)
    first = np.argsort(~(rotations == np.eye(3, dtype=int)).all((1, 2)), kind="stable")
    rotations, translations = rotations[first], found["translations"][first]
    moved = np.einsum("gij,nj->gni", rotations, positions) + translations[:, None]  # [G, N, 3]
    images = np.array([_nearest(cell, one, positions) for one in moved])
    return Symmetry(rotations=rotations, images=images, shifts=np.rint(moved - positions[images]).astype(int))


def _nearest(cell: np.ndarray, moved: np.ndarray, positions: np.ndarray) -> np.ndarray:
    difference = moved[:, None] - positions
    return np.linalg.norm((difference - np.rint(difference)) @ cell, axis=-1).argmin(1)


def superlattices(index: int, rotations: np.ndarray) -> list[np.ndarray]:
    """[3, 3] upper triangular int, rows in the primitive cell's vectors: one of each kind by symmetry."""
    distinct: list[np.ndarray] = []
    for form in _hermite_forms(index):
        turned = form @ rotations.swapaxes(1, 2)  # [G, 3, 3]
        if not any((cosets(other, turned) == 0).all(1).any() for other in distinct):
            distinct.append(form)
    return distinct


def _hermite_forms(index: int) -> list[np.ndarray]:
    divisors = [n for n in range(1, index + 1) if index % n == 0]
    return [
        np.array([[a, b, c], [0, d, e], [0, 0, f]])
        for a, d in product(divisors, repeat=2)
        for f in divisors
        if a * d * f == index
        for b, c, e in product(range(d), range(f), range(f))
    ]


def cosets(form: np.ndarray, points: np.ndarray) -> np.ndarray:
    """[...] which of a supercell's cells each lattice point [..., 3] falls into, in the order of `cells`."""
    left = points.copy()
    for axis in range(3):
        left = left - (left[..., axis] // form[axis, axis])[..., None] * form[axis]
    return (left[..., 0] * form[1, 1] + left[..., 1]) * form[2, 2] + left[..., 2]


def cells(form: np.ndarray) -> np.ndarray:
    """[n, 3] lattice points, one of each primitive cell in a supercell."""
    return np.array(list(product(*map(range, form.diagonal()))))


def permutations(form: np.ndarray, symmetry: Symmetry) -> np.ndarray:
    """[P, N n] where each symmetry of a supercell takes its sites; the first n are its translations by cells.

    A site of the supercell has the number of its primitive site times n, plus that of its cell.
    """
    points = cells(form)
    kept = (cosets(form, form @ symmetry.rotations.swapaxes(1, 2)) == 0).all(1)
    turned = points @ symmetry.rotations[kept].swapaxes(1, 2)  # [G, n, 3]
    shifts = symmetry.shifts[kept]  # [G, N, 3]
    landed = turned[:, None, None] + shifts[:, None, :, None] + points[:, None, None]  # [G, n, N, n, 3]
    found = symmetry.images[kept][:, None, :, None] * len(points) + cosets(form, landed)
    return found.reshape(len(turned) * len(points), -1)
