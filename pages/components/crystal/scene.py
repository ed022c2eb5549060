"""What a drawing of a crystal shows: atoms, bonds and the cell, as numbers."""

import itertools
from dataclasses import dataclass

import numpy as np
from pymatgen.core import Structure

ON_FACE = 1e-3  # fractional distance within which an atom lies on a face of the cell
BOND = 1.2  # an atom's bonds are at most this many times its shortest distance
LONGEST = 4.0  # Å, no bond is longer
CORNERS = np.array(list(itertools.product((0, 1), repeat=3)))  # [8, 3]
EDGES = [(i, j) for i, j in itertools.combinations(range(8), 2) if abs(CORNERS[i] - CORNERS[j]).sum() == 1]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Atoms of some cells, those on a face shown on each such face.

    Attributes:
        cell: [3, 3] Å, rows are lattice vectors of one cell.
        numbers: [M] atomic numbers.
        positions: [M, 3] Å.
        atoms: [M] which site of the structure each of them repeats.
        bonds: [K, 2] indices of atoms to join.
    """

    cell: np.ndarray
    numbers: np.ndarray
    positions: np.ndarray
    atoms: np.ndarray
    bonds: np.ndarray

    @property
    def corners(self) -> np.ndarray:
        """[8, 3] corners of one cell, Å."""
        return CORNERS @ self.cell

    @property
    def middle(self) -> np.ndarray:
        """[3] centre of what is drawn, Å."""
        return (self.positions.min(axis=0) + self.positions.max(axis=0)) / 2

    @property
    def reach(self) -> float:
        """Largest distance of an atom or a corner from the centre, Å."""
        return float(np.linalg.norm(np.vstack([self.positions, self.corners]) - self.middle, axis=1).max())


def make_scene(structure: Structure, repeat: int) -> Scene:
    """The crystal in repeat^3 cells, in its own Cartesian axes."""
    cell = structure.lattice.matrix
    frac = structure.frac_coords - np.floor(structure.frac_coords + ON_FACE)
    shifts = np.array(list(itertools.product(range(repeat + 1), repeat=3)))
    images = (frac[None] + shifts[:, None]).reshape(-1, 3)  # [(repeat + 1)^3 * N, 3]
    inside = (images <= repeat + ON_FACE).all(axis=1)
    atom = np.tile(np.arange(len(structure)), len(shifts))[inside]
    positions = images[inside] @ cell
    return Scene(
        cell=cell,
        numbers=np.array(structure.atomic_numbers)[atom],
        positions=positions,
        atoms=atom,
        bonds=_bonds(positions, _shortest(structure)[atom]),
    )


def _shortest(structure: Structure) -> np.ndarray:
    """[N] distance of each atom to its nearest neighbour, periodic images included, Å."""
    distances = structure.distance_matrix + np.diag(np.full(len(structure), min(structure.lattice.abc)))
    return distances.min(axis=1)


def _bonds(positions: np.ndarray, shortest: np.ndarray) -> np.ndarray:
    """Pairs that are near neighbours for both atoms: a large cation is not tied to all that surrounds it."""
    distances = np.linalg.norm(positions[:, None] - positions[None], axis=2)
    limit = np.minimum(BOND * np.minimum(shortest[:, None], shortest[None]), LONGEST)
    return np.argwhere(np.triu(distances <= limit, k=1))
