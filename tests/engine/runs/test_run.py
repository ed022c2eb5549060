"""A run is a process of its own that can be followed, stopped, killed and resumed."""

import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from engine import EngineError, Predictor, Run
from engine.config import BACKBONES, GraphConfig, ModelConfig, TrainConfig
from engine.files import read_tensors
from tests.engine.small import config, materials

SOON = 240  # s, on a busy machine


@pytest.fixture
def data(tmp_path):
    from engine.data.parquet import write_materials

    path = tmp_path / "small.parquet"
    write_materials(path, materials())
    return str(path)


def wait_until(condition):
    deadline = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.1)


def test_a_started_run_finishes_on_its_own_and_leaves_a_model(data, tmp_path, monkeypatch):
    monkeypatch.setenv("DIELECTRIC_RUNS", str(tmp_path / "runs"))
    run = Run.start(config(), data)
    assert run.state() in ("starting", "running")
    wait_until(lambda: run.state() == "finished")
    assert [run.folder] == [found.folder for found in Run.all()]
    assert [result.epoch for result in run.history()] == [1, 2, 3]
    assert run.seconds_left() == 0
    assert run.config == config()
    parity = run.parity()
    assert set(parity.target) == {"electronic", "ionic", "total"}
    prediction = Predictor.load(str(run.folder), device="cpu").predict(materials()[0].structure)
    assert prediction.total.shape == (3, 3)


def test_validation_shares_no_formula_with_training(data, tmp_path):
    run = Run.create(config(epochs=1), data, tmp_path / "run")
    run.work(lambda result: None)
    trained_on = Predictor.load(str(run.folder), device="cpu")._checkpoint.trained_on[0]
    assert trained_on.isdisjoint(run.parity().formula)


def test_stopping_keeps_what_finished_epochs_learnt(data, tmp_path):
    run = Run.start(config(epochs=500), data, tmp_path / "run")
    wait_until(lambda: len(run.history()) >= 2)
    run.stop()
    wait_until(lambda: run.state() == "stopped")
    assert run.has_model
    assert run.error() is None


def test_a_run_stopped_while_features_are_computed_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    pretrained = TrainConfig.for_backbone("pretrained", index_data="", device="cpu")
    run = Run.start(pretrained, "petousis-2017", tmp_path / "run")
    wait_until(lambda: run.features() is not None)
    run.stop()
    wait_until(lambda: run.state() == "stopped")
    assert run.error() is None
    done, total = run.features()
    assert done < total


def test_features_of_validation_crystals_are_counted_too(tmp_path, monkeypatch):
    from engine.data.parquet import write_materials

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    few = materials(12)
    write_materials(tmp_path / "few.parquet", few)
    model = ModelConfig(backbone="pretrained", targets=("electronic",), readout_width=16)
    asked = TrainConfig.for_backbone("pretrained", model=model, index_data="", epochs=1, device="cpu")
    run = Run.create(asked, str(tmp_path / "few.parquet"), tmp_path / "run")
    run.work(lambda result: None)
    assert run.features() == (12, 12)


def test_a_run_stopped_before_it_began_is_stopped_and_can_be_resumed(data, tmp_path):
    run = Run.start(config(epochs=1), data, tmp_path / "run")
    run.stop()
    assert run.state() == "stopped"
    assert run.error() is None
    assert run.work(lambda result: None) == "finished"


def test_a_run_says_that_it_is_stopping_until_it_has(data, tmp_path):
    run = Run.start(config(epochs=500), data, tmp_path / "run")
    wait_until(lambda: len(run.history()) >= 1)
    run.stop()
    states = []
    wait_until(lambda: states.append(run.state()) or states[-1] == "stopped")
    assert set(states) <= {"stopping", "stopped"}


def test_a_stopped_run_goes_on_in_a_new_process_to_its_end(data, tmp_path):
    run = Run.start(config(epochs=3), data, tmp_path / "run", title="mine")
    with pytest.raises(EngineError, match="being trained"):
        run.resume()
    run.stop()
    wait_until(lambda: run.state() == "stopped")
    run.resume()
    wait_until(lambda: run.state() == "finished")
    assert [result.epoch for result in run.history()] == [1, 2, 3]
    assert run.title == "mine"


