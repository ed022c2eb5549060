"""Which atoms of a periodic crystal are closer than a reach: two searches with the same answer.

torch_cluster searches a whole batch at once, on a GPU too where it was built for one. It is source code that has
to be compiled, so where it is missing, or built for another PyTorch, matscipy searches crystal by crystal.
Both give the same pairs; those that share an image come in another order, so sums over edges differ by rounding.
"""

from itertools import accumulate
from typing import NamedTuple

import numpy as np
import torch
from matscipy.neighbours import neighbour_list

try:
    from torch_cluster import radius
except (ImportError, OSError, RuntimeError):  # not there, built for another PyTorch, for another CUDA
    radius = None


class Points(NamedTuple):
    """Atoms of a batch of crystals, each within its own cell.

    inside [N, 3] fractional coordinates in [0, 1], pos [N, 3] = inside @ cell in Å, cell [B, 3, 3] Å of little
    skew, batch [N] crystal index, ascending.
    """

    inside: torch.Tensor
    pos: torch.Tensor
    cell: torch.Tensor
    batch: torch.Tensor


class Pairs(NamedTuple):
    """src [P] and dst [P] int64, and shift [P, 3] whole numbers in the type of the positions.

    Of a pair and its reverse, the one whose shift has a positive first component other than zero, or src < dst
    where it has none.
    """

    src: torch.Tensor
    dst: torch.Tensor
    shift: torch.Tensor


def by_torch_cluster(points: Points, reach: float) -> Pairs:
    """Every pair within `reach` (Å) once, by image of dst; a torch_cluster without CUDA searches on the CPU."""
    shift, image_of = _images(points, reach)
    image_batch = points.batch.index_select(0, image_of)
    image_pos = points.pos.index_select(0, image_of) + matmul_rows(shift, points.cell, image_batch)
    search = points.pos.device if torch.ops.torch_cluster.cuda_version() > 0 else "cpu"
    image, src = radius(
        points.pos.to(search),
        image_pos.to(search),
        reach,
        points.batch.to(search),
        image_batch.to(search),
        max_num_neighbors=int(torch.bincount(points.batch).max()),
    )
    image, src = image.to(points.pos.device), src.to(points.pos.device)
    dst, shift = image_of.index_select(0, image), shift.index_select(0, image)
    once = shift.any(1) | (src < dst)  # within the home cell, radius gives a pair and its reverse
    src, dst, shift = (x.index_select(0, once.nonzero()[:, 0]) for x in (src, dst, shift))
    return Pairs(src, dst, shift)


def by_matscipy(points: Points, reach: float) -> Pairs:
    """Every pair within `reach` (Å) once, sorted by dst, shift and src; on the CPU."""
    counts = torch.bincount(points.batch).tolist()
    found = []
    firsts = [0, *accumulate(counts[:-1])]
    for pos, cell, first in zip(points.pos.split(counts), points.cell, firsts, strict=True):
        src, dst, shift = _pairs_of_crystal(pos, cell, reach)
        found.append((src + first, dst + first, shift))
    src, dst, shift = (torch.cat(parts).to(points.pos.device) for parts in zip(*found, strict=True))
    return Pairs(src, dst, shift.to(points.pos.dtype))


candidate_pairs = by_matscipy if radius is None else by_torch_cluster


def matmul_rows(rows: torch.Tensor, matrices: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """Each row vector times its own matrix: [M, 3], [B, 3, 3], [M] -> [M, 3]."""
    return torch.bmm(rows[:, None], matrices.index_select(0, index))[:, 0]


def _pairs_of_crystal(
    pos: torch.Tensor, cell: torch.Tensor, reach: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    arrays = {"positions": pos.double().cpu().numpy(), "cell": cell.double().cpu().numpy()}
    src, dst, shift = neighbour_list("ijS", pbc=[True] * 3, cutoff=reach, **arrays)
    a, b, c = shift.T
    upper = (a > 0) | ((a == 0) & ((b > 0) | ((b == 0) & ((c > 0) | ((c == 0) & (src < dst))))))
    src, dst, shift = src[upper], dst[upper], shift[upper]
    order = np.lexsort((src, *shift.T[::-1], dst))
    src, dst, shift = (torch.from_numpy(x[order].astype(np.int64)) for x in (src, dst, shift))
    return src, dst, shift


def _images(points: Points, reach: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Shifts [M, 3] and atoms [M] of the periodic copies within reach (Å) of their own crystal's atoms.

    Only half of them: shifts whose first component other than zero is positive, and zero itself.
    """
    inside, _, cell, batch = points
    planes = reach * torch.linalg.inv(cell).norm(dim=1)  # [B, 3] in units of plane distances
    atoms = torch.bincount(batch)
    low = torch.segment_reduce(inside, "min", lengths=atoms) - planes
    high = torch.segment_reduce(inside, "max", lengths=atoms) + planes
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
