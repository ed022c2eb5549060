"""Coupled dipoles: the susceptibility of a crystal from the polarisabilities of its atoms.

Derivation. In a uniform macroscopic field E, atom i with the symmetric polarisability A_i (Å^3, 4 pi included:
p = A F in units where the dipole density is the polarisation) feels E and the field of all other dipoles:

    A_i^-1 p_i = E - sum_j T_ij p_j.

The dipole of an atom is smeared over a Gaussian of standard deviation sigma, and so is the field that it feels.
The polarisation at a wave vector G causes the longitudinal field -G (G . P) / G^2, and E is all of G = 0, hence

    T_ij = (1 / V) sum over G != 0 of (G G^T / G^2) exp(-G^2 sigma^2) cos(G . (r_i - r_j)).

With K = blockdiag(A_i^-1) + T the dipoles are K^-1 (E, E, ...), and their sum over the volume V gives

    chi = (1 / V) sum_ij [K^-1]_ij.

T is a sum of squares, its part i = j (the dipole's own smeared field) included: K is positive for any positive
A_i, no arrangement of atoms makes it singular, and chi is symmetric and positive. A supercell has the same chi,
thinner crystals have a smaller one, layers add up in parallel along them and in series across. One atom in a cubic
cell much wider than sigma obeys Clausius and Mossotti: chi = a / (1 - a / 3) with a = A / (1 + A S) / V, where
S = 1 / (24 pi^1.5 sigma^3) is the smeared dipole's own field.

Numerics. With R_i = A_i^(1/2), V chi = R^T (I + R T R)^-1 R =: R^T X, and the matrix has no eigenvalue below 1.
V chi = 2 R^T X - X^T (I + R T R) X is stationary in X: X needs no derivative, and its error counts squared.
Source: Applequist et al., J. Am. Chem. Soc. 94, 2952 (1972), doi:10.1021/ja00764a010 (coupled polarisabilities).
"""

import math

import torch

from engine.network.ewald import short_range
from engine.network.padding import atoms_present, padded_atoms, padded_pairs, to_matrix, to_pairs

NEGLIGIBLE = 1e-12  # of the largest term in the sum over G
LARGE = 100  # atoms; larger cells are solved one by one, by conjugate gradients
AT_ONCE = 1024  # waves; all of a large cell's do not fit into memory
WIDER = 0.1  # of a cell's edge: the width that makes waves and what they lack cost the same
RESIDUAL = 1e-9  # of conjugate gradients, relative


def dipole_field(pos: torch.Tensor, cell: torch.Tensor, sigma: float) -> torch.Tensor:
    """T of one crystal, [N * N, 3, 3] Å^-3 in float64: row i * N + j is minus the field at i of a dipole at j.

    Args:
        pos: [N, 3] Å.
        cell: [3, 3] Å, rows are lattice vectors.
        sigma: Å.
    """
    pos, cell = pos.double(), cell.double()
    tau = WIDER * float(torch.linalg.det(cell.detach()).abs()) ** (1 / 3)
    if tau < 1.5 * sigma or pos.requires_grad or cell.requires_grad:
        return to_pairs(_sum_over_waves(pos, cell, sigma))
    return to_pairs(_sum_over_waves(pos, cell, tau) + short_range(pos, cell, sigma, tau, NEGLIGIBLE))


def _sum_over_waves(pos: torch.Tensor, cell: torch.Tensor, sigma: float) -> torch.Tensor:
    """T of float64 positions and cell, [3N, 3N]."""
    wave = _waves(cell, math.sqrt(-math.log(NEGLIGIBLE)) / sigma)  # [G, 3]
    square = wave.square().sum(1)
    weight = 2 * torch.exp(-square * sigma**2) / torch.linalg.det(cell).abs()  # G and -G
    direction = wave * (weight / square).sqrt()[:, None]
    field = pos.new_zeros(3 * len(pos), 3 * len(pos))
    for some, along in zip(wave.split(AT_ONCE), direction.split(AT_ONCE), strict=True):
        phase = some @ pos.T  # [G, N]
        waves = torch.cat([phase.cos(), phase.sin()])[:, :, None] * along.repeat(2, 1)[:, None]  # [2G, N, 3]
        field = torch.addmm(field, waves.flatten(1).T, waves.flatten(1))  # [3N, 3N]
    return field


