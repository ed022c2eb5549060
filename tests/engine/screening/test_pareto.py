"""The Pareto front holds every candidate that no other is better than, and no other."""

import numpy as np
import pytest

from engine.screening.pareto import front


def by_definition(x, y, sign_x, sign_y):
    x, y = sign_x * x, sign_y * y
    beaten = [((x >= a) & (y >= b) & ((x > a) | (y > b))).any() for a, b in zip(x, y, strict=True)]
    return set(np.flatnonzero(~np.array(beaten)))


@pytest.mark.parametrize("high_x", [True, False])
@pytest.mark.parametrize("high_y", [True, False])
@pytest.mark.parametrize("digits", [0, 1, 6])
def test_the_front_is_that_of_the_definition_with_ties_and_without(high_x, high_y, digits):
    x, y = np.random.default_rng(digits).normal(size=(2, 300)).round(digits)
    found = front(x, y, high_x=high_x, high_y=high_y)
    assert set(found) == by_definition(x, y, 1 if high_x else -1, 1 if high_y else -1)
    assert (np.diff(x[found]) >= 0).all()


def test_equal_points_are_on_the_front_together_and_unknown_ones_never():
    x = np.array([1.0, 1.0, np.nan, 5.0, 0.0])
    y = np.array([2.0, 2.0, 9.0, np.nan, 1.0])
    assert front(x, y).tolist() == [0, 1]
    assert front(np.array([]), np.array([])).tolist() == []
