"""Training learns, repeats itself, resumes where it stopped, and learns from nothing it is judged by."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.config import GraphConfig, ModelConfig, TrainConfig
from engine.data import phonons
from engine.data.folds import holdout_split
from engine.data.phonons import read_phonons
from engine.errors import EngineError
from engine.model.inference import predict_charges, predict_latent
from engine.network.network import physical
from engine.training.loop import rattled, restore, start_training, train, training_state
from engine.training.losses import latent_loss
from tests.engine.small import CONFIG, config, materials, write_phonons


def weights(training):
    return torch.cat([p.flatten() for p in training.result.parameters()])


def test_training_lowers_the_loss_by_a_third_in_thirty_epochs():
    training = start_training(materials(), (), config(epochs=30))
    results = list(train(training))
    assert [r.epoch for r in results] == list(range(1, 31))
    assert results[-1].train_loss < results[0].train_loss * 2 / 3


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    runs = [start_training(materials(20), (), config(epochs=1, seed=seed)) for seed in (1, 1, 2)]
    for training in runs:
        list(train(training))
    assert torch.equal(weights(runs[0]), weights(runs[1]))
    assert not torch.allclose(weights(runs[0]), weights(runs[2]))


def test_training_leaves_the_random_state_of_the_process_alone():
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    list(train(start_training(materials(20), (), config(epochs=1))))
    assert torch.equal(torch.rand(3), expected)


def test_a_resumed_training_equals_one_never_interrupted():
    whole = start_training(materials(20), (), CONFIG)
    list(train(whole))
    first = start_training(materials(20), (), CONFIG)
    next(train(first))
    second = start_training(materials(20), (), CONFIG)
    restore(second, training_state(first))
    assert [r.epoch for r in train(second)] == [2, 3]
    assert torch.equal(weights(whole), weights(second))


def test_watched_validation_crystals_change_no_weight():
    kept, held_out = holdout_split(materials(), 0.2, 0)
    watched = start_training(kept, held_out, CONFIG)
    alone = start_training(kept, (), CONFIG)
    results = list(train(watched)), list(train(alone))
    assert torch.equal(weights(watched), weights(alone))
    assert {m.target for m in results[0][-1].validation} == {"electronic", "ionic", "total"}
    assert results[1][-1].validation == ()


def test_a_missing_label_counts_for_nothing_in_the_loss():
    predicted = torch.randn(2, 3, 3, 3)
    wanted = torch.randn(3, 2, 3, 3)
    wanted[1, 0] = torch.nan
    with_gap = latent_loss(predicted, wanted)
    predicted[0, 1] += 100
    assert torch.isfinite(with_gap)
    assert torch.equal(latent_loss(predicted, wanted), with_gap)


def test_rattling_moves_atoms_and_edges_together_and_leaves_the_graph_alone():
    graph = start_training(materials(20), (), CONFIG).graphs[5]
    before = graph.pos.clone(), graph.edge_vec.clone()
    moved = rattled(graph, 0.05, torch.Generator().manual_seed(0))
    src, dst = moved.edge_index
    shift = moved.cell_shift.to(moved.cell.dtype) @ moved.cell[0]
    assert torch.allclose(moved.edge_vec, moved.pos[dst] - moved.pos[src] + shift, atol=1e-5)
    assert not torch.allclose(moved.pos, before[0], atol=1e-3)
    assert torch.equal(graph.pos, before[0])
    assert torch.equal(graph.edge_vec, before[1])


@pytest.mark.parametrize("target", ["electronic", "ionic"])
def test_one_target_alone_can_be_trained(target):
    model = replace(CONFIG.model, targets=(target,))
    training = start_training(materials(20), materials(20), config(model=model, epochs=1))
    (result,) = train(training)
    assert [m.target for m in result.validation] == [target]
    assert predict_latent(training.result, training.graphs).shape == (1, 20, 3, 3)


def test_offset_and_mean_degree_come_from_the_training_crystals():
    training = start_training(materials(20), materials(), CONFIG)
    degree = sum(g.num_edges for g in training.graphs) / sum(g.num_nodes for g in training.graphs)
    assert training.config.model.num_neighbors == pytest.approx(degree)
    wanted = torch.cat([g.latent for g in training.graphs])[:, 0]
    trace = wanted.diagonal(dim1=1, dim2=2).sum(1) / np.sqrt(3)
    assert training.learner.network.offset[0] == pytest.approx(trace.mean().item(), rel=1e-5)


def test_a_device_that_is_not_there_is_refused_by_name():
    with pytest.raises(EngineError, match="device must be auto, cpu or cuda, got 'tpu'"):
        start_training(materials(20), (), config(device="tpu"))


def test_materials_without_tensors_are_refused():
    bare = [replace(m, electronic=None, ionic=None) for m in materials(20)]
    with pytest.raises(EngineError, match="no training material has a sound electronic or ionic tensor"):
        start_training(bare, (), CONFIG)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GraphConfig(r_max=-1.0), "r_max must be positive, got -1.0"),
        (lambda: ModelConfig(targets=()), "targets must be electronic, ionic or both"),
        (lambda: ModelConfig(lmax=1), "lmax must be 2, 3 or 4"),
        (lambda: config(epochs=0), "epochs must be at least 1, got 0"),
        (lambda: config(validation_share=1.0), "validation_share must be between"),
    ],
)
def test_impossible_settings_say_what_must_hold(make, message):
    with pytest.raises(EngineError, match=message):
        make()


SALTS = {("Na", "Cl"): 1.1, ("Mg", "O"): 1.9, ("K", "Br"): 1.1, ("Ca", "S"): 2.2}


def phonon_training(folder, held_out=(), **changes):
    path = write_phonons(folder, SALTS)
    settings = replace(TrainConfig.for_backbone("pretrained", epochs=1, device="cpu", index_data=""), **changes)
    settings = replace(settings, phonon_data=str(path))
    few = [material for material in materials(20) if material.natoms <= 3]
    return start_training(few, (), settings, held_out)


def test_born_charges_are_learnt_from_phonon_data(tmp_path):
    training = phonon_training(tmp_path, epochs=40)
    wanted = torch.cat([graph.born for graph in training.phonon_graphs])
    before = (predict_charges(training.result, training.phonon_graphs) - wanted).abs().mean()
    list(train(training))
    after = (predict_charges(training.result, training.phonon_graphs) - wanted).abs().mean()
    assert after < before / 3


def test_no_held_out_formula_teaches_a_charge_and_those_that_do_are_told(tmp_path):
    training = phonon_training(tmp_path, held_out={"MgO"})
    assert {material.formula for material in training.phonons} == {"NaCl", "KBr", "CaS"}
    assert {"NaCl", "KBr", "CaS"} <= training.trained_on
    assert "MgO" not in training.trained_on


def test_formulas_kept_for_the_external_test_teach_no_charge(tmp_path, monkeypatch):
    monkeypatch.setattr(phonons, "reserved_formulas", lambda name: frozenset({"KBr"}))
    training = phonon_training(tmp_path)
    assert {material.formula for material in training.phonons} == {"NaCl", "MgO", "CaS"}


def test_tensors_of_pbesol_are_learnt_apart_from_those_of_pbe(tmp_path):
    """The same rock salts with one tensor by each functional: each answer is nearer to its own label."""
    path = write_phonons(tmp_path, SALTS, electronic=4.0)
    known = [one.material for one in read_phonons(path)]
    salts = [
        replace(one, electronic=mean * np.eye(3)) for one, mean in zip(known, (1.9, 2.0, 2.0, 2.1), strict=True)
    ]
    settings = TrainConfig.for_backbone("pretrained", epochs=150, batch_size=4, device="cpu", index_data="")
    training = start_training(salts, (), replace(settings, phonon_data=str(path)))
    list(train(training))
    volume = training.graphs[0].volume_per_atom
    for graphs, label, other in ((training.graphs, 2.0, 4.0), (training.phonon_graphs, 4.0, 2.0)):
        latent = predict_latent(training.result, graphs)
        mean = physical(latent, training.config.model.targets, volume)[0].diagonal(dim1=1, dim2=2).mean(1)
        assert ((mean - label).abs() < (mean - other).abs()).all()
