"""A model survives the disk, and a damaged one is refused."""

import json

import pytest
import torch

from engine.config import GraphConfig, ModelConfig
from engine.errors import EngineError
from engine.model.checkpoint import CONFIG as CONFIG_FILE
from engine.model.checkpoint import FORMAT, WEIGHTS, Checkpoint, load_checkpoint, save_checkpoint
from engine.model.inference import predict_latent
from engine.model.intervals import SIGNS, Calibration
from engine.network.network import DielectricNetwork
from engine.training.loop import start_training, train
from tests.engine.small import config, materials

CALIBRATION = Calibration(weights=((0.5,) * SIGNS,) * 4, scores={"usual": ((0.1, 0.2),) * 4})


@pytest.fixture(scope="module")
def training():
    training = start_training(materials(20), (), config(epochs=1))
    list(train(training))
    return training


@pytest.fixture
def saved(training, tmp_path):
    save_checkpoint(
        tmp_path,
        Checkpoint(
            networks=[training.result],
            trained_on=(frozenset(m.formula for m in materials(20)),),
            element_counts={"O": 3},
            calibration={"electronic": CALIBRATION},
            neighbourhood=training.neighbourhood(),
        ),
    )
    return tmp_path


def test_a_checkpoint_rebuilds_its_own_model(training, saved):
    loaded = load_checkpoint(saved)
    graphs = training.graphs
    assert torch.equal(predict_latent(loaded.networks[0], graphs), predict_latent(training.result, graphs))
    assert loaded.trained_on == (frozenset(m.formula for m in materials(20)),)
    assert loaded.element_counts == {"O": 3}
    assert loaded.calibration == {"electronic": CALIBRATION}
    assert loaded.neighbourhood.formulas == training.neighbourhood().formulas
    assert torch.equal(loaded.neighbourhood.points, training.neighbourhood().points)


def test_every_member_of_an_ensemble_keeps_its_own_normalisation(training, tmp_path):
    other = start_training(materials(40)[20:], (), config(epochs=1))
    assert other.config.model.num_neighbors != training.config.model.num_neighbors
    networks = [training.result, other.result]
    nothing = (frozenset(), frozenset())
    save_checkpoint(tmp_path, Checkpoint(networks=networks, trained_on=nothing, element_counts={}))
    for before, after in zip(networks, load_checkpoint(tmp_path).networks, strict=True):
        assert torch.equal(predict_latent(before, training.graphs), predict_latent(after, training.graphs))


def test_cut_weights_are_refused(saved):
    path = saved / WEIGHTS
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(EngineError, match="is damaged"):
        load_checkpoint(saved)


def test_a_config_of_another_shape_is_refused(saved):
    path = saved / CONFIG_FILE
    content = json.loads(path.read_text())
    content["members"][0]["model"]["mul"] = 8
    path.write_text(json.dumps(content))
    with pytest.raises(EngineError, match=r"the weights do not fit config\.json"):
        load_checkpoint(saved)


def test_a_newer_format_is_refused_with_advice(saved):
    path = saved / CONFIG_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99}))
    with pytest.raises(EngineError, match=f"format 99 is not {FORMAT}; update this program"):
        load_checkpoint(saved)


def test_a_model_that_corrected_the_potential_otherwise_is_refused_by_name(tmp_path):
    model = ModelConfig(backbone="pretrained", direct=True)
    network = DielectricNetwork(GraphConfig(), model)
    save_checkpoint(tmp_path, Checkpoint(networks=[network], trained_on=(frozenset(),), element_counts={}))
    assert load_checkpoint(tmp_path).networks[0].model_config == model
    path = tmp_path / CONFIG_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 3}))
    with pytest.raises(EngineError, match="an earlier version made it, which corrected the potential otherwise"):
        load_checkpoint(tmp_path)


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(EngineError, match="no such file"):
        load_checkpoint(tmp_path)


def test_an_older_calibration_without_classes_is_still_read(saved):
    path = saved / CONFIG_FILE
    content = json.loads(path.read_text())
    for one in content["calibration"].values():
        one["weights"] = [row[:6] for row in one["weights"]]
        one["scores"] = one["scores"]["usual"]
    path.write_text(json.dumps({**content, "format": 2}))
    (calibration,) = load_checkpoint(saved).calibration.values()
    assert calibration.weights == ((*(0.5,) * 6, *(0.0,) * (SIGNS - 6)),) * 4
    assert calibration.scores == CALIBRATION.scores
