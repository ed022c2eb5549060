"""The potential's force constants are corrected as DFT says, and nothing else of a network changes."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.config import PotentialConfig
from engine.crystals.graph import collate
from engine.data.phonons import read_phonons
from engine.errors import EngineError
from engine.model.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from engine.network.padding import atoms_present
from engine.training.fold_training import NetworkJob
from engine.training.labelled_graphs import labelled_graphs
from engine.training.loop import start_training, train
from engine.training.losses import latent_loss
from engine.training.phonon_training import constants_loss, with_direct
from engine.training.potential_training import (
    PotentialJob,
    correct_potential,
    networks_of,
    potential_graphs,
    train_potential_corrections,
)
from tests.engine.small import materials, taught_by_salts

CPU = torch.device("cpu")
CONFIG = PotentialConfig(epochs=150, batch_size=4, average_decay=0.9)


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return taught_by_salts(tmp_path_factory.mktemp("phonons"))


@pytest.fixture(scope="module")
def untaught(settings):
    few = [material for material in materials(20) if material.natoms <= 3]
    training = start_training(few, (), settings)
    list(train(training))
    return with_direct(training.result, seed=0), few


@pytest.fixture(scope="module")
def taught(settings, untaught):
    """Networks before and after, and what taught them: by phonons, and by PBE."""
    before, few = untaught
    after = with_direct(before, seed=0)
    config = replace(settings, model=before.model_config)
    by_phonons = potential_graphs(read_phonons(settings.phonon_data), config, CPU, CONFIG)
    by_pbe = [one for one in labelled_graphs(few, config, CPU) if one.has_springs.item() and one.num_nodes > 1]
    steps = list(correct_potential(after, by_phonons, by_pbe, CONFIG, 0, CPU))
    return before, after, by_phonons, by_pbe, steps


@torch.no_grad()
def off(network, graphs):
    """How far the corrected force constants of the potential are from DFT's."""
    batch = collate(graphs)
    potentials = network.lattice(batch).potentials
    present = atoms_present(torch.bincount(batch.crystal_index))
    found = potentials.corrected(batch.bare_springs, present)
    return constants_loss(found, batch.force_constants, batch.crystal_index)


@torch.no_grad()
def ionic_loss(network, graphs):
    batch = collate(graphs)
    place = network.model_config.targets.index("ionic")
    return latent_loss(network.lattice(batch).ionic()[None], batch.latent[:, place, None])


def test_force_constants_come_near_those_of_dft_and_tensors_near_those_of_pbe(taught):
    before, after, by_phonons, by_pbe, steps = taught
    assert len(by_phonons) == 4
    assert off(after, by_phonons) < off(before, by_phonons) * 2 / 3
    assert ionic_loss(after, by_pbe) < ionic_loss(before, by_pbe) * 2 / 3
    assert [name for name, *_ in steps] == ["to PBEsol"] * 150 + ["to PBE"] * 150


def test_both_corrections_change_and_nothing_else_does(taught):
    before, after, *_ = taught
    heads = ("springs.correction.", "potential_level.")
    moved = [name for name, _ in differing(before, after)]
    assert all(name.startswith(heads) for name in moved)
    assert all(any(name.startswith(head) for name in moved) for head in heads)


def differing(one, other):
    pairs = zip(one.state_dict().items(), other.state_dict().values(), strict=True)
    return [(name, tensor) for (name, tensor), twin in pairs if not torch.equal(tensor, twin)]


def test_pbe_does_not_change_what_pbesol_says(taught):
    _, after, by_phonons, *_ = taught
    batch = collate(by_phonons)
    with torch.no_grad():
        lattice = after.lattice(batch)
    same = torch.eye(3).expand_as(lattice.level)
    assert torch.equal(lattice.level, same)
    assert torch.equal(lattice.potentials.level, same)


def test_the_step_to_pbe_brings_tensors_nearer_by_itself(taught):
    before, after, _, by_pbe, _ = taught
    half_way = deepcopy(after)
    half_way.potential_level = deepcopy(before.potential_level)
    assert ionic_loss(after, by_pbe) < 0.9 * ionic_loss(half_way, by_pbe)


def test_soft_and_large_crystals_do_not_teach(settings, untaught):
    config = replace(settings, model=untaught[0].model_config)
    salts = read_phonons(settings.phonon_data)
    soft = [replace(salts[0], firm=False), *salts[1:]]
    assert len(potential_graphs(soft, config, CPU, CONFIG)) == 3
    assert potential_graphs(salts, config, CPU, replace(CONFIG, most_effort=0.0)) == []
    assert potential_graphs(salts, config, CPU, replace(CONFIG, most_atoms=1)) == []


@pytest.fixture
def job(settings, untaught, tmp_path):
    """A job that holds MgO out, and the model that it starts from, which saw no MgO."""
    network, _ = untaught
    model = Checkpoint(networks=[network], trained_on=(frozenset({"NaCl", "KBr"}),), element_counts={"Na": 1})
    save_checkpoint(tmp_path / "model", model)
    return NetworkJob(
        data="petousis-2017",
        config=settings,
        held_out=frozenset({"MgO"}),
        folder=tmp_path / "fold-0-0",
        name="one",
    )


def test_a_network_that_saw_what_is_held_out_is_not_taken(job, tmp_path):
    assert networks_of(tmp_path / "model", [job]) == [(tmp_path / "model", 0)]
    with pytest.raises(EngineError, match="no network is left for one"):
        networks_of(tmp_path / "model", [job, job])
    with pytest.raises(EngineError, match="saw none of its 1 formulas"):
        networks_of(tmp_path / "model", [replace(job, held_out=frozenset({"KBr"}))])


def test_what_is_taught_is_kept_and_another_network_or_code_taught_anew(job, untaught, tmp_path, monkeypatch):
    learnt_from = []

    def few_steps(network, by_phonons, by_pbe, *_):
        learnt_from.append((len(by_phonons), {one.num_nodes for one in by_pbe}))
        yield "to PBE", 1, 0.0

    monkeypatch.setattr("engine.training.potential_training.correct_potential", few_steps)
    monkeypatch.setattr("engine.training.potential_training.load_dataset", lambda _: untaught[1])
    monkeypatch.setattr(
        "engine.training.potential_training.run_jobs", lambda jobs, *_: [one.run() for one in jobs]
    )
    folder, config = tmp_path / "run", PotentialConfig(epochs=1)
    (made,) = train_potential_corrections([job], [(tmp_path / "model", 0)], config, folder)
    assert made.trained_on == (frozenset({"NaCl", "KBr"}),)
    assert learnt_from[0][0] == 3  # MgO is held out
    kept = PotentialJob(
        base=job, source=tmp_path / "model", member=0, config=config, folder=folder / "fold-0-0-potential", name=""
    )
    assert kept.is_done()
    assert not replace(kept, config=PotentialConfig(epochs=2)).is_done()
    weights = load_checkpoint(tmp_path / "model")
    with torch.no_grad():
        weights.networks[0].potential_level.log_scale += np.log(2)
    save_checkpoint(tmp_path / "model", weights)
    assert not kept.is_done()
