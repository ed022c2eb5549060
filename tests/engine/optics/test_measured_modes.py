"""Measured infrared modes come with their source, and the predicted ones lie near them."""

import json

import numpy as np
import pytest

from engine.evaluation.results import results_file
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


def test_predicted_frequencies_of_halides_lie_within_a_fifth_of_the_measured_ones():
    rows = json.loads(results_file("measured_modes").read_text())["rows"]
    measured = {one.formula: one for one in measured_modes()}
    assert len(rows) >= 15
    for row in rows:
        known = measured[row["formula"]]
        assert row["TO, measured"] == pytest.approx(known.transverse)
        assert abs(row["TO"] / known.transverse - 1) < 0.2
        assert abs(row["LO"] / known.longitudinal - 1) < 0.2
    ratios = [row["TO"] / row["TO, measured"] for row in rows]
    assert np.median(ratios) < 1  # PBE makes these crystals too large, and so too soft
