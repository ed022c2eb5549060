"""Intervals hold what they promise, and are wider where a prediction shows that it is harder."""

import numpy as np
import pytest

from engine.errors import EngineError
from engine.model.intervals import (
    HARD,
    SMALLEST_CLASS,
    Signs,
    calibrate,
    difference_bounds,
    held,
    intervals,
    levels,
    quantities,
)

TARGETS = ("electronic", "ionic", "total")


def world(count, seed=0):
    """DFT values and predictions whose error is in proportion to their spread."""
    rng = np.random.default_rng(seed)
    dft = np.sort(1 + rng.lognormal(1, 0.5, (count, 4)), axis=1)
    spread = rng.lognormal(-2.5, 0.8, (count, 1)) * np.ones((1, 4))
    values = dft * np.exp(2 * spread * rng.laplace(size=dft.shape))
    means = {"electronic": rng.lognormal(1.5, 0.6, count), "ionic": rng.lognormal(1, 1, count)}
    near = {"distance": rng.lognormal(0, 0.3, count), "gap": rng.lognormal(1, 0.5, count)}
    return Signs(values=values, spread=spread, **near, **means), dft


def part(signs, chosen):
    return Signs(**{name: array[chosen] for name, array in vars(signs).items()})


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("level", [0.5, 0.9])
def test_intervals_cover_new_crystals_as_often_as_their_level(target, level):
    calibration = calibrate(target, *world(4000))
    signs, dft = world(4000, seed=1)
    bounds = intervals(target, calibration, signs, level)
    covered = (bounds[..., 0] <= dft) & (dft <= bounds[..., 1])
    assert covered.mean(0) == pytest.approx(np.full(4, level), abs=0.03)


def test_easy_and_hard_crystals_are_covered_alike_by_intervals_of_different_width():
    calibration = calibrate("electronic", *world(4000))
    signs, dft = world(4000, seed=1)
    bounds = intervals("electronic", calibration, signs, 0.9)
    covered = (bounds[..., 0] <= dft) & (dft <= bounds[..., 1])
    hard = signs.spread[:, 0] > np.median(signs.spread[:, 0])
    assert covered[hard].mean() == pytest.approx(0.9, abs=0.04)
    assert covered[~hard].mean() == pytest.approx(0.9, abs=0.04)
    width = np.log(bounds[..., 1] / bounds[..., 0])
    assert np.median(width[hard]) > 2 * np.median(width[~hard])


def test_crystals_whose_low_symmetry_makes_them_harder_are_covered_as_often_as_others():
    signs, dft = world(4000)
    cubic = np.arange(4000) % 2 == 0
    signs.values[cubic] = signs.values[cubic, :1]  # all principal values equal
    dft[cubic] = dft[cubic, :1]
    dft[~cubic, 0] *= np.exp(0.5 * np.random.default_rng(3).laplace(size=2000))
    calibration = calibrate("total", part(signs, slice(0, 2000)), dft[:2000])
    level = levels("total", calibration, part(signs, slice(2000, None)), dft[2000:])[:, 0]
    for group in (cubic[2000:], ~cubic[2000:]):
        assert held(level[group], 0.9).mean() == pytest.approx(0.9, abs=0.04)


def test_a_class_that_difficulty_does_not_explain_is_covered_as_often_as_the_others():
    signs, dft = world(8000)
    soft = (signs.ionic > HARD) | (signs.electronic > HARD)
    rng = np.random.default_rng(4)
    heavy = rng.choice([0.05, 3.0], size=soft.sum())[:, None] * rng.uniform(size=(soft.sum(), 4))
    dft[soft] = signs.values[soft] * np.exp(heavy)
    calibration = calibrate("ionic", part(signs, slice(0, 4000)), dft[:4000])
    level = levels("ionic", calibration, part(signs, slice(4000, None)), dft[4000:])[:, 0]
    rest = soft[4000:]
    assert soft[:4000].sum() >= SMALLEST_CLASS
    assert held(level[rest], 0.9).mean() == pytest.approx(0.9, abs=0.06)
    assert held(level[~rest], 0.9).mean() == pytest.approx(0.9, abs=0.03)


