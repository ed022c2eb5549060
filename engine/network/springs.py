"""Ions on springs: the lattice's susceptibility from Born charges and force constants.

Derivation. In a macroscopic field E (V/Å) the energy of a crystal whose atoms move by u_i is

    1/2 sum_ij u_i^T Phi_ij u_j - e sum_i E^T Z_i u_i,

with Z_i the Born charges, the derivative of the polarisation, and Phi the force constants at the zone centre in
zero macroscopic field (those of the transverse modes). The atoms rest where Phi u = e Z E, so the dipole moment of
the cell is e^2 Z^T Phi^-1 Z E, and over its volume V

    ionic = (e^2 / (epsilon_0 V)) Z^T Phi^-1 Z = UNIT / V sum over modes m of (Z^T w_m) (Z^T w_m)^T / k_m

with w_m and k_m the eigenvectors and eigenvalues of Phi. Masses drop out. No field moves a crystal as a whole: the
Z_i sum to zero (the acoustic sum rule, kept here by taking their mean off), and translations, k = 0, stay out of
the sum. Then the tensor is symmetric and positive, does not depend on the cell chosen, and vanishes for a crystal
whose atoms all have the same Z: in diamond inversion takes one atom into the other and leaves Z as it is. Atoms
that a rotation makes equivalent have Z turned by it, and may answer: trigonal selenium does.

Modes that a potential makes too soft would rule the sum, and unstable ones, k < 0, have no rest position to speak
of: in DFT as in nature their response is small or of another phase. So k is replaced by the stiffness
sqrt(k^2 + SOFTEST^2), with UNSTABLE |k| for k where k < 0: a smooth function of the matrix, always positive.

A potential is too soft, by more at some atoms than at others. So its stiffness S is corrected by a symmetric,
positive matrix D_i of each atom, to D_i S_ij D_j; what the crystal's motion as a whole would then meet is taken
out again. This keeps the matrix symmetric and positive, and turns with the crystal. Another matrix of this form
leads from the force constants of one functional to those of another.
Source: Gonze and Lee, Phys. Rev. B 55, 10355 (1997), doi:10.1103/PhysRevB.55.10355, eqs. 53 and 54 at zero
frequency.
"""

from typing import Any

import torch
from torch_geometric.utils import scatter

from engine.network.constants import SOFTEST, UNIT, UNSTABLE
from engine.network.padding import atoms_present, matrix_blocks, padded_atoms, padded_pairs, to_matrix

TRANSLATION = 10.0  # eV/Å^2 put on the crystal's motion as a whole, on which nothing pulls


def stiffness(force_constants: torch.Tensor) -> torch.Tensor:
    """Stiffness of a crystal's springs, [N * N, 3, 3] float64 eV/Å^2, from force constants [3 N, 3 N].

    Row i * N + j couples atoms i and j. Nothing pulls on translations, all else is positive.
    """
    pairs = matrix_blocks(firm(force_constants.double()))
    present = torch.ones(1, len(pairs), dtype=torch.bool, device=pairs.device)
    return without_whole(pairs[None], present)[0].flatten(0, 1)


def firm(matrix: torch.Tensor) -> torch.Tensor:
    """The symmetric matrix with its eigenvalues k replaced by their stiffness, [..., m, m]; differentiable."""
    return _Firm.apply(matrix)


def held(k: torch.Tensor) -> torch.Tensor:
    """Stiffness of modes with eigenvalues k, eV/Å^2."""
    return ((_slope(k) * k).square() + SOFTEST**2).sqrt()


def _slope(k: torch.Tensor) -> torch.Tensor:
    return torch.where(k < 0, UNSTABLE, 1.0)


class _Firm(torch.autograd.Function):
    """The derivative of a function of a symmetric matrix, by divided differences of its eigenvalues.

    Source: Higham, Functions of Matrices, SIAM (2008), theorem 3.11 (Daleckii and Krein).
    """

    @staticmethod
    def forward(ctx: Any, matrix: torch.Tensor) -> torch.Tensor:
        """w f(k) w^T."""
        k, w = torch.linalg.eigh(matrix)
        f, slope = held(k), _slope(k)
        gap = k[..., :, None] - k[..., None, :]
        equal = gap.abs() < 1e-6 * (1 + k.abs()[..., :, None])
        derivative = slope.square() * k / f
        middle = (derivative[..., :, None] + derivative[..., None, :]) / 2
        difference = (f[..., :, None] - f[..., None, :]) / torch.where(equal, 1.0, gap)
        ctx.save_for_backward(w, torch.where(equal, middle, difference))
        return (w * f[..., None, :]) @ w.mT

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> torch.Tensor:
        """Of a symmetric gradient."""
        w, differences = ctx.saved_tensors
        grad = (grads[0] + grads[0].mT) / 2
        return w @ ((w.mT @ grad @ w) * differences) @ w.mT


