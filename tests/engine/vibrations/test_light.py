"""Light at the surface of a crystal and in it."""

import numpy as np
import pytest

from engine.errors import EngineError
from engine.vibrations.light import absorption, index_along, loss, reflectivity

X, Y, Z = np.eye(3)


def constant(tensor):
    return np.asarray(tensor, dtype=complex)[None]


def test_an_isotropic_crystal_reflects_by_fresnels_formula():
    index = 1.5 + 0.3j
    epsilon = constant(index**2 * np.eye(3))
    assert index_along(epsilon, Z, X + Y) == pytest.approx(index)
    assert reflectivity(epsilon, Z, X) == pytest.approx(abs((index - 1) / (index + 1)) ** 2)


def test_light_between_two_axes_comes_back_as_the_sum_of_its_parts():
    epsilon = constant(np.diag([2.0, 4 + 1j, 9]))
    parts = [reflectivity(epsilon, Z, axis)[0] for axis in (X, Y)]
    assert reflectivity(epsilon, Z, X + Y) == pytest.approx(np.mean(parts))


def test_a_wave_that_leans_to_the_optic_axis_has_the_extraordinary_index():
    ordinary, extraordinary, angle = 1.5, 1.7, np.radians(30)
    epsilon = constant(np.diag([ordinary**2, ordinary**2, extraordinary**2]))
    direction = np.array([np.sin(angle), 0, np.cos(angle)])
    found = index_along(epsilon, direction, np.array([np.cos(angle), 0, -np.sin(angle)]))
    expected = (np.cos(angle) ** 2 / ordinary**2 + np.sin(angle) ** 2 / extraordinary**2) ** -0.5
    assert found == pytest.approx(expected)
    assert index_along(epsilon, direction, Y) == pytest.approx(ordinary)


def test_a_crystal_reflects_everything_between_its_transverse_and_longitudinal_frequency():
    assert reflectivity(constant(np.diag([-3.0, 2, 2])), Z, X) == pytest.approx(1)


def test_power_falls_by_the_absorption_coefficient():
    assert absorption(np.array([100.0]), np.array([2 + 0.5j])) == pytest.approx(4 * np.pi * 100 * 0.5)


def test_the_loss_function_is_largest_where_the_permittivity_vanishes():
    values = np.linspace(-1, 1, 21) + 0.1j
    found = loss(values[:, None, None] * np.eye(3), X)
    assert found.argmax() == 10
    assert found[10] == pytest.approx(10)


def test_light_polarised_along_its_way_is_refused():
    with pytest.raises(EngineError, match=r"at a right angle to its direction, got 45\.0 degrees"):
        reflectivity(constant(np.eye(3)), Z, Z + X)
