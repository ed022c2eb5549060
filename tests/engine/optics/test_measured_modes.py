"""Infrared modes of halides as their dispersion formulas have them, each with its source."""

import pytest

from engine.optics.measured_modes import measured_modes


def test_frequencies_and_limits_are_those_of_the_compilation():
    salt = next(one for one in measured_modes() if one.formula == "NaCl")
    assert salt.transverse == pytest.approx(1e4 / 60.98, rel=1e-4)
    assert salt.static == pytest.approx(5.9, abs=0.05)
    assert salt.electronic == pytest.approx(2.33, abs=0.02)
    assert salt.longitudinal**2 / salt.transverse**2 == pytest.approx(salt.static / salt.electronic)


def test_every_measurement_names_its_publication():
    assert len(measured_modes()) >= 20
    assert {one.doi for one in measured_modes()} == {"10.1063/1.555536", "10.1063/1.555616"}
