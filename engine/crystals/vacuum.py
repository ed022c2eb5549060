"""Structures that are not three-dimensional: sheets, chains and molecules in a box with vacuum around them.

Atoms belong together where the space between their van der Waals spheres is narrower than `EMPTY`. What belongs
together and meets itself again in another cell runs on without end along that step; the number of independent
steps is its dimensionality. Layers of graphite or MoS2 touch each other, and the crystal is three-dimensional; one
of them in a box with vacuum is a sheet.
Source of the idea: Larsen et al., Phys. Rev. Mater. 3, 034003 (2019), doi:10.1103/PhysRevMaterials.3.034003.
"""

from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Literal, NamedTuple

import numpy as np
import torch
from pymatgen.core import Element, Lattice, Structure
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import breadth_first_order, connected_components
from scipy.spatial.distance import cdist

from engine.crystals.material import MAX_Z, Crystal, structure_of
from engine.crystals.neighbours import periodic_radius_graph
from engine.crystals.primitive import primitive
from engine.tensors.polarisability import reduced

EMPTY = 2.5  # Å; between the layers and molecules of bulk crystals, as PBE relaxes them, it is 2.3 Å at most
UNKNOWN_RADIUS = 2.0  # Å
LARGEST_RADIUS = 2.2  # Å; larger ones are those of metals' atoms, and their ions are smaller

Dimensionality = Literal[0, 1, 2]
Kind = Literal["sheet", "chain", "molecule"]
KINDS: dict[Dimensionality, Kind] = {2: "sheet", 1: "chain", 0: "molecule"}


@dataclass(frozen=True, kw_only=True, eq=False)
class InVacuum:
    """What stands in the box of a structure that is not three-dimensional.

    Attributes:
        dimensionality: 2 a sheet, 1 a chain, 0 a molecule, or several together that the primitive cell holds.
        structure: the same in a primitive cell whose first `dimensionality` vectors run along it; its atoms lie
            together, wherever the cell that was given cuts it.
        piece: [N] which one of several sheets, chains or molecules each atom of `structure` belongs to.
        axes: [3, 3] orthonormal, in the structure's Cartesian axes: the first `dimensionality` rows lie along it,
            the others point into the vacuum.
        repeats: [3 - dimensionality, 3] Å, the lattice of its images across the vacuum.
        vacuum: Å, the least distance from its atoms to those of an image, measured across.
    """

    dimensionality: Dimensionality
    structure: Structure
    piece: np.ndarray
    axes: np.ndarray
    repeats: np.ndarray
    vacuum: float

    @property
    def kind(self) -> Kind:
        """What it is called."""
        return KINDS[self.dimensionality]


def in_vacuum(crystal: Crystal, empty: float = EMPTY) -> InVacuum | None:
    """What stands in the box; None for a three-dimensional crystal.

    Args:
        empty: Å, as `EMPTY`; below zero spheres overlap, as those of bonded atoms do, and what touches is apart.
    """
    if _pieces(structure_of(crystal), empty).rank == 3:
        return None
    structure = structure_of(primitive(crystal))
    found = _pieces(structure, empty)
    rank = found.rank
    if rank == 3:  # a distance at the very limit, moved by the averaging of images
        return None
    cell = _along_first(found.steps) @ structure.lattice.matrix
    axes = _axes(cell, rank)
    across = axes[rank:].T @ axes[rank:]  # projector
    cell[:rank] = reduced(cell[:rank]) @ cell[:rank]
    cell[rank:] = reduced(cell[rank:] @ across) @ cell[rank:]
    pos = (structure.frac_coords + found.home) @ structure.lattice.matrix
    whole = Structure(Lattice(cell), structure.species, _gathered(pos @ np.linalg.inv(cell), found.piece, rank))
    repeats = cell[rank:] @ across
    return InVacuum(
        dimensionality=rank,  # type: ignore[arg-type]  # 3 has gone
        structure=whole,
        piece=found.piece,
        axes=axes,
        repeats=repeats,
        vacuum=_width(whole.cart_coords @ across, repeats),
    )


@cache
def radii() -> np.ndarray:
    """Van der Waals radius of each element, Å, by atomic number."""
    known = [Element.from_Z(z).data.get("Van der waals radius") for z in range(1, MAX_Z + 1)]
    return np.array([0.0, *(min(LARGEST_RADIUS, float(r or UNKNOWN_RADIUS)) for r in known)])


