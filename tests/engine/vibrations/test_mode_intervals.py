"""Intervals of modes hold what they were calibrated to hold, and keep silent where they know nothing."""

import numpy as np
import pytest

from engine.errors import EngineError
from engine.vibrations.mode_intervals import calibrate, intervals
from engine.vibrations.modes import modes_of
from tests import crystals
from tests.engine import ions

IONIC = np.diag([4.0, 4, 5])


def modes(structure, seed=0):
    return modes_of(ions.drawn(structure, seed), np.arange(len(structure)), IONIC, None)


@pytest.fixture(scope="module")
def many():
    return [modes(crystals.triclinic(), seed) for seed in range(60)]


def truths(many, spread):
    rng = np.random.default_rng(1)
    return [
        (
            one.first(one.wavenumbers) * np.exp(spread * rng.normal(size=len(one.sets))),
            one.set_strengths * np.exp(spread * rng.normal(size=len(one.sets))),
        )
        for one in many
    ]


def test_intervals_hold_their_share_of_modes_that_they_were_not_calibrated_on(many):
    dft = truths(many, 0.1)
    calibration = calibrate(many[:40], [w for w, _ in dft[:40]], [s for _, s in dft[:40]])
    inside = []
    for one, (wavenumbers, strengths) in zip(many[40:], dft[40:], strict=True):
        found = intervals(one, calibration, 0.8)
        for bounds, value in ((found.wavenumber, wavenumbers), (found.strength, strengths)):
            known = np.isfinite(bounds[:, 0])
            inside += ((bounds[:, 0] <= value) & (value <= bounds[:, 1]))[known].tolist()
    assert 0.7 < np.mean(inside) < 0.9


def test_modes_that_light_does_not_see_have_no_interval(many):
    dft = truths(many, 0.1)
    calibration = calibrate(many, [w for w, _ in dft], [s for _, s in dft])
    zincite = modes(crystals.wurtzite())
    found = intervals(zincite, calibration, 0.8)
    seen = zincite.first(zincite.infrared)
    assert (np.isfinite(found.wavenumber[:, 0]) == seen).all()
    assert (np.isfinite(found.strength[:, 0]) == seen).all()
    assert 0 < seen.sum() < len(seen)


def test_a_level_that_the_calibration_cannot_give_is_refused(many):
    dft = truths(many[:2], 0.1)
    calibration = calibrate(many[:2], [w for w, _ in dft], [s for _, s in dft])
    with pytest.raises(EngineError, match="needs more than the"):
        intervals(many[0], calibration, 0.999)
    with pytest.raises(EngineError, match="between 0 and 1"):
        intervals(many[0], calibration, 1.5)