def lattice_susceptibility(
    charges: torch.Tensor,
    correction: torch.Tensor,
    springs: torch.Tensor,
    crystal_index: torch.Tensor,
    volume: torch.Tensor,
) -> torch.Tensor:
    """Ionic tensor of each crystal, [B, 3, 3] float64.

    Args:
        charges: [N, 3, 3] Born charges in units of e, first axis the field, second the displacement; their mean
            over each crystal is taken off here.
        correction: [N, 3, 3], symmetric, positive: D of each atom.
        springs: `stiffness` of each crystal, one after the other.
        crystal_index: [N] crystal of each atom, ascending.
        volume: [B] Å^3 of the cells.
    """
    present = atoms_present(torch.bincount(crystal_index, minlength=len(volume)))
    stiffness = corrected(padded_pairs(springs.double(), present), correction, present)
    return susceptibility_of_pairs(charges, stiffness, crystal_index, volume)


def corrected(stiffness: torch.Tensor, correction: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
    """D_i S_ij D_j of padded stiffness [B, n, n, 3, 3] float64 and D of each atom, [N, 3, 3]."""
    own = padded_atoms(correction.double(), present)
    return own[:, :, None] @ stiffness @ own[:, None]


def susceptibility_of_pairs(
    charges: torch.Tensor, stiffness: torch.Tensor, crystal_index: torch.Tensor, volume: torch.Tensor
) -> torch.Tensor:
    """`lattice_susceptibility` of padded stiffness, [B, n, n, 3, 3] float64."""
    present = atoms_present(torch.bincount(crystal_index, minlength=len(volume)))
    charges = padded_atoms(neutral(charges.double(), crystal_index), present)  # [B, n, 3, 3]
    stiff = to_matrix(_held_as_a_whole(stiffness, present))  # [B, 3n, 3n]
    pull = charges.mT.flatten(1, 2)  # [B, 3n, 3]: the force on each atom along the rows
    moved = torch.cholesky_solve(pull, torch.linalg.cholesky(stiff))
    tensor = UNIT * pull.mT @ moved / volume.double()[:, None, None]
    return (tensor + tensor.mT) / 2


def neutral(charges: torch.Tensor, crystal_index: torch.Tensor) -> torch.Tensor:
    """[N, 3, 3] charges less their mean over the atoms of each crystal."""
    mean = scatter(charges, crystal_index, dim=0, reduce="mean")
    return charges - mean[crystal_index]


def _held_as_a_whole(pairs: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
    """[B, n, n, 3, 3] blocks with TRANSLATION for what they say of a crystal's motion as a whole.

    Empty places, which hold no atom, get a spring of 1 each.
    """
    unit = torch.eye(3).to(pairs)
    both = (present[:, :, None] & present[:, None])[..., None, None]
    held = torch.where(both, TRANSLATION / present.sum(1)[:, None, None, None, None] * unit, 0)
    return without_whole(pairs, present) + held + on_diagonal(unit * ~present[..., None, None])


def without_whole(pairs: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
    """[B, n, n, 3, 3] blocks without what they say of a crystal's motion as a whole; rows add up to zero."""
    both = (present[:, :, None] & present[:, None])[..., None, None]
    count = present.sum(1)[:, None, None, None]
    row, column = pairs.sum(2) / count, pairs.sum(1) / count  # [B, n, 3, 3]
    whole = (row.sum(1, keepdim=True) / count)[:, :, None]  # [B, 1, 1, 3, 3]
    return torch.where(both, pairs - row[:, :, None] - column[:, None] + whole, 0)


def on_diagonal(blocks: torch.Tensor) -> torch.Tensor:
    """[B, n, 3, 3] -> [B, n, n, 3, 3], block i in the place of the pair i, i."""
    return torch.einsum("bixy,ij->bijxy", blocks, torch.eye(blocks.shape[1]).to(blocks))
