"""Crystals of different size in one tensor: blocks of atoms and of pairs of atoms, padded with zeros.

A batch of crystals comes flat, one crystal after the other: [N, 3, 3] blocks of atoms, and [P, 3, 3] blocks of
pairs, row i * n + j of a crystal with n atoms for its atoms i and j. Padded, both have room for the largest one.
"""

import torch


def atoms_present(counts: torch.Tensor) -> torch.Tensor:
    """[B, n] bool: which of the n places of each crystal hold an atom; `counts` [B] atoms, the largest n."""
    return torch.arange(int(counts.max()), device=counts.device) < counts[:, None]


def padded_atoms(blocks: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
    """[N, 3, 3] -> [B, n, 3, 3], zero where no atom is."""
    return blocks.new_zeros(*present.shape, 3, 3).masked_scatter(present[..., None, None], blocks)


def padded_pairs(blocks: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
    """[P, 3, 3] -> [B, n, n, 3, 3], zero where one of the two atoms is missing."""
    both = present[:, :, None] & present[:, None]
    room = blocks.new_zeros(*both.shape, 3, 3)
    return room.masked_scatter(both[..., None, None], blocks)


def to_matrix(pairs: torch.Tensor) -> torch.Tensor:
    """[B, n, n, 3, 3] blocks -> [B, 3n, 3n], row 3 i + a and column 3 j + b for atoms i, j and axes a, b."""
    return pairs.transpose(2, 3).flatten(3).flatten(1, 2)


def matrix_blocks(matrix: torch.Tensor) -> torch.Tensor:
    """[..., 3n, 3n] -> blocks [..., n, n, 3, 3], what `to_matrix` undoes."""
    return matrix.unflatten(-1, (-1, 3)).unflatten(-3, (-1, 3)).transpose(-3, -2)


def to_pairs(matrix: torch.Tensor) -> torch.Tensor:
    """[3n, 3n] of one crystal -> its flat blocks [n * n, 3, 3]."""
    return matrix_blocks(matrix).flatten(0, 1)