class _Pieces(NamedTuple):
    """Atoms that belong together.

    Attributes:
        rank: of `steps`, 0 to 3.
        steps: [S, 3] int, cells in which a piece meets itself.
        piece: [N] that each atom belongs to.
        home: [N, 3] int, cell that each atom has to be in for its piece to hang together.
    """

    rank: int
    steps: np.ndarray
    piece: np.ndarray
    home: np.ndarray


def _pieces(structure: Structure, empty: float) -> _Pieces:
    radius, atoms = radii()[np.array(structure.atomic_numbers)], len(structure)
    cell, pos = (
        torch.from_numpy(structure.lattice.matrix.copy())[None],
        torch.from_numpy(structure.cart_coords.copy()),
    )
    edges = periodic_radius_graph(pos, cell, torch.zeros(atoms, dtype=torch.int64), 2 * radius.max() + empty)
    src, dst = edges.edge_index.numpy()
    near = np.linalg.norm(edges.edge_vec.numpy(), axis=1) < radius[src] + radius[dst] + empty
    pair, shift = (src * atoms + dst)[near], edges.cell_shift.numpy()[near]
    src, dst = src[near], dst[near]
    graph = csr_matrix((np.ones(len(src)), (src, dst)), (atoms, atoms))
    count, piece = connected_components(graph, directed=False)
    known, first = np.unique(pair, return_index=True)
    home = np.zeros((atoms, 3), dtype=int)
    for number in range(count):
        order, before = breadth_first_order(graph, int(np.argmax(piece == number)))
        steps = shift[first[np.searchsorted(known, before[order[1:]] * atoms + order[1:])]]
        for atom, step in zip(order[1:], steps, strict=True):
            home[atom] = home[before[atom]] + step
    steps = np.unique(home[src] + shift - home[dst], axis=0)
    return _Pieces(int(np.linalg.matrix_rank(steps)) if len(steps) else 0, steps, piece, home)


def _along_first(steps: np.ndarray) -> np.ndarray:
    """Integer matrix [3, 3] of determinant 1 or -1 whose first rows span what the integer rows [S, 3] span.

    Columns are combined by Euclid's algorithm until each step is a combination of the first ones.
    """
    columns, turn, place = steps.T.copy(), np.eye(3, dtype=int), 0  # columns = turn @ steps^T throughout
    for step in range(columns.shape[1]):
        while place < 3 and np.count_nonzero(columns[place:, step]) > 1:
            rest = np.abs(columns[place:, step])
            least = place + int(np.argmin(np.where(rest > 0, rest, rest.max() + 1)))
            times = columns[place:, step] // columns[least, step]
            times[least - place] = 0
            columns[place:] -= times[:, None] * columns[least]
            turn[place:] -= times[:, None] * turn[least]
        if place < 3 and columns[place:, step].any():
            other = place + int(np.flatnonzero(columns[place:, step])[0])
            columns[[place, other]], turn[[place, other]] = columns[[other, place]], turn[[other, place]]
            place += 1
    return np.rint(np.linalg.inv(turn).T)


def _axes(cell: np.ndarray, rank: int) -> np.ndarray:
    """Orthonormal rows [3, 3], of which the first `rank` span the first vectors of the cell."""
    along = np.linalg.svd(cell[:rank])[2] if rank else np.eye(3)
    return along * np.where(along.sum(1, keepdims=True) < 0, -1.0, 1.0)


def _gathered(frac: np.ndarray, piece: np.ndarray, rank: int) -> np.ndarray:
    """Fractional coordinates [N, 3] with each piece in the image nearest to the first one."""
    centres = np.array([frac[piece == number].mean(0) for number in range(piece.max() + 1)])
    moves = np.rint(centres - centres[0])
    moves[:, :rank] = 0
    return frac - moves[piece]


def _width(pos: np.ndarray, repeats: np.ndarray) -> float:
    """Least distance from positions across [N, 3] to those of an image, Å."""
    images = [np.array(n) @ repeats for n in product((-1, 0, 1), repeat=len(repeats)) if any(n)]
    return min(float(cdist(pos, pos + image).min()) for image in images)
