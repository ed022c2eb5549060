"""Symmetric 3x3 tensors as a network has them: by their irreps, and by their logarithm."""

from functools import lru_cache

import torch
from e3nn import o3
from torch.autograd.function import once_differentiable

IRREPS = "1x0e+1x2e"


@lru_cache
@torch.inference_mode(False)
def _basis(dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    parts = [(2 * ell + 1) ** 0.5 * o3.wigner_3j(ell, 1, 1, dtype=torch.float64) for ell in (0, 2)]
    return torch.cat(parts).to(dtype=dtype, device=device)  # [6, 3, 3]


def irreps_to_matrix(irreps: torch.Tensor) -> torch.Tensor:
    """Symmetric matrix [..., 3, 3] with the 1x0e+1x2e components [..., 6]; keeps the norm."""
    return torch.einsum("...k,kij->...ij", irreps, _basis(irreps.dtype, irreps.device))


def matrix_to_irreps(matrix: torch.Tensor) -> torch.Tensor:
    """1x0e+1x2e components [..., 6] of a symmetric matrix [..., 3, 3]; keeps the norm."""
    return torch.einsum("...ij,kij->...k", matrix, _basis(matrix.dtype, matrix.device))


class _SymmetricLog(torch.autograd.Function):
    """Source of the derivative, by Daleckii and Krein: Higham, Functions of Matrices (SIAM, 2008), chapter 3."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, matrix: torch.Tensor) -> torch.Tensor:
        values, axes = torch.linalg.eigh(matrix)
        ctx.save_for_backward(values, axes)
        return (axes * values.log()[..., None, :]) @ axes.mT

    @staticmethod
    @once_differentiable
    def backward(ctx: torch.autograd.function.BackwardCFunction, grad: torch.Tensor) -> torch.Tensor:
        values, axes = ctx.saved_tensors  # type: ignore[misc]  # however many were saved
        low = values[..., None, :]
        excess = values[..., :, None] / low - 1
        near = excess.abs() < 1e-6
        slope = torch.where(near, 1 - excess / 2, excess.log1p() / torch.where(near, 1.0, excess)) / low
        return axes @ (slope * (axes.mT @ (grad + grad.mT) @ axes)) @ axes.mT / 2


def symmetric_log(matrix: torch.Tensor) -> torch.Tensor:
    """Logarithm of symmetric positive [..., 3, 3]; unlike that of eigh, its derivative bears equal eigenvalues."""
    return _SymmetricLog.apply(matrix)
