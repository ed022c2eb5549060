"""Elastic and piezoelectric tensors: what they say along a direction does not depend on notation or axes."""

import numpy as np
import pytest
from pymatgen.analysis.elasticity.elastic import ElasticTensor
from pymatgen.core.tensors import Tensor
from scipy.spatial.transform import Rotation

from engine.tensors import surfaces, voigt
from engine.tensors.axes import symmetry_average, turned
from engine.tensors.elasticity import is_stable, moduli, youngs_modulus
from engine.tensors.piezoelectricity import longitudinal

RNG = np.random.default_rng(7)
TURN = Rotation.random(random_state=7).as_matrix()
DIRECTIONS = RNG.normal(size=(50, 3))
DIRECTIONS /= np.linalg.norm(DIRECTIONS, axis=1, keepdims=True)
CORUNDUM = np.array([  # GPa, trigonal
    [497, 163, 116, -23, 0, 0], [163, 497, 116, 23, 0, 0], [116, 116, 501, 0, 0, 0],
    [-23, 23, 0, 147, 0, 0], [0, 0, 0, 0, 147, -23], [0, 0, 0, 0, -23, 167],
], dtype=float)  # fmt: skip


def cubic(c11: float, c12: float, c44: float) -> np.ndarray:
    matrix = np.diag([c11 - c12] * 3 + [c44] * 3)
    matrix[:3, :3] += c12
    return matrix


def turned_matrix(stiffness: np.ndarray, rotation: np.ndarray) -> np.ndarray:
    return voigt.stiffness_matrix(turned(voigt.stiffness_tensor(stiffness), rotation))


def test_voigts_notation_is_that_of_pymatgen_and_goes_back():
    np.testing.assert_array_equal(voigt.stiffness_tensor(CORUNDUM), Tensor.from_voigt(CORUNDUM))
    np.testing.assert_array_equal(voigt.stiffness_matrix(voigt.stiffness_tensor(CORUNDUM)), CORUNDUM)
    piezoelectric = RNG.normal(size=(3, 6))
    np.testing.assert_array_equal(voigt.piezoelectric_tensor(piezoelectric), Tensor.from_voigt(piezoelectric))
    np.testing.assert_array_equal(
        voigt.piezoelectric_matrix(voigt.piezoelectric_tensor(piezoelectric)), piezoelectric
    )


def test_strain_by_compliance_has_the_energy_that_stress_by_stiffness_has():
    strain = RNG.normal(size=(3, 3))
    strain = strain + strain.T
    stress = np.einsum("ijkl,kl->ij", voigt.stiffness_tensor(CORUNDUM), strain)
    back = np.einsum("ijkl,kl->ij", voigt.compliance_tensor(np.linalg.inv(CORUNDUM)), stress)
    np.testing.assert_allclose(back, strain, atol=1e-12)


def test_a_turn_and_its_inverse_leave_every_component_as_it_was():
    for tensor in (voigt.stiffness_tensor(CORUNDUM), voigt.piezoelectric_tensor(RNG.normal(size=(3, 6)))):
        np.testing.assert_allclose(turned(turned(tensor, TURN), TURN.T), tensor, atol=1e-9)


def test_the_average_over_a_group_is_what_the_group_leaves_as_it_is():
    group = np.array([np.diag(signs) for signs in ((1, 1, 1), (-1, -1, 1), (-1, 1, 1), (1, -1, 1))])  # mm2
    average = symmetry_average(voigt.piezoelectric_tensor(RNG.normal(size=(3, 6))), group)
    allowed = np.abs(voigt.piezoelectric_matrix(average)) > 1e-12
    np.testing.assert_array_equal(np.argwhere(allowed), [[0, 4], [1, 3], [2, 0], [2, 1], [2, 2]])


def test_an_isotropic_solid_has_one_youngs_modulus_and_no_anisotropy():
    bulk, shear = 76.0, 26.0
    stiffness = cubic(bulk + 4 * shear / 3, bulk - 2 * shear / 3, shear)
    found = moduli(stiffness)
    young = 9 * bulk * shear / (3 * bulk + shear)
    np.testing.assert_allclose(youngs_modulus(stiffness).values(DIRECTIONS), young)
    assert (found.bulk, found.shear, found.young) == pytest.approx((bulk, shear, young))
    assert found.anisotropy == pytest.approx(0, abs=1e-9)
    assert found.poisson == pytest.approx(young / 2 / shear - 1)


