"""Symmetric tensors as irreps: another way to write the same, which turns as spherical harmonics do."""

import numpy as np
import pytest
import torch
from e3nn import o3

from engine.tensors import tensors
from engine.tensors.irreps import IRREPS, irreps_to_matrix, matrix_to_irreps
from tests.engine.tensors.test_tensors import random_symmetric


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-14), (torch.float32, 1e-6)])
def test_irreps_and_matrix_are_two_ways_to_write_one_tensor(dtype, tolerance):
    matrix = torch.tensor(random_symmetric(1, 50), dtype=dtype)
    irreps = matrix_to_irreps(matrix)
    assert irreps.shape == (50, 6)
    torch.testing.assert_close(irreps_to_matrix(irreps), matrix, atol=tolerance, rtol=0)
    norms = torch.linalg.matrix_norm(matrix)
    torch.testing.assert_close(torch.linalg.vector_norm(irreps, dim=1), norms, atol=5 * tolerance, rtol=0)


def test_irreps_of_a_dyad_are_spherical_harmonics_of_its_vector():
    """Dyads span the symmetric tensors, so that the irreps turn as spherical harmonics do."""
    x = torch.nn.functional.normalize(torch.tensor(np.random.default_rng(2).normal(size=(20, 3))), dim=1)
    irreps = matrix_to_irreps(x[:, :, None] * x[:, None, :])
    harmonics = o3.spherical_harmonics(IRREPS, x, normalize=True, normalization="norm")
    expected = torch.cat([harmonics[:, :1] / 3**0.5, harmonics[:, 1:] * (2 / 3) ** 0.5], 1)
    torch.testing.assert_close(irreps, expected, atol=1e-14, rtol=0)


def test_first_irrep_is_the_mean_of_the_diagonal():
    matrix = random_symmetric(3)[0]
    scalar = matrix_to_irreps(torch.tensor(matrix))[0].item()
    assert scalar == pytest.approx(np.sqrt(3) * tensors.mean(matrix))
