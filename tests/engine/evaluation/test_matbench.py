"""The matbench benchmark: the official folds, nothing of a test fold in its training, and a run that resumes."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.cli import main
from engine.config import IndexConfig
from engine.data.datasets import load_dataset
from engine.data.parquet import write_materials
from engine.errors import EngineError
from engine.evaluation.matbench import matbench
from engine.evaluation.matbench.index_data import IndexData, index_data, index_of
from engine.evaluation.matbench.index_kernel import kernel_latent
from engine.evaluation.matbench.index_network import network_latent, train_index_network
from engine.evaluation.matbench.matbench import DATA, FOLDS, ReadoutJob, official_folds, run_matbench
from engine.tensors.metrics import index_metrics
from tests.engine.small import materials

CPU = torch.device("cpu")
CONFIG = IndexConfig(width=8, crystal_width=8, epochs=2, seeds=2, device="cpu")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache folder of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def small(tmp_path, cache):
    """A data file of 20 crystals with a refractive index."""
    path = tmp_path / "small.parquet"
    write_materials(path, materials(20))
    return str(path)


def made_up(count: int, seed: int = 0) -> IndexData:
    """Crystals of two atoms whose polarisability is a function of the invariants."""
    invariants = torch.randn(2 * count, 5, generator=torch.Generator().manual_seed(seed))
    volume = torch.linspace(10, 30, count)
    latent = invariants[:, 0].view(count, 2).mean(1) / 2
    return IndexData(
        invariants=invariants,
        counts=torch.full((count,), 2),
        volume_per_atom=volume,
        n=index_of(latent, volume),
    )


def test_a_mean_of_the_training_fold_has_the_error_that_the_leaderboard_gives_it():
    n = np.array([material.n for material in load_dataset(DATA)])
    folds = official_folds(len(n))
    assert [len(fold) for fold in folds] == [953, 953, 953, 953, 952]
    errors = [np.abs(n[fold] - np.delete(n, fold).mean()).mean() for fold in folds]
    assert np.mean(errors) == pytest.approx(0.8088, abs=5e-5)


def test_every_crystal_is_tested_once():
    assert sorted(np.concatenate(official_folds(23))) == list(range(23))


def test_labels_of_the_test_fold_teach_nothing(small, tmp_path, monkeypatch):
    def latents(folder, changed):
        data = index_data(materials(20), CPU)
        n = data.n.clone()
        n[torch.as_tensor(official_folds(20)[0])] += changed
        monkeypatch.setattr(matbench, "_data", lambda name, device: replace(data, n=n))
        jobs = [ReadoutJob(data=small, config=CONFIG, fold=0, seed=seed, folder=folder) for seed in (None, 0)]
        for job in jobs:
            job.run()
        return [matbench.read_tensors(job.path)["latent"] for job in jobs]

    for one, other in zip(latents(tmp_path / "a", 0.0), latents(tmp_path / "b", 3.0), strict=True):
        assert torch.equal(one, other)


def test_a_benchmark_runs_to_the_end_and_a_second_call_trains_nothing(small, tmp_path, monkeypatch):
    report = run_matbench(CONFIG, tmp_path / "run", workers=1, data=small)
    assert report.all.count == 20
    assert len(report.fold_mae) == FOLDS
    assert report.mae == pytest.approx(np.mean(report.fold_mae))
    assert set(report.members) == {"kernel", "seed 0", "seed 1", "networks"}
    assert report.about["data_sha256"]
    assert "within 5 %" in matbench.matbench_table(report)
    monkeypatch.setattr(matbench.ReadoutJob, "run", lambda job: pytest.fail("trained again"))
    again = run_matbench(replace(CONFIG, blend=0.0), tmp_path / "run", workers=1, data=small)
    assert again.all.mae == pytest.approx(report.members["networks"].mae)


def test_a_changed_configuration_is_not_served_from_an_old_run(tmp_path):
    job = ReadoutJob(data=DATA, config=CONFIG, fold=0, seed=0, folder=tmp_path)
    assert replace(job, config=replace(CONFIG, epochs=3)).path != job.path
    assert replace(job, config=replace(CONFIG, seeds=9)).path == job.path


def test_crystals_whose_formula_training_knows_are_told_apart():
    folds = official_folds(10)
    formulas = [f"A{index}" for index in range(10)]
    formulas[folds[0][0]] = formulas[folds[1][0]] = "twin"
    new = matbench._new_formulas(formulas, folds)
    assert sorted(np.flatnonzero(~new)) == sorted([folds[0][0], folds[1][0]])


@pytest.mark.parametrize("readout", ["kernel", "network"])
def test_a_readout_learns_and_does_not_mind_a_wrong_label(readout):
    train, test = made_up(400), made_up(100, seed=1)
    train.n[::40] = 1.0
    config = replace(CONFIG, width=32, epochs=30)
    if readout == "kernel":
        latent = kernel_latent(train, test, config)
    else:
        latent = network_latent(train_index_network(train, config, 0), test)
    constant = (test.n - train.n.median()).abs().median()
    assert (index_of(latent, test.volume_per_atom) - test.n).abs().median() < constant / 2


def test_order_and_repetition_of_atoms_do_not_change_a_prediction():
    data = made_up(6)
    network = train_index_network(data, CONFIG, 0)
    turned = replace(data, invariants=data.invariants.view(6, 2, 5).flip(1).flatten(0, 1))
    twice = replace(
        data, invariants=data.invariants.view(6, 2, 5).repeat(1, 2, 1).flatten(0, 1), counts=2 * data.counts
    )
    for other in (turned, twice):
        assert torch.allclose(network_latent(network, other), network_latent(network, data), atol=1e-5)


def test_an_index_is_judged_by_its_own_definition():
    metrics = index_metrics(np.array([2.0, 3.0, 6.0]), np.array([2.05, 2.0, 10.0]))
    assert metrics.mae == pytest.approx((0.05 + 1 + 4) / 3)
    assert metrics.mae_in_range == pytest.approx(1.05 / 2)
    assert metrics.within_in_range == pytest.approx(50)
    assert metrics.median == pytest.approx(1)


def test_seeds_and_data_are_checked(tmp_path, capsys):
    assert main(["evaluate", "--benchmark", "matbench", "--seeds", "0", "--device", "cpu"]) == 1
    assert "seeds must be at least 1" in capsys.readouterr().err
    few = tmp_path / "few.parquet"
    write_materials(few, [replace(m, electronic=None, n=None) for m in materials(20)[:6]])
    with pytest.raises(EngineError, match="every crystal must have an n"):
        run_matbench(CONFIG, tmp_path, data=str(few))