def test_a_run_is_deleted_unless_it_is_being_trained(data, tmp_path):
    run = Run.start(config(epochs=500), data, tmp_path / "run")
    with pytest.raises(EngineError, match="stop it before"):
        run.delete()
    run.stop()
    wait_until(lambda: run.state() == "stopped")
    run.delete()
    assert not run.folder.exists()


def test_a_training_takes_as_long_as_the_last_one_like_it(data, tmp_path, monkeypatch):
    monkeypatch.setenv("DIELECTRIC_RUNS", str(tmp_path))
    assert Run.seconds_expected(config(epochs=4), data) is None
    run = Run.create(config(epochs=2), data)
    run.work(lambda result: None)
    seconds = [result.seconds for result in run.history()]
    expected, known = Run.seconds_expected(config(epochs=4), data)
    assert known
    assert expected == pytest.approx(2 * sum(seconds))
    wider = replace(config(epochs=4), model=replace(config(epochs=4).model, num_layers=6))
    assert Run.seconds_expected(wider, data) is None


@pytest.mark.parametrize("backbone", BACKBONES)
def test_how_long_the_usual_networks_take_is_known_roughly_before_any_was_trained(backbone, tmp_path, monkeypatch):
    monkeypatch.setenv("DIELECTRIC_RUNS", str(tmp_path))
    usual = TrainConfig.for_backbone(backbone, epochs=3)
    for asked in (usual, replace(usual, model=replace(usual.model, targets=("electronic",)))):
        seconds, known = Run.seconds_expected(asked, "petousis-2017")
        assert not known
        assert seconds == pytest.approx(3 * Run.seconds_expected(replace(usual, epochs=1), "petousis-2017")[0])
    longer = Run.seconds_expected(replace(usual, index_data="matbench-dielectric"), "petousis-2017")
    assert longer > Run.seconds_expected(replace(usual, index_data=""), "petousis-2017")
    assert Run.seconds_expected(replace(usual, graph=GraphConfig(r_max=4.0)), "petousis-2017") is None
    assert Run.seconds_expected(usual, "fetched.parquet") is None


def test_a_killed_run_has_failed_and_resumes_to_the_same_weights(data, tmp_path):
    whole = Run.create(config(epochs=6), data, tmp_path / "whole")
    whole.work(lambda result: None)
    killed = Run.create(config(epochs=6), data, tmp_path / "killed")
    command = [sys.executable, "-m", "engine", "train", "--resume", str(killed.folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        wait_until(lambda: len(killed.history()) >= 2)
        process.send_signal(signal.SIGKILL)
    assert killed.state() == "failed"
    assert "resume it" in killed.error()
    assert killed.work(lambda result: None) == "finished"
    assert [result.epoch for result in killed.history()] == [1, 2, 3, 4, 5, 6]
    ours, theirs = (read_tensors(run.folder / "weights.safetensors") for run in (whole, killed))
    assert all((ours[name] == theirs[name]).all() for name in ours)


def test_two_processes_cannot_train_the_same_run(data, tmp_path):
    run = Run.start(config(epochs=500), data, tmp_path / "run")
    wait_until(lambda: run.state() == "running")
    with pytest.raises(EngineError, match="another process is at work on it"):
        run.work(lambda result: None)
    run.stop()
    wait_until(lambda: run.state() == "stopped")


def test_changed_data_is_noticed(data, tmp_path):
    from engine.data.parquet import write_materials

    run = Run.create(config(), data, tmp_path / "run")
    write_materials(tmp_path / "small.parquet", materials()[:30])
    with pytest.raises(EngineError, match="has changed since this run began"):
        run.work(lambda result: None)
    assert run.state() == "failed"
    assert "has changed" in run.error()


def test_folders_that_hold_a_run_or_none_are_told_apart(data, tmp_path):
    Run.create(config(), data, tmp_path / "run")
    with pytest.raises(EngineError, match="holds a run already"):
        Run.create(config(), data, tmp_path / "run")
    with pytest.raises(EngineError, match="holds no training run"):
        Run.open(tmp_path)
    with pytest.raises(EngineError, match="no such data set"):
        Run.create(config(), "nowhere", tmp_path / "other")