def _waves(cell: torch.Tensor, longest: float) -> torch.Tensor:
    """Reciprocal lattice vectors [G, 3] in 1/Å that are no longer than `longest`, one of each pair G and -G."""
    reach = (longest * torch.linalg.vector_norm(cell, dim=1) / (2 * math.pi)).floor().long().tolist()
    steps = torch.cartesian_prod(*(torch.arange(-n, n + 1, device=cell.device) for n in reach))
    steps = steps[len(steps) // 2 + 1 :].to(cell)  # the list is symmetric about zero
    wave = 2 * math.pi * steps @ torch.linalg.inv(cell).T
    return wave[wave.detach().square().sum(1) <= longest**2]


def susceptibility(
    root: torch.Tensor, field: torch.Tensor, crystal_index: torch.Tensor, volume: torch.Tensor
) -> torch.Tensor:
    """chi of each crystal, [B, 3, 3]; derivatives of first order are exact.

    Args:
        root: [N, 3, 3] Å^1.5, symmetric square root of each atom's polarisability.
        field: `dipole_field` of each crystal, one after the other.
        crystal_index: [N] crystal of each atom, ascending.
        volume: [B] Å^3 of the cells.
    """
    counts = torch.bincount(crystal_index, minlength=len(volume))
    of_pair = torch.repeat_interleave(counts.square())
    crystal = torch.arange(len(counts), device=counts.device)
    group = torch.where(counts > LARGE, -1 - crystal, counts.double().log2().ceil().long())  # of like size
    moment = torch.empty(len(volume), 3, 3, dtype=root.dtype, device=root.device)
    for size in group.unique():
        chosen = group == size
        polarised = _polarised(root[chosen[crystal_index]], field[chosen[of_pair]], counts[chosen])
        moment = moment.index_copy(0, crystal[chosen], polarised)
    return moment / volume[:, None, None]


def _polarised(root: torch.Tensor, field: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    """V chi of crystals padded to the largest of them, [B, 3, 3]."""
    present = atoms_present(counts)
    root = padded_atoms(root, present)  # R, [B, n, 3, 3]
    coupling = to_matrix(padded_pairs(field, present))  # T, [B, 3n, 3n]
    with torch.no_grad():
        solve = _cholesky if present.shape[1] <= LARGE else _conjugate_gradients
        dipoles = solve(root, coupling)  # X, [B, n, 3, 3]
    moments = (root @ dipoles).flatten(1, 2)  # R X, [B, 3n, 3]
    dipoles, root = dipoles.flatten(1, 2), root.flatten(1, 2)  # [B, 3n, 3]
    stiffness = dipoles.mT @ dipoles + moments.mT @ (coupling @ moments)  # [B, 3, 3]
    linear = root.mT @ dipoles  # [B, 3, 3]
    return linear + linear.mT - stiffness


def _cholesky(root: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
    """(I + R T R)^-1 R for R [B, n, 3, 3] and T [B, 3n, 3n]."""
    half = (root @ matrix.unflatten(1, (-1, 3))).flatten(1, 2)  # R T
    coupled = (root @ half.mT.unflatten(1, (-1, 3))).flatten(1, 2)
    coupled.diagonal(dim1=1, dim2=2).add_(1)
    return torch.cholesky_solve(root.flatten(1, 2), torch.linalg.cholesky(coupled)).view_as(root)


def _conjugate_gradients(root: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
    """The same without the matrix in full, each of the three columns on its own."""

    def apply(x: torch.Tensor) -> torch.Tensor:
        moments = (root @ x.view_as(root)).flatten(1, 2)
        return x + (root @ (matrix @ moments).view_as(root)).flatten(1, 2)

    wanted = root.flatten(1, 2)
    x, residual = torch.zeros_like(wanted), wanted
    step, square = residual, residual.square().sum(1, keepdim=True)
    smallest = RESIDUAL**2 * square.clamp(min=1e-300)
    for _ in range(wanted.shape[1]):
        if bool((square <= smallest).all()):
            break
        pushed = apply(step)
        length = square / (step * pushed).sum(1, keepdim=True).clamp(min=1e-300)
        x, residual = x + length * step, residual - length * pushed
        before, square = square, residual.square().sum(1, keepdim=True)
        step = residual + square / before.clamp(min=1e-300) * step
    return x.view_as(root)
