"""Symmetric tensors: principal values and optical classes of crystals that everyone knows."""

import numpy as np
import pytest

from engine.tensors import tensors

# At 589 nm: calcite and quartz by Ghosh (1999), diamond by Peter (1923), all in refractiveindex.info; topaz,
# called positive, and orthoclase, called negative, in Encyclopædia Britannica (1911), Crystallography.
CALCITE = np.diag([2.750, 2.750, 2.209])  # n_o = 1.6583, n_e = 1.4861
QUARTZ = np.diag([2.385, 2.385, 2.413])  # n_o = 1.5442, n_e = 1.5533
DIAMOND = 5.843 * np.eye(3)  # n = 2.4173
TOPAZ = np.diag([2.599, 2.608, 2.632])  # 1.6120, 1.6150, 1.6224
ORTHOCLASE = np.diag([2.307, 2.322, 2.329])  # 1.5190, 1.5237, 1.5260


def random_symmetric(seed: int, size: int = 1) -> np.ndarray:
    return tensors.symmetrise(np.random.default_rng(seed).normal(size=(size, 3, 3)))


def turned(tensor: np.ndarray, seed: int) -> np.ndarray:
    rotation = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
    return rotation @ tensor @ rotation.T


@pytest.mark.parametrize(
    ("electronic", "distinct", "expected"),
    [
        (CALCITE, 2, "uniaxial negative"),
        (QUARTZ, 2, "uniaxial positive"),
        (TOPAZ, 3, "biaxial"),
        (DIAMOND, 1, "isotropic"),
    ],
    ids=["calcite", "quartz", "topaz", "diamond"],
)
def test_optical_class_of_known_crystals_in_any_axes(electronic, distinct, expected):
    assert tensors.optical_class(electronic, distinct) == expected
    assert tensors.optical_class(turned(electronic, 4), distinct) == expected


def test_refractive_indices_and_birefringence_of_calcite():
    assert tensors.birefringence(CALCITE) == pytest.approx(1.658 - 1.486, abs=1e-3)
    np.testing.assert_allclose(tensors.principal_refractive_indices(CALCITE), [1.486, 1.658, 1.658], atol=1e-3)
    assert tensors.refractive_index(CALCITE) == pytest.approx(np.sqrt((2 * 2.750 + 2.209) / 3))


def test_scalars_are_the_same_in_any_axes():
    other = turned(TOPAZ, 5)
    for scalar in (tensors.mean, tensors.refractive_index, tensors.birefringence, tensors.anisotropy_ratio):
        assert scalar(other) == pytest.approx(scalar(TOPAZ), abs=1e-12)
    np.testing.assert_allclose(tensors.principal_values(other), np.diag(TOPAZ), atol=1e-12)


def test_anisotropy_ratio_is_largest_over_smallest():
    assert tensors.anisotropy_ratio(turned(np.diag([2.0, 6.0, 3.0]), 6)) == pytest.approx(3)


def test_symmetrise_keeps_the_symmetric_part_and_its_argument():
    matrix = np.random.default_rng(7).normal(size=(4, 3, 3))
    before = matrix.copy()
    symmetric = tensors.symmetrise(matrix)
    np.testing.assert_array_equal(symmetric, symmetric.swapaxes(1, 2))
    np.testing.assert_allclose(symmetric - matrix, -(symmetric - matrix).swapaxes(1, 2), atol=1e-15)
    np.testing.assert_array_equal(matrix, before)


# Principal indices and 2V of minerals: forsterite, Handbook of Mineralogy (Mineral Data Publishing, 2001);
# anhydrite and aragonite, mineral data sheets of the University of the Western Cape (mints.uwc.ac.za).
@pytest.mark.parametrize(
    ("indices", "angle", "tolerance"),
    [((1.570, 1.576, 1.614), 43, 2), ((1.530, 1.681, 1.686), 180 - 18, 2), ((1.635, 1.651, 1.670), 82, 5)],
    ids=["anhydrite", "aragonite", "forsterite"],
)
def test_angle_between_the_optic_axes_of_known_crystals_in_any_axes(indices, angle, tolerance):
    electronic = turned(np.diag(np.square(indices)), 8)
    assert tensors.optic_axial_angle(electronic) == pytest.approx(angle, abs=tolerance)


def test_the_angle_tells_positive_biaxial_crystals_from_negative_ones():
    assert tensors.optic_axial_angle(TOPAZ) < 90 < tensors.optic_axial_angle(ORTHOCLASE)


def test_light_along_an_optic_axis_meets_one_index_only():
    electronic = np.diag([2.0, 3.0, 5.0])
    half = np.radians(tensors.optic_axial_angle(electronic) / 2)
    along = np.array([np.sin(half), 0, np.cos(half)])  # both optic axes lie in the plane of n1 and n3
    across = np.linalg.svd(along[None])[2][1:]  # [2, 3] the plane of the wave
    np.testing.assert_allclose(across @ np.linalg.inv(electronic) @ across.T, np.eye(2) / 3, atol=1e-12)


def test_a_uniaxial_crystal_has_one_optic_axis():
    assert tensors.optic_axial_angle(QUARTZ) == pytest.approx(0, abs=1e-5)
    assert tensors.optic_axial_angle(CALCITE) == pytest.approx(180, abs=1e-5)


def test_diamond_reflects_a_sixth_of_the_light():
    np.testing.assert_allclose(tensors.reflectance(DIAMOND), 0.172, atol=1e-3)
