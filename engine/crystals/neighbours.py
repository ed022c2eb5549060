"""Pairs of atoms closer than r_max, periodic images included: the edge rule of the whole package.

An edge runs from `src` to the image of `dst` in the cell `cell_shift` (messages flow src -> dst):

    edge_vec = pos[dst] - pos[src] + cell_shift @ cell,    TOLERANCE < |edge_vec| < r_max + TOLERANCE

which is pymatgen's `Structure.get_neighbor_list` to the last edge: an atom is a neighbour of its own images
but not of itself.
"""

from typing import NamedTuple

import torch
from torch_cluster import radius

from engine.errors import check

TOLERANCE = 1e-8  # Å; pairs closer than this are the same atom
MARGIN = 1e-6  # Å searched beyond r_max, so that rounding loses no edge
MIN_VOLUME = 0.1  # Å^3 an atom, a tenth of the densest matter; the number of edges grows with the density
SKEWED = 0.51  # a lattice vector that leans further along another, in units of that one, can be shortened


class Edges(NamedTuple):
    """edge_index [2, E] int64, cell_shift [E, 3] int64 and edge_vec [E, 3] Å of a batch of crystals."""

    edge_index: torch.Tensor
    cell_shift: torch.Tensor
    edge_vec: torch.Tensor


def periodic_radius_graph(pos: torch.Tensor, cell: torch.Tensor, batch: torch.Tensor, r_max: float) -> Edges:
    """All edges of a batch of crystals by the rule above, crystal by crystal, each followed by its reverse.

    Atoms are copied into half of the cells that r_max can reach and torch_cluster finds the pairs; the other
    half are the reverses of these. A torch_cluster built without CUDA searches on the CPU.

    Args:
        pos: [N, 3] Å, in any cell.
        cell: [B, 3, 3] Å.
        batch: [N] crystal index, ascending, every crystal with an atom.
        r_max: Å.

    Raises:
        EngineError: r_max is not positive, a position is not finite or a cell is flat.
    """
    check(r_max > 0, f"r_max must be positive, got {r_max}")
    check(bool(torch.isfinite(pos).all()), "every position must be a finite number")
    check(
        bool((volume_per_atom(cell, batch) > MIN_VOLUME).all()),
        f"every cell must hold at least {MIN_VOLUME} Å^3 an atom; some lattice vectors lie in one plane",
    )
    short, turn = _shortened(cell)
    frac = torch.linalg.solve(short[batch].transpose(1, 2), pos)
    home = frac.floor()  # the cell that each atom was given in
    shift, image_of = _images(frac - home, short, batch, r_max)
    wrapped = _matmul(frac - home, short, batch)
    image_batch = batch.index_select(0, image_of)
    image_pos = wrapped.index_select(0, image_of) + _matmul(shift, short, image_batch)
    image, src = _pairs(image_pos, image_batch, wrapped, batch, r_max)
    dst, shift = image_of.index_select(0, image), shift.index_select(0, image)
    once = shift.any(1) | (src < dst)  # within the home cell, radius gives a pair and its reverse
    src, dst, shift = (x.index_select(0, once.nonzero()[:, 0]) for x in (src, dst, shift))
    crystal = batch.index_select(0, src)
    shift = _matmul(shift - home.index_select(0, dst) + home.index_select(0, src), turn, crystal)
    edge_vec = pos.index_select(0, dst) - pos.index_select(0, src) + _matmul(shift, cell, crystal)
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


def _matmul(rows: torch.Tensor, matrices: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """Each row vector times its own matrix: [M, 3], [B, 3, 3], [M] -> [M, 3]."""
    return torch.bmm(rows[:, None], matrices.index_select(0, index))[:, 0]


def _shortened(cell: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Less skewed cells [B, 3, 3] of the same lattices, and integer matrices with shortened = matrix @ cell.

    A lattice vector (row) that leans along another (column) by more than half of it loses multiples of it.
    """
    eye = torch.eye(3, dtype=cell.dtype, device=cell.device)
    short, turn = cell, eye.expand_as(cell)
    while True:
        gram = short @ short.transpose(1, 2)
        lean = (gram / gram.diagonal(dim1=1, dim2=2)[:, None] - eye).flatten(1)
        size, place = lean.abs().max(1, keepdim=True)
        if not bool((size > SKEWED).any()):
            return short, turn
        multiple = torch.where(size > SKEWED, lean.gather(1, place).round(), 0.0)
        step = eye - torch.zeros_like(lean).scatter(1, place, multiple).view_as(cell)
        short, turn = step @ short, step @ turn


def _images(
    inside: torch.Tensor, cell: torch.Tensor, batch: torch.Tensor, r_max: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Shifts [M, 3] and atoms [M] of the periodic copies that r_max may reach from their own crystal's atoms.

    Only half of them: shifts whose first component other than zero is positive, and zero itself.

    Args:
        inside: [N, 3] fractional coordinates in [0, 1].
    """
    reach = (r_max + MARGIN) * torch.linalg.inv(cell).norm(dim=1)  # [B, 3] in units of plane distances
    atoms = torch.bincount(batch)
    low = torch.segment_reduce(inside, "min", lengths=atoms) - reach
    high = torch.segment_reduce(inside, "max", lengths=atoms) + reach
    start = (low[batch] - inside).ceil()  # [N, 3] lowest shift of each atom
    start[:, 0] = 0
    span = ((high[batch] - inside).floor() - start + 1).to(torch.int32)
    copies = span.prod(1)
    image_of = torch.repeat_interleave(copies)
    number = torch.arange(len(image_of), device=cell.device) - (copies.cumsum(0) - copies)[image_of]
    number, span = number.to(torch.int32), span.index_select(0, image_of)
    steps = [number // (span[:, 2] * span[:, 1]), number // span[:, 2] % span[:, 1], number % span[:, 2]]
    shift = start.index_select(0, image_of) + torch.stack(steps, 1)
    a, b, c = shift.unbind(1)
    half = ((a > 0) | (b > 0) | ((b == 0) & (c >= 0))).nonzero()[:, 0]
    return shift.index_select(0, half), image_of.index_select(0, half)


def _pairs(
    image_pos: torch.Tensor, image_batch: torch.Tensor, pos: torch.Tensor, batch: torch.Tensor, r_max: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Image [P] and atom [P] of every pair of one crystal within r_max, and of a few slightly further."""
    search = pos.device if torch.ops.torch_cluster.cuda_version() > 0 else "cpu"
    image, atom = radius(
        pos.to(search),
        image_pos.to(search),
        r_max + MARGIN,
        batch.to(search),
        image_batch.to(search),
        max_num_neighbors=int(torch.bincount(batch).max()),
    )
    return image.to(pos.device), atom.to(pos.device)
