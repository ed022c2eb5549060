"""Nothing that judges a crystal has seen its formula; folds that calibrate an interval do not judge it."""

from dataclasses import replace

import numpy as np
import pytest

from engine.config import GraphConfig
from engine.data.datasets import load_dataset
from engine.data.folds import formula_folds, formula_rank, formulas_of_folds
from engine.data.parquet import write_materials
from engine.evaluation import cross_validation, layered
from engine.evaluation.cross_validation import cross_validate
from engine.evaluation.held_out import fold_jobs
from engine.evaluation.layered import set_aside_layered
from engine.evaluation.learning_curve import SHARES
from engine.model.checkpoint import load_checkpoint, save_checkpoint
from engine.model.out_of_fold import read_out_of_fold
from engine.prediction.predictor import Predictor
from engine.training.loop import start_training
from tests.engine.small import config, materials

FOLDS = 3
BESIDE = materials(70)[60:]  # known by their index alone


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluation")
    data = folder / "small.parquet"
    write_materials(data, materials())
    write_materials(folder / "index.parquet", [replace(m, electronic=None, ionic=None) for m in BESIDE])
    found = cross_validate(str(data), settings(folder), FOLDS, folder / "model", seeds=2, workers=1)
    return found, folder / "model"


def settings(folder):
    """Of the training of `judged`."""
    return config(epochs=2, index_data=str(folder / "index.parquet"))


def test_no_network_has_seen_a_formula_that_it_is_asked_about(judged, tmp_path):
    beside = {material.formula for material in BESIDE}
    left_out = formulas_of_folds(materials(), formula_folds(materials(), FOLDS), beside)
    jobs = fold_jobs("data", config(), left_out, tmp_path, seeds=2)
    networks = Predictor.load(judged[1], device="cpu")._checkpoint
    everything = beside | {material.formula for material in materials()}
    for job, trained_on in zip(jobs, networks.trained_on, strict=True):
        assert trained_on == everything - job.held_out
    assert len({job.config.seed for job in jobs}) == 2


def test_a_crystal_that_taught_by_its_index_alone_is_answered_by_networks_that_never_saw_its_formula(judged):
    predictor = Predictor.load(judged[1], device="cpu")
    for material in BESIDE:
        assert predictor.predict(material.structure, out_of_fold=True).held_out
        assert not predictor.predict(material.structure).held_out


def test_networks_of_a_model_are_judged_again_as_they_were_whatever_the_configuration(judged, tmp_path):
    data, other = str(judged[1].parent / "small.parquet"), GraphConfig(r_max=3.0)
    asked = replace(settings(judged[1].parent), graph=other)
    again = cross_validate(data, asked, FOLDS, tmp_path / "again", seeds=2, networks=judged[1], teach=False)
    assert again.metrics == judged[0].metrics


def test_a_model_of_an_earlier_version_whose_networks_all_saw_what_taught_beside_can_be_judged(judged, tmp_path):
    model, beside = load_checkpoint(judged[1]), {material.formula for material in BESIDE}
    known = {material.formula for material in materials()}
    trained_on = tuple(one | (beside - known) for one in model.trained_on)
    save_checkpoint(tmp_path / "earlier", replace(model, trained_on=trained_on), half=True)
    again = cross_validate(
        str(judged[1].parent / "small.parquet"), settings(judged[1].parent), FOLDS, tmp_path / "again", seeds=2,
        networks=tmp_path / "earlier", teach=False,
    )  # fmt: skip
    assert again.metrics == judged[0].metrics
    assert load_checkpoint(tmp_path / "again").trained_on == trained_on


def test_the_model_answers_out_of_fold_as_it_was_judged(judged):
    kept = read_out_of_fold(judged[1])
    predictor = Predictor.load(judged[1], device="cpu")
    for row in range(0, len(materials()), 10):
        prediction = predictor.predict(materials()[row].structure, out_of_fold=True)
        assert np.allclose(prediction.electronic, kept.tensors["electronic"][row], rtol=1e-4, atol=1e-5)
        assert prediction.held_out


def test_levels_and_intervals_of_a_fold_come_from_the_other_folds(judged, monkeypatch):
    kept, seen = read_out_of_fold(judged[1]), []
    calibrated = cross_validation.calibrated

    def spy(crystals, unseen, chosen):
        seen.append(set(unseen.fold[chosen].tolist()))
        return calibrated(crystals, unseen, chosen)

    monkeypatch.setattr(cross_validation, "calibrated", spy)
    data = str(judged[1].parent / "small.parquet")
    again = cross_validate(data, settings(judged[1].parent), FOLDS, judged[1], seeds=2)
    assert seen[:FOLDS] == [{1, 2}, {0, 2}, {0, 1}]
    assert again.metrics == judged[0].metrics
    inside = kept.level["electronic"] <= 0.9
    mean = np.array([np.trace(m.electronic) / 3 for m in materials()])
    low, high = kept.interval["electronic"].T
    assert np.array_equal(inside, (low <= mean) & (mean <= high))


def test_the_layered_crystals_teach_nothing_that_judges_them(tmp_path, monkeypatch):
    data = tmp_path / "small.parquet"
    write_materials(data, materials())
    flat = {m.formula for m in materials()[:6]}
    jobs = []

    def dimensionalities(name, progress):
        return [2 if material.formula in flat else 3 for material in load_dataset(name)]

    def record(todo, workers):
        jobs.extend(todo)
        raise InterruptedError

    monkeypatch.setattr(layered, "dimensionalities", dimensionalities)
    monkeypatch.setattr(layered, "train_networks", record)
    with pytest.raises(InterruptedError):
        set_aside_layered(str(data), replace(config(), index_data=str(data)), tmp_path)
    assert {job.config.model.readout for job in jobs} == {"mean", "dipoles"}
    assert all(job.held_out == flat for job in jobs)


def test_a_share_of_the_crystals_is_a_share_of_the_formulas_and_grows_with_it():
    taught = [start_training(materials(), (), config(share=share)).trained_on for share in (0.5, 1.0)]
    assert taught[0] < taught[1]
    assert taught[1] == {m.formula for m in materials()}
    ranks = [formula_rank(m.formula) for m in load_dataset("petousis-2017")]
    for share in SHARES:
        assert np.mean([rank < share for rank in ranks]) == pytest.approx(share, abs=0.04)
