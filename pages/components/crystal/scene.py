"""What a drawing of a crystal shows: atoms, bonds and the cell, as numbers."""

import itertools
from dataclasses import dataclass

import numpy as np
from pymatgen.core import Structure
from scipy.spatial import cKDTree

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


def make_scene(structure: Structure, repeat: int, *, beyond: bool = False) -> Scene:
    """The crystal in repeat^3 cells, in its own Cartesian axes.

    Args:
        beyond: whether atoms outside are shown too that have a bond to one inside.
    """
    cell, shortest = structure.lattice.matrix, _shortest(structure)
    frac = structure.frac_coords - np.floor(structure.frac_coords + ON_FACE)
    shifts = np.array(list(itertools.product(range(-1, repeat + 2), repeat=3)))
    images = (frac[None] + shifts[:, None]).reshape(-1, 3)  # [(repeat + 3)^3 * N, 3]
    atom = np.tile(np.arange(len(structure)), len(shifts))
    inside = ((images >= -ON_FACE) & (images <= repeat + ON_FACE)).all(axis=1)
    positions = images @ cell
    shown = np.flatnonzero(inside)
    if beyond:
        outside = np.flatnonzero(~inside)
        pairs = _bonds(positions[shown], shortest[atom[shown]], positions[outside], shortest[atom[outside]])
        shown = np.concatenate([shown, outside[np.unique(pairs[:, 1])]])
    bonds = _bonds(positions[shown], shortest[atom[shown]], positions[shown], shortest[atom[shown]])
    return Scene(
        cell=cell,
        numbers=np.array(structure.atomic_numbers)[atom[shown]],
        positions=positions[shown],
        atoms=atom[shown],
        bonds=bonds[(bonds[:, 0] < bonds[:, 1]) & (bonds[:, 0] < inside.sum())],
    )


def _shortest(structure: Structure) -> np.ndarray:
    """[N] distance of each atom to its nearest neighbour, periodic images included, Å."""
    distances = structure.distance_matrix + np.diag(np.full(len(structure), min(structure.lattice.abc)))
    return distances.min(axis=1)


def _bonds(first: np.ndarray, of_first: np.ndarray, second: np.ndarray, of_second: np.ndarray) -> np.ndarray:
    """[K, 2] near neighbours for both atoms: a large cation is not tied to all that surrounds it.

    Args:
        first, second: [P, 3] and [Q, 3] Å; an atom that is in both is its own neighbour.
        of_first, of_second: [P] and [Q] distance of each to its nearest neighbour, Å.
    """
    near = cKDTree(first).sparse_distance_matrix(cKDTree(second), LONGEST, output_type="ndarray")
    limit = BOND * np.minimum(of_first[near["i"]], of_second[near["j"]])
    pairs = np.stack([near["i"], near["j"]], axis=1)[near["v"] <= limit]
    return pairs[np.lexsort(pairs.T[::-1])]
