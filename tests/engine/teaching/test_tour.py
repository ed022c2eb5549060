"""Each crystal of the tour is what its sentences say, and the verdict is what the figures say."""

from dataclasses import replace

import numpy as np
import pytest

from engine.data.datasets import load_dataset
from engine.teaching.tour import STOPS, dft_figures, reason, verdict
from engine.tensors import tensors
from engine.tensors.axes import distinct_values
from engine.vibrations.curves import curves
from tests.engine import shipped


@pytest.fixture(scope="module")
def embedded():
    return load_dataset("petousis-2017")


@pytest.fixture(scope="module")
def shown(embedded):
    known = {m.material_id: m for m in embedded}
    return {known[stop.material_id].formula: known[stop.material_id] for stop in STOPS}


@pytest.fixture(scope="module")
def prediction(shown):
    return shipped.predictor().predict(shown["SiF4"], out_of_fold=True)


def test_there_are_seven_sound_crystals_each_with_a_reason_that_quotes_its_figures(embedded, shown):
    assert len(STOPS) == len(shown) == 7
    for stop, material in zip(STOPS, shown.values(), strict=True):
        assert not material.flags
        text = reason(stop, material)
        assert "{" not in text
        assert any(digit in text for digit in "0123456789")


def test_the_first_is_isotropic_and_has_the_smallest_tensor(embedded, shown):
    smallest = min(embedded, key=lambda m: tensors.mean(m.electronic))
    assert smallest is shown["SiF4"]
    assert tensors.optical_class(smallest.electronic, distinct_values(smallest.structure)) == "isotropic"


def test_the_ions_of_hafnia_do_most_of_the_work_and_its_principal_values_differ(shown):
    hafnia = shown["HfO2"]
    assert hafnia.crystal_system == "monoclinic"
    assert dft_figures(hafnia)["ionic_share"] > 50
    assert tensors.optical_class(hafnia.electronic, distinct_values(hafnia.structure)) == "biaxial"


@pytest.mark.parametrize(("formula", "target"), [("MoS2", "electronic"), ("ZrS2", "total")])
def test_the_layered_crystals_respond_more_within_their_layers(formula, target, shown):
    material = shown[formula]
    across = np.cross(material.cell[0], material.cell[1])  # the layers lie along a and b
    across /= np.linalg.norm(across)
    tensor = getattr(material, target)
    assert across @ tensor @ across == pytest.approx(tensors.principal_values(tensor)[0], rel=1e-4)


def test_ions_matter_in_one_layered_crystal_and_not_in_the_other(shown):
    assert dft_figures(shown["MoS2"])["ionic_share"] < 5
    assert dft_figures(shown["ZrS2"])["ionic_share"] > 50


def test_the_soft_perovskite_owes_its_size_to_the_ions(shown):
    found = dft_figures(shown["CsSnI3"])
    assert found["total"] > 100
    assert found["electronic"] < 10


def test_the_last_is_the_most_anisotropic_and_nearly_a_metal(embedded, shown):
    assert max(embedded, key=lambda m: tensors.anisotropy_ratio(m.electronic)) is shown["SrAgP"]
    assert shown["SrAgP"].band_gap < 0.2


def test_the_verdict_tells_on_which_side_a_prediction_errs_and_what_the_interval_holds(shown, prediction):
    material = shown["SiF4"]
    low, high = prediction.interval("electronic")
    for factor, words in ((1.0, "within 5 %"), (2.0, "50 % too low"), (0.5, "100 % too high")):
        truth = replace(material, electronic=factor * prediction.electronic)
        text = verdict(prediction, truth, "electronic")
        assert words in text.replace("\u00a0", " ")
        inside = low <= tensors.mean(truth.electronic) <= high
        assert ("holds" if inside else "misses") in text
    assert f"{low:.2f} to {high:.2f}" in text


def test_without_intervals_the_verdict_speaks_of_the_means_alone(shown, prediction):
    text = verdict(replace(prediction, calibration={}), shown["SiF4"], "electronic")
    assert "interval" not in text


def test_gallium_nitride_reflects_almost_all_light_between_its_two_frequencies(shown):
    found = shipped.predictor().predict(shown["GaN"], out_of_fold=True)
    (mark,) = curves(found.modes, found.structure.lattice.matrix, np.array([1.0]), 8.0)[0].marks
    middle = np.array([(mark.transverse + mark.longitudinal) / 2])
    assert mark.longitudinal - mark.transverse > 50
    assert curves(found.modes, found.structure.lattice.matrix, middle, 8.0)[0].reflectivity[0] > 0.9
