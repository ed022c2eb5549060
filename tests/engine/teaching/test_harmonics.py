"""Spherical harmonics, Clebsch-Gordan products, and what symmetry leaves of a sum over neighbours."""

import itertools
import re

import numpy as np
import pytest
import torch
from e3nn import o3
from numpy.polynomial.legendre import Legendre

from engine.errors import EngineError
from engine.teaching.equivariance import random_rotations
from engine.teaching.harmonics import (
    LMAX,
    NATURAL,
    POLYNOMIALS,
    clebsch_gordan,
    harmonics,
    is_natural,
    powers,
    selection_rule,
    sphere,
)

CORNERS = np.array(list(itertools.product((-1, 1), repeat=3)))
TETRAHEDRON = CORNERS[CORNERS.prod(axis=1) > 0]
OCTAHEDRON = np.vstack([np.eye(3), -np.eye(3)])
PRODUCTS = list(itertools.product(NATURAL, repeat=2))


def directions(count: int) -> np.ndarray:
    vectors = np.random.default_rng(0).normal(size=(count, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def value(polynomial: str, vectors: np.ndarray) -> np.ndarray:
    """A name like "x(3z²−x²)" computed as the polynomial that it is."""
    code = re.sub(r"(?<=[\w²)])(?=[xyz(])", "*", polynomial).replace("²", "**2").replace("−", "-")
    return eval(code, dict(zip("xyz", vectors.T, strict=True))) * np.ones(len(vectors))  # noqa: S307, our own text


@pytest.mark.parametrize("ell", range(LMAX + 1))
def test_each_harmonic_is_the_polynomial_that_it_is_called(ell: int) -> None:
    vectors = directions(50)
    for name, drawn in zip(POLYNOMIALS[ell], harmonics(ell, vectors).T, strict=True):
        factor = drawn / value(name, vectors)
        np.testing.assert_allclose(factor, factor[0], rtol=1e-9)


@pytest.mark.parametrize("ell", range(LMAX + 1))
def test_harmonics_of_a_degree_turn_among_themselves(ell: int) -> None:
    vectors = directions(20)
    rotation = random_rotations(1, 0)[0]
    # e3nn's matrices hold in single precision
    wigner = o3.Irrep(ell, (-1) ** ell).D_from_matrix(torch.as_tensor(rotation)).numpy()
    np.testing.assert_allclose(harmonics(ell, vectors @ rotation.T), harmonics(ell, vectors) @ wigner.T, atol=1e-5)


def test_the_grid_covers_the_whole_sphere_with_unit_vectors() -> None:
    grid = sphere()
    np.testing.assert_allclose(np.linalg.norm(grid, axis=-1), 1)
    np.testing.assert_allclose(grid[:, 0], grid[:, -1], atol=1e-12)
    np.testing.assert_allclose(grid[[0, -1], 0], [[0, 0, 1], [0, 0, -1]], atol=1e-12)


@pytest.mark.parametrize(("first", "second"), PRODUCTS)
def test_the_allowed_irreps_account_for_every_pair_of_components(first: str, second: str) -> None:
    allowed = [clebsch_gordan(first, second, third) for third in selection_rule(first, second)]
    change = np.concatenate([values.reshape(len(values), -1) for values in allowed])
    assert change.shape == (len(change), len(change))
    np.testing.assert_allclose(change @ change.T, np.eye(len(change)), atol=1e-9)


@pytest.mark.parametrize(("first", "second"), PRODUCTS)
def test_parities_multiply(first: str, second: str) -> None:
    odd = [irrep.endswith("o") for irrep in (first, second)]
    assert {irrep[-1] for irrep in selection_rule(first, second)} == {"o" if sum(odd) == 1 else "e"}


def test_two_vectors_make_their_scalar_and_their_vector_product() -> None:
    first, second = directions(2)
    scalar, vector = (
        np.einsum("kij,i,j->k", clebsch_gordan("1o", "1o", ir), first, second) for ir in ("0e", "1e")
    )
    assert abs(scalar[0]) * 3**0.5 == pytest.approx(abs(first @ second))
    np.testing.assert_allclose(np.abs(vector) * 2**0.5, np.abs(np.cross(first, second)), atol=1e-12)


def test_a_vector_product_has_not_the_parity_of_a_harmonic() -> None:
    found = selection_rule("1o", "1o")
    assert found == ["0e", "1e", "2e"]
    assert [is_natural(irrep) for irrep in found] == [True, False, True]
    assert all(is_natural(irrep) for irrep in NATURAL)


def test_a_forbidden_product_is_refused_with_what_is_allowed() -> None:
    with pytest.raises(EngineError, match="0e"):
        clebsch_gordan("1o", "1o", "3e")


@pytest.mark.parametrize(
    ("vectors", "first"),
    [(TETRAHEDRON, 3), (OCTAHEDRON, 4), (CORNERS, 4)],
    ids=["tetrahedron", "octahedron", "cube"],
)
def test_a_cubic_site_looks_round_up_to_its_first_harmonic(vectors: np.ndarray, first: int) -> None:
    found = powers(vectors, 4)
    assert found[0] == pytest.approx(1)
    np.testing.assert_allclose(found[1:first], 0, atol=1e-12)
    assert found[first] > 0.1


def test_powers_follow_from_the_angles_between_neighbours_alone() -> None:
    vectors = 2.3 * directions(7)
    cosines = np.clip(vectors @ vectors.T / 2.3**2, -1, 1)
    expected = [Legendre.basis(ell)(cosines).mean() for ell in range(5)]
    np.testing.assert_allclose(powers(vectors, 4), expected, atol=1e-12)
    np.testing.assert_allclose(powers(vectors @ random_rotations(1, 3)[0].T, 4), expected, atol=1e-12)


def test_one_neighbour_has_the_largest_power_in_every_degree() -> None:
    np.testing.assert_allclose(powers(np.array([[0.3, -1.2, 2.0]]), 4), 1)