def test_crystals_whose_neighbours_have_a_narrow_gap_are_covered_as_often_as_the_others():
    signs, dft = world(8000)
    narrow = np.arange(8000) % 10 == 0
    signs.gap[narrow] = 0.3
    rng = np.random.default_rng(4)
    heavy = rng.choice([0.05, 3.0], size=narrow.sum())[:, None] * rng.uniform(size=(narrow.sum(), 4))
    dft[narrow] = signs.values[narrow] * np.exp(heavy)
    calibration = calibrate("electronic", part(signs, slice(0, 4000)), dft[:4000])
    level = levels("electronic", calibration, part(signs, slice(4000, None)), dft[4000:])[:, 0]
    for group in (narrow[4000:], ~narrow[4000:]):
        assert held(level[group], 0.9).mean() == pytest.approx(0.9, abs=0.04)


def test_a_class_of_few_crystals_is_judged_among_all():
    signs, dft = world(200)
    signs.ionic[:] = 1.0
    signs.electronic[:] = 5.0
    signs.ionic[: SMALLEST_CLASS - 1] = 2 * HARD
    calibration = calibrate("total", signs, dft)
    assert calibration.ranked("large part").shape == (4, 200)
    signs.ionic[SMALLEST_CLASS - 1] = 2 * HARD
    assert calibrate("total", signs, dft).ranked("large part").shape == (4, SMALLEST_CLASS)


@pytest.mark.parametrize("count", [9, 19, 57])
def test_what_lies_inside_an_interval_is_what_its_level_says_also_where_ranks_are_whole(count):
    signs, dft = world(count)
    calibration = calibrate("total", signs, dft)
    others, values = world(200, seed=1)
    level = levels("total", calibration, others, values)
    for rank in range(1, count):
        asked = rank / (count + 1)
        bounds = intervals("total", calibration, others, asked)
        inside = (bounds[..., 0] <= values) & (values <= bounds[..., 1])
        assert np.array_equal(inside, held(level, asked))


@pytest.mark.parametrize("target", TARGETS)
def test_a_value_lies_in_the_interval_of_its_own_level_and_in_no_smaller_one(target):
    calibration = calibrate(target, *world(500))
    signs, dft = world(50, seed=2)
    level = levels(target, calibration, signs, dft)
    for index in np.flatnonzero((level > 0.02) & (level < 0.98))[:40]:
        crystal, quantity = divmod(int(index), 4)
        one, value = part(signs, [crystal]), dft[crystal, quantity]
        low, high = intervals(target, calibration, one, level[crystal, quantity] + 0.002)[0, quantity]
        assert low <= value <= high
        low, high = intervals(target, calibration, one, level[crystal, quantity] - 0.004)[0, quantity]
        assert not low <= value <= high


def test_no_interval_leaves_the_physical_range():
    for target, smallest in (("electronic", 1.0), ("ionic", 0.0)):
        calibration = calibrate(target, *world(100))
        tiny = part(world(1)[0], [0])
        tiny.values[:] = smallest + 0.1
        bounds = intervals(target, calibration, tiny, 0.95)
        assert (bounds[..., 0] >= smallest).all()
        assert (bounds[..., 1] > smallest + 0.1).all()


def test_a_level_that_the_crystals_cannot_support_is_refused():
    calibration, (signs, _) = calibrate("total", *world(20)), world(1)
    with pytest.raises(EngineError, match=r"level 0\.99 needs more than the 20 calibration crystals"):
        intervals("total", calibration, signs, 0.99)
    with pytest.raises(EngineError, match="level must be between 0 and 1"):
        intervals("total", calibration, signs, 90)


def test_quantities_are_the_mean_of_the_diagonal_and_the_principal_values():
    tensor = np.array([[3.0, 0.5, 0.0], [0.5, 2.0, 0.0], [0.0, 0.0, 7.0]])
    assert np.allclose(quantities(tensor), [4.0, *np.linalg.eigvalsh(tensor)])


def test_what_a_part_can_be_follows_from_the_sum_and_the_other_part():
    rng = np.random.default_rng(0)
    for _ in range(50):
        parts = [part @ part.T for part in rng.normal(size=(2, 3, 3))]
        (one, other), total = (quantities(part) for part in parts), quantities(sum(parts))
        width = np.array([-0.3, 0.3]) * rng.random()
        low, high = difference_bounds(total[:, None] + width, other[:, None] + width).T
        assert (low <= one + 1e-9).all()
        assert (one <= high + 1e-9).all()
