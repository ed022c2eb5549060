"""Modes are judged by DFT's, those of one symmetry with each other, by networks that never saw the crystal."""

import numpy as np
import pytest

from engine.data.phonons import read_phonons
from engine.evaluation.mode_errors import dft_modes, mode_errors
from engine.network.constants import UNIT
from engine.vibrations.pairing import keys
from tests.engine import shipped
from tests.engine.small import write_phonons

SALTS = {(metal, halide): 1.1 for metal in ("Li", "Na", "K", "Rb") for halide in ("F", "Cl", "Br")}


@pytest.fixture(scope="module")
def salts(tmp_path_factory):
    return read_phonons(write_phonons(tmp_path_factory.mktemp("phonons"), SALTS))


def test_modes_of_a_phonon_data_base_are_held_by_nothing(salts):
    found = dft_modes(salts[0])
    charge = salts[0].born[0, 0, 0]
    volume = abs(np.linalg.det(salts[0].material.cell))
    assert found.set_strengths == pytest.approx([UNIT / volume * charge**2 / 4.0])
    assert keys(found) == [("T1u", 0)]


def test_errors_are_of_frequency_splitting_and_strength(salts):
    predictor = shipped.predictor()
    found, calibration = mode_errors(predictor, salts, "direct")
    assert (found.crystals, found.modes) == (12, 12)
    dft = [dft_modes(one) for one in salts]
    materials = [one.material for one in salts]
    asked = {"out_of_fold": True, "ionic_method": "direct", "functional": "PBEsol"}
    answers = predictor.predict_many(materials, batch_size=12, **asked)
    predicted = [one.modes for one in answers]
    gaps = [abs(a.wavenumbers[0] - b.wavenumbers[0]) for a, b in zip(predicted, dft, strict=True)]
    assert found.infrared_frequency == pytest.approx(np.median(gaps))
    strengths = [abs(a.set_strengths[0] / b.set_strengths[0] - 1) for a, b in zip(predicted, dft, strict=True)]
    assert found.strength == pytest.approx(100 * np.median(strengths))
    split = [
        abs(
            (a.longitudinal([0, 0, 1])[-1] - a.wavenumbers[0]) / (b.longitudinal([0, 0, 1])[-1] - b.wavenumbers[0])
            - 1
        )
        for a, b in zip(predicted, dft, strict=True)
    ]
    assert found.splitting == pytest.approx(100 * np.median(split))
    assert sum(map(len, calibration.frequency)) == sum(map(len, calibration.strength)) == 12
