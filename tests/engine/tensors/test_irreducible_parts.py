"""Any 3x3 matrix as its l = 0, 1 and 2 parts, and the directional surface of a tensor."""

import numpy as np
import pytest

from engine.teaching.equivariance import random_rotations
from engine.teaching.harmonics import sphere
from engine.tensors.tensors import along, irreducible_parts, mean, principal_values

MATRICES = np.random.default_rng(0).normal(size=(5, 3, 3))
ROTATION = random_rotations(1, 0)[0]


@pytest.mark.parametrize("matrix", MATRICES)
def test_the_parts_add_up_to_the_matrix_and_so_do_their_norms(matrix: np.ndarray) -> None:
    parts = irreducible_parts(matrix)
    np.testing.assert_allclose(sum(parts), matrix, atol=1e-12)
    assert sum(np.square(part).sum() for part in parts) == pytest.approx(np.square(matrix).sum())


@pytest.mark.parametrize("matrix", MATRICES)
def test_the_parts_never_mix_when_the_matrix_is_turned(matrix: np.ndarray) -> None:
    turned = irreducible_parts(ROTATION @ matrix @ ROTATION.T)
    for part, other in zip(irreducible_parts(matrix), turned, strict=True):
        np.testing.assert_allclose(ROTATION @ part @ ROTATION.T, other, atol=1e-12)


def test_each_part_lies_in_its_own_space() -> None:
    scalar, vector, rest = irreducible_parts(MATRICES[0])
    np.testing.assert_allclose(scalar, scalar[0, 0] * np.eye(3), atol=1e-12)
    np.testing.assert_allclose(vector, -vector.T, atol=1e-12)
    np.testing.assert_allclose(rest, rest.T, atol=1e-12)
    assert np.trace(rest) == pytest.approx(0, abs=1e-12)


def test_a_symmetric_matrix_has_no_vector_part() -> None:
    symmetric = MATRICES[1] + MATRICES[1].T
    np.testing.assert_array_equal(irreducible_parts(symmetric)[1], np.zeros((3, 3)))


def test_the_directional_surface_lies_between_the_principal_values_and_keeps_the_mean() -> None:
    tensor = MATRICES[2] @ MATRICES[2].T
    low, _, high = principal_values(tensor)
    radius = along(tensor, sphere())
    assert radius.min() >= low - 1e-9
    assert radius.max() <= high + 1e-9
    assert along(tensor, np.eye(3)).mean() == pytest.approx(mean(tensor))


def test_the_directional_surface_turns_with_its_tensor() -> None:
    tensor, directions = MATRICES[3] + MATRICES[3].T, sphere()
    turned = along(ROTATION @ tensor @ ROTATION.T, directions @ ROTATION.T)
    np.testing.assert_allclose(turned, along(tensor, directions), atol=1e-12)