def test_a_cubic_crystal_has_the_youngs_modulus_of_the_textbook():
    """Nye, equation VIII.24: 1 / E = S11 - 2 (S11 - S12 - S44 / 2) (n1² n2² + n2² n3² + n3² n1²)."""
    stiffness = cubic(165.7, 63.9, 79.6)  # silicon, measured
    s = np.linalg.inv(stiffness)
    x, y, z = DIRECTIONS.T**2
    expected = 1 / (s[0, 0] - 2 * (s[0, 0] - s[0, 1] - s[3, 3] / 2) * (x * y + y * z + z * x))
    along = youngs_modulus(stiffness)
    np.testing.assert_allclose(along.values(DIRECTIONS), expected)
    assert (along.low, along.high) == pytest.approx((130.1, 187.8), abs=0.3)  # along [100] and [111]


def test_moduli_are_those_of_pymatgen_and_the_same_in_all_axes():
    theirs, found = ElasticTensor.from_voigt(CORUNDUM), moduli(turned_matrix(CORUNDUM, TURN))
    assert (found.bulk_voigt, found.bulk_reuss) == pytest.approx((theirs.k_voigt, theirs.k_reuss))
    assert (found.shear_voigt, found.shear_reuss) == pytest.approx((theirs.g_voigt, theirs.g_reuss))
    assert found.anisotropy == pytest.approx(theirs.universal_anisotropy)
    assert found.poisson == pytest.approx(theirs.homogeneous_poisson)


def test_a_turned_crystal_has_the_turned_youngs_modulus_and_the_same_extremes():
    here, there = youngs_modulus(CORUNDUM), youngs_modulus(turned_matrix(CORUNDUM, TURN))
    np.testing.assert_allclose(there.values(DIRECTIONS @ TURN.T), here.values(DIRECTIONS))
    assert (there.low, there.high) == pytest.approx((here.low, here.high), rel=1e-6)
    assert here.low <= here.values(DIRECTIONS).min()
    assert here.high >= here.values(DIRECTIONS).max()


def test_a_crystal_that_a_shear_does_not_cost_energy_is_not_stable():
    assert is_stable(CORUNDUM)
    assert not is_stable(cubic(100, 110, 50))


def test_zincblende_responds_most_along_its_body_diagonals_and_shear_counts_twice():
    piezoelectric = np.zeros((3, 6))
    piezoelectric[[0, 1, 2], [3, 4, 5]] = 0.15
    along = longitudinal(piezoelectric)
    np.testing.assert_allclose(along.values(DIRECTIONS), 6 * 0.15 * DIRECTIONS.prod(axis=1), atol=1e-12)
    assert (along.low, along.high) == pytest.approx((-0.3 / 3**0.5, 0.3 / 3**0.5))
    np.testing.assert_allclose(np.abs(surfaces.extremes(along.values)[1]), 3**-0.5, atol=1e-4)


def test_the_response_turns_with_the_crystal_and_is_opposite_the_other_way():
    piezoelectric = RNG.normal(size=(3, 6))
    there = longitudinal(voigt.piezoelectric_matrix(turned(voigt.piezoelectric_tensor(piezoelectric), TURN)))
    here = longitudinal(piezoelectric)
    np.testing.assert_allclose(there.values(DIRECTIONS @ TURN.T), here.values(DIRECTIONS), atol=1e-12)
    np.testing.assert_allclose(here.values(-DIRECTIONS), -here.values(DIRECTIONS))
    assert here.low == pytest.approx(-here.high)


def test_the_surface_of_a_signed_quantity_shows_its_size_and_keeps_its_sign():
    piezoelectric = np.zeros((3, 6))
    piezoelectric[2] = [-0.6, -0.6, 1.0, 0, 0, 0]
    drawn = surfaces.surface(longitudinal(piezoelectric))
    np.testing.assert_allclose(np.linalg.norm(drawn.vertices, axis=1), drawn.radii, atol=1e-12)
    np.testing.assert_allclose(np.abs(drawn.values), drawn.radii)
    assert drawn.values.min() == pytest.approx(-1)
    np.testing.assert_allclose(np.linalg.norm(drawn.normals, axis=1), 1)
