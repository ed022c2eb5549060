"""Intervals hold what they promise."""

import numpy as np
import pytest

from engine.calibration import conformal_interval, conformal_scores
from engine.errors import EngineError


@pytest.mark.parametrize("target", ["electronic", "ionic", "total"])
@pytest.mark.parametrize("level", [0.5, 0.9])
def test_intervals_cover_new_crystals_as_often_as_their_level(target, level):
    rng = np.random.default_rng(0)
    dft = 1 + rng.lognormal(1, 0.5, 8000)
    predicted = dft * rng.lognormal(0, 0.2, 8000)
    scores = conformal_scores(target, predicted[:4000], dft[:4000])
    bounds = np.array([conformal_interval(target, p, scores, level) for p in predicted[4000:]])
    covered = (bounds[:, 0] <= dft[4000:]) & (dft[4000:] <= bounds[:, 1])
    assert covered.mean() == pytest.approx(level, abs=0.03)


def test_no_interval_leaves_the_physical_range():
    low, high = conformal_interval("electronic", 1.1, [1.0] * 50, 0.9)
    assert low == 1.0
    assert high > 1.1
    assert conformal_interval("ionic", 0.0, [1.0] * 50, 0.9)[0] == 0.0


def test_a_level_that_the_crystals_cannot_support_is_refused():
    with pytest.raises(EngineError, match=r"level 0\.99 needs more than the 20 calibration crystals"):
        conformal_interval("total", 5.0, [0.1] * 20, 0.99)
    with pytest.raises(EngineError, match="level must be between 0 and 1"):
        conformal_interval("total", 5.0, [0.1] * 20, 90)
