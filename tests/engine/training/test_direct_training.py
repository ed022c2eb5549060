"""Direct force constants are learnt from phonon data, and nothing else is touched."""

from dataclasses import replace

import pytest
import torch

from engine.config import DirectConfig, TrainConfig
from engine.crystals.graph import collate
from engine.data.phonons import read_phonons
from engine.training.direct_training import constants_loss, direct_graphs, direct_learner, teach, with_direct
from engine.training.loop import start_training, train
from tests.engine.small import materials, write_phonons

SALTS = {("Na", "Cl"): 1.1, ("Mg", "O"): 1.9, ("K", "Br"): 1.1, ("Ca", "S"): 2.2}
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    """The network before and after, and the graphs that taught it."""
    path = str(write_phonons(tmp_path_factory.mktemp("phonons"), SALTS))
    settings = TrainConfig.for_backbone("pretrained", epochs=1, device="cpu", index_data="")
    settings = replace(settings, phonon_data=path)
    few = [material for material in materials(20) if material.natoms <= 3]
    training = start_training(few, (), settings)
    list(train(training))
    network = with_direct(training.result, seed=0)
    config = replace(settings, model=network.model_config)
    graphs = direct_graphs(few, read_phonons(path), config, CPU)
    short = DirectConfig(epochs=30, batch_size=4)
    learner = direct_learner(network, short)
    list(teach(learner, graphs, short, 0, CPU))
    return training.result, with_direct(training.result, seed=0), learner.result, graphs


def error(network, graphs):
    known = collate([graph for graph in graphs if not graph.force_constants.isnan().any()])
    with torch.no_grad():
        return constants_loss(network.force_constants(known), known.force_constants, known.crystal_index)


def test_they_are_learnt(taught):
    _, before, after, graphs = taught
    assert error(after, graphs) < error(before, graphs) / 3


def test_what_was_learnt_before_stays(taught):
    base, _, after, _ = taught
    weights = after.state_dict()
    assert all(torch.equal(tensor, weights[name]) for name, tensor in base.state_dict().items())


def test_a_crystal_without_the_potentials_springs_is_answered_by_the_direct_ones(taught):
    base, _, after, graphs = taught
    batch = collate(graphs)
    bare = collate([graph.clone() for graph in graphs])
    del bare.springs, bare.has_springs
    with torch.no_grad():
        own, rough = after.latents(bare, ("ionic",))["ionic"], base.latents(bare, ("ionic",))["ionic"]
        full = after.latents(batch, ("ionic",))["ionic"]
    has = batch.has_springs
    assert torch.allclose(own[~has], full[~has], atol=1e-5)
    assert not torch.allclose(own[has], full[has], atol=1e-2)
    assert not torch.allclose(own, rough, atol=1e-2)
