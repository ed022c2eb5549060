"""The potential's last layers, trained with the readout: they start as they came and stay as symmetric."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from pymatgen.core import Lattice, Structure

from engine.cli import main
from engine.config import ModelConfig, TrainConfig
from engine.crystals.graph import collate, crystal_graphs
from engine.data.parquet import write_materials
from engine.errors import EngineError
from engine.files import read_tensors
from engine.model.checkpoint import WEIGHTS, Checkpoint, load_checkpoint, save_checkpoint
from engine.model.inference import predict_latent
from engine.network.backbones import FrozenBackbone
from engine.network.network import DielectricNetwork
from engine.network.potential import GRAPH, PretrainedFeatures, _loaded, pretrained_features
from engine.prediction.predictor import Predictor
from engine.runs.run import Run
from engine.training.loop import restore, start_training, train, training_state
from tests import crystals
from tests.engine import small

CPU = torch.device("cpu")
FEW = [material for material in small.materials() if material.natoms <= 4][:10]
CONFIG = TrainConfig.for_backbone(
    "pretrained",
    model=ModelConfig(backbone="pretrained", tuned_layers=1, targets=("electronic",), readout_width=16),
    epochs=2,
    batch_size=2,
    index_data="",
    device="cpu",
)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache folder of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        training = start_training(FEW, (), replace(CONFIG, tuned_rate=1e-3))
    list(train(training))
    return training


@pytest.fixture
def saved(trained, tmp_path):
    model = Checkpoint(networks=[trained.result], trained_on=(trained.trained_on,), element_counts={"O": 3})
    save_checkpoint(tmp_path / "model", model)
    return tmp_path / "model"


def potential() -> PretrainedFeatures:
    return pretrained_features(CPU, torch.float32)


def untuned_layers() -> dict[str, torch.Tensor]:
    return dict(potential().last_layers(1).named_parameters())


@pytest.mark.parametrize("tuned_layers", [1, 5])
def test_before_its_first_step_a_tuned_backbone_gives_the_features_of_the_frozen_one(tuned_layers):
    graph = collate(crystal_graphs(FEW[:2], GRAPH))
    model = replace(CONFIG.model, tuned_layers=tuned_layers)
    tuned = DielectricNetwork(CONFIG.graph, model).backbone(graph)
    graph.features = potential()(graph)
    torch.testing.assert_close(tuned, FrozenBackbone()(graph), atol=1e-5, rtol=1e-5)
    assert tuned.requires_grad
    assert not graph.features.requires_grad


def test_the_readout_starts_alike_whether_or_not_the_potential_is_loaded():
    potential()
    first = start_training(FEW[:2], (), CONFIG).learner.network
    _loaded.cache_clear()
    torch.manual_seed(CONFIG.seed)
    second = DielectricNetwork(CONFIG.graph, CONFIG.model)
    for one, other in zip(first.heads.parameters(), second.heads.parameters(), strict=True):
        assert torch.equal(one, other)


def test_tuned_layers_learn_and_the_rest_of_the_potential_does_not():
    before = {name: t.clone() for name, t in potential().state_dict().items()}
    training = start_training(FEW, FEW[:2], replace(CONFIG, epochs=6))
    losses = [result.train_loss for result in train(training)]
    assert losses[-1] < losses[0]
    assert all(torch.equal(before[name], t) for name, t in potential().state_dict().items())
    for name, tensor in training.result.backbone.layers.named_parameters():
        assert name.startswith("4_")
        assert not torch.equal(tensor, untuned_layers()[name]), name


def test_tuned_layers_have_a_learning_rate_of_their_own_and_no_weight_decay():
    training = start_training(FEW[:2], (), CONFIG)
    readout, tuned = training.learner.optimizer.param_groups
    assert (readout["peak"], readout["weight_decay"]) == (CONFIG.learning_rate, CONFIG.weight_decay)
    assert (tuned["peak"], tuned["weight_decay"]) == (CONFIG.tuned_rate, 0)
    assert len(readout["params"]) + len(tuned["params"]) == len(list(training.learner.network.parameters()))


def test_both_targets_learn_on_one_backbone():
    oxides = [material for material in FEW if material.ionic is not None][:2]
    config = replace(CONFIG, model=replace(CONFIG.model, targets=("electronic", "ionic")), epochs=1)
    training = start_training(oxides, (), config)
    (result,) = train(training)
    assert np.isfinite(result.train_loss)
    assert training.learner.network.latent(collate(training.graphs)).shape == (2, 2, 3, 3)


def test_a_tuned_model_survives_the_disk_without_the_frozen_layers(trained, saved):
    stored = read_tensors(saved / WEIGHTS)
    layers = {name.split("layers.")[1] for name in stored if "backbone.layers." in name}
    assert layers == set(untuned_layers())
    loaded = load_checkpoint(saved).networks[0]
    assert torch.equal(predict_latent(loaded, trained.graphs), predict_latent(trained.result, trained.graphs))
    prediction = Predictor.load(saved, device="cpu").predict(FEW[0])
    expected = trained.result(collate(trained.graphs[:1]))[0, 0].detach().numpy()
    np.testing.assert_allclose(prediction.electronic, expected, atol=1e-4)


def test_resumed_training_gives_the_weights_of_one_never_interrupted(trained):
    config = replace(CONFIG, tuned_rate=1e-3)
    first = start_training(FEW, (), config)
    next(train(first))
    second = start_training(FEW, (), config)
    restore(second, training_state(first))
    list(train(second))
    for name, tensor in trained.result.state_dict().items():
        torch.testing.assert_close(second.result.state_dict()[name], tensor)  # threads add up in any order


@pytest.mark.parametrize("sign", [1, -1], ids=["rotation", "rotation and inversion"])
def test_a_tuned_tensor_turns_with_the_crystal(saved, sign):
    structure = crystals.triclinic()
    rotation = sign * np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    lattice = Lattice(structure.lattice.matrix @ rotation.T)
    turned = Structure(lattice, structure.species, structure.frac_coords)
    predictions = Predictor.load(saved, device="cpu").predict_many([structure, turned])
    before, after = (one.electronic for one in predictions)
    expected = rotation @ before @ rotation.T
    assert np.linalg.norm(after - expected) / np.linalg.norm(expected) < 5e-5


def test_a_run_from_the_command_line_remembers_its_tuned_layers(tmp_path):
    data, folder = tmp_path / "few.parquet", tmp_path / "run"
    write_materials(data, FEW)
    asked = ["--tuned-layers", "1", "--target", "electronic", "--epochs", "1", "--index-data", ""]
    assert main(["train", "--data", str(data), "--run", str(folder), "--device", "cpu", *asked]) == 0
    assert Run.open(folder).config.model.tuned_layers == 1
    assert main(["train", "--resume", str(folder)]) == 0
    assert Predictor.load(folder, device="cpu").predict(FEW[0]).electronic.shape == (3, 3)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"backbone": "pretrained", "tuned_layers": 6}, "tuned_layers must be 0 to 5"),
        ({"backbone": "pretrained", "tuned_layers": -1}, "tuned_layers must be 0 to 5"),
        ({"backbone": "scratch", "tuned_layers": 1}, "tuned_layers must be 0 on the backbone scratch"),
    ],
)
def test_impossible_layers_are_refused(settings, words):
    with pytest.raises(EngineError, match=words):
        ModelConfig(**settings)


def test_a_rate_that_learns_nothing_is_refused():
    with pytest.raises(EngineError, match="tuned_rate must be positive"):
        TrainConfig(tuned_rate=0)
