"""Ewald's splitting of the field of smeared dipoles, for large cells: fewer waves, and a rest of short range.

With dipoles smeared by a larger tau in place of sigma, the sum over waves in dipoles.py ends sooner. It lacks

    (1 / V) sum over G of (G G^T / G^2) (exp(-G^2 sigma^2) - exp(-G^2 tau^2)) cos(G . r),

has no gap at G = 0, so by Poisson's formula it is the sum over lattice vectors R of D_sigma - D_tau at r + R, with

    D_s(r) = -grad grad (erf(r / 2s) / (4 pi r)) = -b(r) I + (rho(r) + 3 b(r)) r r^T / r^2,
    rho(r) = exp(-r^2 / 4 s^2) / (4 pi s^2)^(3/2),    b(r) = (2 s^2 rho(r) - erf(r / 2s) / (4 pi r)) / r^2,

and b(0) = -rho(0) / 3. Far from both the two D are the field of one and the same point dipole.
Source: Ewald, Ann. Phys. 369, 253 (1921), doi:10.1002/andp.19213690304.
"""

import math

import torch

from engine.network.padding import to_matrix

ROWS_AT_ONCE = 128  # atoms whose distances to all others are looked at together


def short_range(
    pos: torch.Tensor, cell: torch.Tensor, sigma: float, tau: float, negligible: float
) -> torch.Tensor:
    """What the field by `tau` lacks of that by `sigma`, [3N, 3N] Å^-3 in float64.

    Args:
        pos: [N, 3] Å.
        cell: [3, 3] Å.
        sigma, tau: Å.
        negligible: share of a dipole's own field that does not count.
    """
    frac = pos @ torch.linalg.inv(cell)
    pos = (frac - frac.floor()) @ cell
    reach = 2 * tau * math.sqrt(-math.log(negligible))
    shifts = _half_of_lattice(cell, reach)
    parts = [_of_rows(rows, pos, shifts, reach, sigma, tau) for rows in pos.split(ROWS_AT_ONCE)]
    matrix = to_matrix(torch.cat(parts)[None])[0]
    return matrix + matrix.T  # what -R does is the transposed of what R does


def _of_rows(
    rows: torch.Tensor, pos: torch.Tensor, shifts: torch.Tensor, reach: float, sigma: float, tau: float
) -> torch.Tensor:
    """[n, N, 3, 3]: the sum over half of the lattice for the atoms at `rows`, [n, 3]."""
    found = pos.new_zeros(len(rows) * len(pos), 9)
    for shift in shifts:
        weight = 1.0 if shift.any() else 0.5
        near = (torch.cdist(rows - shift, pos) < reach).flatten().nonzero()[:, 0]
        if len(near):
            apart = (rows - shift)[near // len(pos)] - pos[near % len(pos)]
            found.index_add_(0, near, weight * _difference(apart, sigma, tau).flatten(1))
    return found.view(len(rows), len(pos), 3, 3)


def _difference(apart: torch.Tensor, sigma: float, tau: float) -> torch.Tensor:
    """D_sigma - D_tau, [P, 3, 3] of distances [P, 3]."""
    length = torch.linalg.vector_norm(apart, dim=1)
    (density, isotropic), (wide_density, wide_isotropic) = (_radial(length, width) for width in (sigma, tau))
    density, isotropic = density - wide_density, isotropic - wide_isotropic
    along = (density + 3 * isotropic) / length.square().clamp(min=1e-300)
    field = (along[:, None] * apart)[:, :, None] * apart[:, None]
    field.diagonal(dim1=1, dim2=2).sub_(isotropic[:, None])
    return field


def _radial(length: torch.Tensor, width: float) -> tuple[torch.Tensor, torch.Tensor]:
    """rho and b at distances [P]."""
    density = torch.exp(-(length**2) / (4 * width**2)) / (4 * math.pi * width**2) ** 1.5
    point = torch.erf(length / (2 * width)) / (4 * math.pi * length)
    return density, torch.where(length > 0, (2 * width**2 * density - point) / length**2, -density / 3)


def _half_of_lattice(cell: torch.Tensor, reach: float) -> torch.Tensor:
    """[R, 3] lattice vectors between points of a cell nearer than `reach`: zero, and one of each pair R and -R."""
    heights = 1 / torch.linalg.inv(cell).norm(dim=0)
    most = (reach / heights).ceil().long().tolist()
    steps = torch.cartesian_prod(*(torch.arange(-n, n + 1, device=cell.device) for n in most))
    return steps[len(steps) // 2 :].to(cell) @ cell  # the list is symmetric about zero
