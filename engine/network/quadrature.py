"""W^T f(A) W of a large symmetric matrix A and a few columns W, without the eigenvectors of A.

Block Lanczos: an orthonormal basis V of W, A W, A^2 W, ... makes A the small matrix H = V^T A V. With W = V R,

    W^T f(A) W = R^T f(H) R,

exact for polynomials f of up to twice the degree that V holds. Smooth functions are near such ones: what no longer
changes while the basis grows by a quarter is taken, and where that does not come soon, all eigenvectors are found.
The basis is made orthogonal to itself twice, which keeps rounding from finding the same vector again.
Source: Golub and Meurant, Matrices, Moments and Quadrature with Applications (Princeton University Press, 2010),
chapters 3 and 8.
"""

from collections.abc import Callable

import torch

CONVERGED = 1e-10  # change of W^T f(A) W relative to its largest entry
FIRST_LOOK = 16  # steps
LARGEST_BASIS = 1 / 3  # of A's size; beyond it all eigenvectors cost no more

Function = Callable[[torch.Tensor], torch.Tensor]


def quadratic_form(matrix: torch.Tensor, columns: torch.Tensor, function: Function) -> torch.Tensor:
    """W^T f(A) W, [c, c].

    Args:
        matrix: A, [m, m] float64, symmetric.
        columns: W, [m, c] float64.
        function: f, of eigenvalues of A.
    """
    size, width = columns.shape
    vector, first = torch.linalg.qr(columns)
    basis, projected, look, before = vector, [], FIRST_LOOK, None
    for step in range(1, int(LARGEST_BASIS * size / width) + 1):
        pushed = matrix @ vector
        projected.append(basis.mT @ pushed)
        if step == look:
            found = _of_projection(projected, first, function)
            if before is not None and (found - before).abs().max() <= CONVERGED * found.abs().max():
                return found
            before, look = found, look * 5 // 4
        vector = _orthonormal(pushed - basis @ projected[-1], basis)
        basis = torch.cat([basis, vector], 1)
    values, vectors = torch.linalg.eigh(matrix)
    inside = vectors.mT @ columns
    return inside.mT @ (function(values)[:, None] * inside)


def _of_projection(projected: list[torch.Tensor], first: torch.Tensor, function: Function) -> torch.Tensor:
    """R^T f(H) R; `projected` are the columns of H down to its diagonal blocks."""
    width = first.shape[1]
    small = first.new_zeros(width * len(projected), width * len(projected))
    for step, part in enumerate(projected):
        small[: len(part), step * width : (step + 1) * width] = part
    values, vectors = torch.linalg.eigh(small, UPLO="U")
    inside = vectors[:width].mT @ first
    return inside.mT @ (function(values)[:, None] * inside)


def _orthonormal(columns: torch.Tensor, basis: torch.Tensor) -> torch.Tensor:
    """An orthonormal basis of what columns have beside `basis`; of anything beside it where that is nothing."""
    for _ in range(2):
        columns = torch.linalg.qr(columns - basis @ (basis.mT @ columns))[0]
    return columns
