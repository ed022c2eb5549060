"""Readouts on the network distilled from the potential: trained, kept, and asked without the potential."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.config import PhononConfig, TrainConfig
from engine.data.phonons import read_phonons
from engine.errors import EngineError
from engine.model.checkpoint import Checkpoint, save_checkpoint
from engine.network import frozen_features
from engine.network.distilled import Student, StudentSize, save_student
from engine.prediction.predictor import Predictor
from engine.training.loop import start_training, train
from engine.training.phonon_training import force_constant_graphs, phonon_learner, teach, with_direct
from tests.engine.small import materials, write_phonons

SALTS = {("Na", "Cl"): 1.1, ("Mg", "O"): 1.9, ("K", "Br"): 1.1, ("Ca", "S"): 2.2}
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A student that was taught nothing, and a cache folder of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(frozen_features, "STUDENT", tmp_path / "student.safetensors")
    write_student(seed=0)
    return tmp_path


def write_student(seed: int) -> None:
    torch.manual_seed(seed)
    save_student(frozen_features.STUDENT, Student(StudentSize()))


def trained(folder, epochs: int = 20) -> tuple[Predictor, list[float]]:
    """A model with force constants of its own, and the losses of its first training."""
    few = [material for material in materials(40) if material.natoms <= 3]
    phonons = str(write_phonons(folder, SALTS))
    config = TrainConfig.for_backbone(
        "distilled", epochs=epochs, device="cpu", index_data="", batch_size=8, phonon_data=phonons
    )
    training = start_training(few, (), config)
    losses = [epoch.train_loss for epoch in train(training)]
    network = with_direct(training.result, seed=0)
    graphs = force_constant_graphs(few, read_phonons(phonons), replace(config, model=network.model_config), CPU)
    learner = phonon_learner(network, PhononConfig(epochs=2, batch_size=4))
    list(teach(learner, graphs, PhononConfig(epochs=2, batch_size=4), 0, CPU))
    model = Checkpoint(
        networks=[learner.result], trained_on=(training.trained_on,), element_counts={"Mg": 1, "O": 1}
    )
    save_checkpoint(folder / "model", model, half=True)
    return Predictor.load(folder / "model", device="cpu"), losses


def test_readouts_learn_and_are_asked_without_the_potentials_force_constants(folder):
    predictor, losses = trained(folder)
    assert losses[11] < losses[0] / 2  # phonon data teach in the first twelve epochs
    assert losses[19] < losses[12]
    found = predictor.predict(materials(40)[0].structure)
    assert found.ionic_method == "direct"
    assert np.linalg.eigvalsh(found.electronic).min() >= 1
    assert np.linalg.eigvalsh(found.ionic).min() >= 0
    assert not (folder / "cache" / "dielectric-tensors" / "forces").exists()


def test_features_of_another_student_are_computed_anew_and_its_readouts_are_refused(folder):
    trained(folder, epochs=1)
    before = sorted((folder / "cache" / "dielectric-tensors").iterdir())
    write_student(seed=1)
    with pytest.raises(EngineError, match="another distilled network"):
        Predictor.load(folder / "model", device="cpu")
    trained(folder, epochs=1)
    assert len(sorted((folder / "cache" / "dielectric-tensors").iterdir())) == len(before) + 1
