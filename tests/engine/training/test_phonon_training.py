"""Force constants and charges are learnt from phonon data, and the electronic part by PBE is not touched."""

from dataclasses import replace

import pytest
import torch

from engine.config import PhononConfig
from engine.crystals.graph import collate
from engine.data.phonons import read_phonons
from engine.training.loop import start_training, train
from engine.training.losses import charge_loss, latent_loss
from engine.training.phonon_training import (
    constants_loss,
    force_constant_graphs,
    phonon_learner,
    teach,
    with_direct,
)
from tests.engine.small import materials, taught_by_salts

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    """The network before and after, and the graphs that taught it."""
    settings = taught_by_salts(tmp_path_factory.mktemp("phonons"))
    few = [material for material in materials(20) if material.natoms <= 3]
    training = start_training(few, (), settings)
    list(train(training))
    network = with_direct(training.result, seed=0)
    config = replace(settings, model=network.model_config)
    graphs = force_constant_graphs(few, read_phonons(settings.phonon_data), config, CPU)
    short = PhononConfig(epochs=80, batch_size=4)
    learner = phonon_learner(network, short)
    list(teach(learner, graphs, short, 0, CPU))
    return training.result, with_direct(training.result, seed=0), learner.result, graphs


def by_phonons(graphs):
    return collate([graph for graph in graphs if graph.pbesol.item()])


def errors(network, graphs):
    """Of force constants, charges and PBEsol's electronic tensors."""
    known = by_phonons(graphs)
    with torch.no_grad():
        lattice, latent = network.lattice(known), network.latents(known, ("electronic",))["electronic"]
    return (
        constants_loss(lattice.force_constants, known.force_constants, known.crystal_index),
        charge_loss(lattice.charges, known.born, known.crystal_index),
        latent_loss(latent[None], known.latent[:, :1]),
    )


def test_they_are_learnt(taught):
    _, before, after, graphs = taught
    for learnt, unlearnt in zip(errors(after, graphs), errors(before, graphs), strict=True):
        assert learnt < unlearnt / 2


def test_the_electronic_part_by_pbe_stays(taught):
    base, _, after, graphs = taught
    others = collate([graph for graph in graphs if not graph.pbesol.item()])
    with torch.no_grad():
        answers = [one.latents(others, ("electronic",))["electronic"] for one in (base, after)]
    assert torch.equal(*answers)


def test_the_potential_and_the_network_answer_as_the_weighted_mean_of_their_stiffness(taught):
    _, _, after, graphs = taught
    batch = collate(graphs)
    with torch.no_grad():
        lattice = after.lattice(batch)
        node = after.backbone(batch)
        heads = (after.springs.correction, after.potential_level)
        correction, level = (head(node, batch.crystal_index) for head in heads)
    crystal = batch.has_springs.nonzero()[0, 0].item()
    size = int((batch.crystal_index == crystal).sum())
    first = int((batch.crystal_index < crystal).sum())
    potential = graphs[crystal].springs.unflatten(0, (size, size))
    for matrices in (correction, level):
        own = matrices[first : first + size].double()
        potential = own[:, None] @ potential @ own[None]
    direct, both = (one[crystal, :size, :size] for one in (lattice.direct, lattice.stiffness))
    assert torch.allclose(both, (2 * potential + direct) / 3)
    without = ~batch.has_springs
    assert without.any()
    assert torch.equal(lattice.stiffness[without], lattice.direct[without])


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
