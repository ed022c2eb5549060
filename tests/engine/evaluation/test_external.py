"""The external test judges crystals that no network can know, and asks for nothing twice."""

import numpy as np
import pytest

from engine.data.datasets import LARGEST_INDEX_CELL, load_dataset
from engine.data.parquet import write_materials
from engine.errors import EngineError
from engine.evaluation import external
from engine.evaluation.cross_validation import to_json
from engine.evaluation.external import external_table, external_test, judged, read_external, unknown_crystals
from engine.prediction.predictor import Predictor
from engine.training import jobs

MATBENCH = "matbench-dielectric"


@pytest.fixture(scope="module")
def scratch():
    return Predictor.load("e3nn-scratch", device="cpu")


@pytest.fixture
def few(scratch, tmp_path):
    """A data set of three crystals that the test judges and two that it leaves out."""
    materials = load_dataset(MATBENCH)
    chosen = [materials[index] for index in unknown_crystals(scratch, materials)]
    small = sorted(chosen, key=lambda material: material.natoms)[:3]
    others = [m for m in materials if m.natoms <= LARGEST_INDEX_CELL][:2]
    write_materials(tmp_path / "few.parquet", [*small, *others])
    return str(tmp_path / "few.parquet")


@pytest.mark.parametrize("model", ["e3nn-scratch", "sevennet-l3i5"])
def test_no_network_was_trained_on_a_formula_that_is_judged_and_no_such_cell_teaches(model):
    predictor, materials = Predictor.load(model, device="cpu"), load_dataset(MATBENCH)
    chosen = [materials[index] for index in unknown_crystals(predictor, materials)]
    assert len(chosen) > 500
    assert min(material.natoms for material in chosen) > LARGEST_INDEX_CELL
    for seen in predictor.trained_on:
        assert seen.isdisjoint(material.formula for material in chosen)


def test_a_perfect_prediction_has_no_error_and_lies_inside():
    materials = load_dataset(MATBENCH)[:5]
    square = np.array([material.n**2 for material in materials])
    report = judged(materials, np.stack([square, square - 0.1, square + 0.1], 1), {})
    whole = report.groups[0]
    assert (whole.count, whole.within, whole.inside) == (5, 100, 100)
    assert whole.median == pytest.approx(0)
    assert whole.mae == pytest.approx(0)


def test_a_permittivity_ten_percent_too_high_has_that_error_and_lies_outside_a_narrow_interval():
    materials = load_dataset(MATBENCH)[:5]
    high = 1.1 * np.array([material.n**2 for material in materials])
    whole = judged(materials, np.stack([high, high - 1e-3, high + 1e-3], 1), {}).groups[0]
    assert whole.median == pytest.approx(10)
    assert whole.inside == 0


def test_a_crystal_that_cannot_be_answered_is_named_and_counts_for_nothing():
    materials = load_dataset(MATBENCH)[:2]
    means = np.array([[materials[0].n ** 2] * 3, [np.nan] * 3])
    report = judged(materials, means, {})
    assert report.groups[0].count == 1
    assert report.refused == (materials[1].formula,)


def test_a_second_call_predicts_nothing_again_and_finds_the_same(few, tmp_path, monkeypatch):
    monkeypatch.setattr(external, "run_jobs", lambda todo, what, workers: [job.run() for job in todo])
    first = external_test(tmp_path / "kept", "e3nn-scratch", device="cpu", data=few)
    assert first.groups[0].count == 3
    monkeypatch.setattr(external, "run_jobs", jobs.run_jobs)
    monkeypatch.setattr(external.ChunkJob, "run", lambda job: pytest.fail("predicted again"))
    again = external_test(tmp_path / "kept", "e3nn-scratch", workers=1, device="cpu", data=few)
    assert again.groups == first.groups
    assert "over 24 atoms" not in external_table(again)
    path = tmp_path / "external.json"
    path.write_text(to_json(first))
    assert read_external(path) == first


def test_an_interrupted_call_goes_on_with_what_is_left(few, tmp_path, monkeypatch):
    def run_two_and_stop(todo, what, workers):
        for job in todo[:2]:
            job.run()
        raise KeyboardInterrupt

    kept = tmp_path / "kept"
    monkeypatch.setattr(external, "ATOMS_A_CHUNK", 1)
    monkeypatch.setattr(external, "run_jobs", run_two_and_stop)
    with pytest.raises(KeyboardInterrupt):
        external_test(kept, "e3nn-scratch", device="cpu", data=few)
    before = {path.name: path.stat().st_mtime_ns for path in kept.iterdir()}
    assert len(before) == 2
    monkeypatch.setattr(external, "run_jobs", jobs.run_jobs)
    assert external_test(kept, "e3nn-scratch", workers=1, device="cpu", data=few).groups[0].count == 3
    after = {path.name: path.stat().st_mtime_ns for path in kept.iterdir()}
    assert len(after) == 3
    assert before.items() <= after.items()


def test_code_that_changes_while_it_runs_does_not_own_what_the_old_code_predicted(few, tmp_path, monkeypatch):
    code = ["old"]

    def run(todo, what, workers):
        for job in todo:
            code[0] = "new"
            job.run()

    monkeypatch.setattr(external, "code_fingerprint", lambda parts: code[0])
    monkeypatch.setattr(external, "run_jobs", run)
    external_test(tmp_path, "e3nn-scratch", device="cpu", data=few)
    (old,) = tmp_path.glob("external-*")
    external_test(tmp_path, "e3nn-scratch", device="cpu", data=few)
    assert len(list(tmp_path.glob("external-*"))) == 2
    assert old.is_file()


def test_without_such_a_crystal_there_is_nothing_to_judge(tmp_path):
    small = [m for m in load_dataset(MATBENCH) if m.natoms <= 4][:3]
    write_materials(tmp_path / "small.parquet", small)
    with pytest.raises(EngineError, match="holds no crystal of over 24 atoms"):
        external_test(tmp_path, "e3nn-scratch", device="cpu", data=str(tmp_path / "small.parquet"))


def test_a_report_that_is_missing_is_none_and_a_damaged_one_is_refused(tmp_path):
    assert read_external(tmp_path / "external.json") is None
    (tmp_path / "external.json").write_text('{"groups": [{}]}')
    with pytest.raises(EngineError, match="is damaged; measure it again"):
        read_external(tmp_path / "external.json")
