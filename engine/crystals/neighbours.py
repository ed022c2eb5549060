"""Pairs of atoms closer than r_max, periodic images included: the edge rule of the whole package.

An edge runs from `src` to the image of `dst` in the cell `cell_shift` (messages flow src -> dst):

    edge_vec = pos[dst] - pos[src] + cell_shift @ cell,    TOLERANCE < |edge_vec| < r_max + TOLERANCE

which is pymatgen's `Structure.get_neighbor_list` to the last edge: an atom is a neighbour of its own images
but not of itself.
"""

from typing import NamedTuple

import torch

from engine.crystals.pair_search import Points, candidate_pairs, matmul_rows
from engine.errors import EngineError, check

TOLERANCE = 1e-8  # Å; pairs closer than this are the same atom
MARGIN = 1e-6  # Å searched beyond r_max, so that rounding loses no edge
MIN_VOLUME = 0.1  # Å^3 an atom, a tenth of the densest matter; the number of edges grows with the density
FEW, MOST_STEPS = 8, 1000  # in shortening a cell; those of all data sets need 5 at most
SHORTEST = 0.1  # Å, of a lattice vector; the number of images in a sphere grows as these get shorter
FARTHEST = 1e7  # Å, where float64 still has 1e-9 Å
REACH = 1e8  # Å, of sums of lattice vectors, of which an edge is the difference; 1e-8 Å are left
TOO_SKEWED = "the lattice vectors of a cell are too skewed to be shortened; give a reduced cell"
SKEWED = 0.51  # a lattice vector that leans further along another, in units of that one, can be shortened


class Edges(NamedTuple):
    """edge_index [2, E] int64, cell_shift [E, 3] int64 and edge_vec [E, 3] Å of a batch of crystals."""

    edge_index: torch.Tensor
    cell_shift: torch.Tensor
    edge_vec: torch.Tensor


def periodic_radius_graph(pos: torch.Tensor, cell: torch.Tensor, batch: torch.Tensor, r_max: float) -> Edges:
    """All edges of a batch of crystals by the rule above, crystal by crystal, each followed by its reverse.

    pair_search.py finds each pair once; the rule is applied here, so that it is the same by either search.

    Args:
        pos: [N, 3] Å, in any cell.
        cell: [B, 3, 3] Å.
        batch: [N] crystal index, ascending, every crystal with an atom.
        r_max: Å.

    Raises:
        EngineError: r_max is not positive, a position is not finite or far out, a cell is flat or has vectors that
            are all but opposite.
    """
    check(r_max > 0, f"r_max must be positive, got {r_max}")
    check(bool(torch.isfinite(pos).all()), "every position must be a finite number")
    check(
        bool((volume_per_atom(cell, batch) > MIN_VOLUME).all()),
        f"every cell must hold at least {MIN_VOLUME} Å^3 an atom; some lattice vectors lie in one plane",
    )
    check(
        max(float(cell.abs().max()), float(pos.abs().max())) <= FARTHEST,
        f"every lattice vector and position must lie within {FARTHEST:g} Å: further out, rounding moves atoms",
    )
    short, turn = _shortened(cell)
    check(float(turn.abs().max() * cell.abs().max()) <= REACH, TOO_SKEWED)
    check(
        bool((short.norm(dim=2) > SHORTEST).all()),
        f"an atom and its image in another cell must be at least {SHORTEST} Å apart; check the lattice vectors",
    )
    frac = torch.linalg.solve(short[batch].transpose(1, 2), pos)
    home = frac.floor()  # the cell that each atom was given in
    inside = frac - home
    points = Points(inside=inside, pos=matmul_rows(inside, short, batch), cell=short, batch=batch)
    src, dst, shift = candidate_pairs(points, r_max + MARGIN)
    crystal = batch.index_select(0, src)
    shift = matmul_rows(shift - home.index_select(0, dst) + home.index_select(0, src), turn, crystal)
    edge_vec = pos.index_select(0, dst) - pos.index_select(0, src) + matmul_rows(shift, cell, crystal)
    length = torch.linalg.vector_norm(edge_vec, dim=1)
    keep = ((length > TOLERANCE) & (length < r_max + TOLERANCE)).nonzero()[:, 0]
    src, dst, shift, edge_vec = (x.index_select(0, keep) for x in (src, dst, shift, edge_vec))
    return Edges(
        torch.stack([src, dst, dst, src], 1).view(-1, 2).T.contiguous(),
        torch.stack([shift, -shift], 1).view(-1, 3).to(torch.int64),
        torch.stack([edge_vec, -edge_vec], 1).view(-1, 3),
    )


def volume_per_atom(cell: torch.Tensor, batch: torch.Tensor) -> torch.Tensor:
    """[B] Å^3 of cells [B, 3, 3] with atoms of crystal index `batch` [N]."""
    return torch.linalg.det(cell).abs() / torch.bincount(batch, minlength=len(cell))


def _shortened(cell: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Less skewed cells [B, 3, 3] of the same lattices, and integer matrices with shortened = matrix @ cell.

    A lattice vector (row) that leans along another (column) by more than half of it loses multiples of it: that
    which leans most, and after `FEW` steps the shortest, as two short ones that are all but parallel would send a
    long one back and forth for ever.

    Raises:
        EngineError: it does not come to an end.
    """
    eye = torch.eye(3, dtype=cell.dtype, device=cell.device)
    short, turn = cell, eye.expand_as(cell)
    for number in range(MOST_STEPS):
        gram = short @ short.transpose(1, 2)
        squared = gram.diagonal(dim1=1, dim2=2)
        lean = (gram / squared[:, None] - eye).flatten(1)
        leaning = lean.abs() > SKEWED
        if not bool(leaning.any()):
            return short, turn
        first = -lean.abs() if number < FEW else squared.repeat_interleave(3, dim=1)  # the latter by row
        place = first.masked_fill(~leaning, torch.inf).argmin(1, keepdim=True)
        multiple = torch.where(leaning.gather(1, place), lean.gather(1, place).round(), 0.0)
        step = eye - torch.zeros_like(lean).scatter(1, place, multiple).view_as(cell)
        short, turn = step @ short, step @ turn
    raise EngineError(TOO_SKEWED)
