"""The network without equivariance: it obeys all the physics but this, and is judged like the others."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from pymatgen.core import Structure

from engine.config import PLAIN, ModelConfig
from engine.crystals.graph import collate
from engine.data.datasets import load_dataset
from engine.errors import EngineError
from engine.files import MODELS_FOLDER
from engine.model.shipped_models import available_models
from engine.prediction.predictor import Predictor
from engine.teaching.equivariance import (
    both_ways,
    of_network,
    random_rotations,
    read_contrast,
    relative_difference,
    rotation_about,
    turned_structure,
)
from engine.teaching.harmonics import sphere
from engine.teaching.plain_network import ABOUT, PlainNetwork, load_plain, save_plain
from engine.teaching.plain_training import start_plain_training, train_plain, turned_at_random
from engine.tensors.tensors import along
from tests.crystals import in_other_cell, outside, triclinic, wurtzite
from tests.engine import shipped, small
from tests.engine.second_device import SECOND, SecondDevice

FOLDER = MODELS_FOLDER / "plain-network"
SMALL = replace(PLAIN, model=ModelConfig(targets=("electronic",), mul=8, num_layers=1), batch_size=8, epochs=4)


@pytest.fixture(scope="module")
def plain() -> tuple[PlainNetwork, frozenset[str]]:
    return load_plain(FOLDER)


@pytest.fixture(scope="module")
def unseen(plain: tuple[PlainNetwork, frozenset[str]]) -> list[Structure]:
    """Crystals of formulas that the network never saw."""
    return [m.structure for m in load_dataset("petousis-2017") if m.formula not in plain[1]][:60]


def test_an_ordinary_network_breaks_equivariance_and_the_equivariant_one_does_not(
    plain: tuple[PlainNetwork, frozenset[str]], unseen: list[Structure]
) -> None:
    rotations = random_rotations(len(unseen), 0)
    ordinary = relative_difference(*both_ways(of_network(plain[0]), unseen, rotations))
    equivariant = shipped.predictor("e3nn-scratch").networks[0]
    kept = relative_difference(*both_ways(of_network(equivariant), unseen, rotations))
    assert np.median(ordinary) > 3  # percent
    assert kept.max() < 1e-2


def test_the_ordinary_network_is_blind_to_cell_and_atom_order(
    plain: tuple[PlainNetwork, frozenset[str]],
) -> None:
    predict, crystal = of_network(plain[0]), triclinic()
    same = [
        crystal,
        outside(crystal),
        in_other_cell(crystal, np.array([[1, 2, 0], [0, 1, 0], [0, 0, 1]])),
        crystal.make_supercell(2, in_place=False),
        Structure.from_sites(list(crystal)[::-1]),
    ]
    np.testing.assert_allclose(predict(same), np.stack([predict([crystal])[0]] * len(same)), atol=1e-4)


def test_the_ordinary_network_gives_symmetric_tensors_that_no_crystal_forbids(
    plain: tuple[PlainNetwork, frozenset[str]], unseen: list[Structure]
) -> None:
    tensors = of_network(plain[0])(unseen)
    np.testing.assert_allclose(tensors, tensors.transpose(0, 2, 1), atol=1e-4)
    assert np.linalg.eigvalsh(tensors).min() > 1


@pytest.mark.parametrize("name", ["plain-network", "e3nn-scratch"])
def test_a_network_on_another_device_gets_its_crystals_there_and_answers_on_the_cpu(name: str) -> None:
    network = load_plain(FOLDER)[0] if name == FOLDER.name else Predictor.load(name, "cpu").networks[0]
    with SecondDevice():
        answer = of_network(network.to(SECOND))([triclinic(), wurtzite()])
    assert answer.shape == (2, 3, 3)


def test_an_untrained_network_learns_and_returns_from_disk(tmp_path: Path) -> None:
    training = start_plain_training(small.materials(40), SMALL)
    losses = list(train_plain(training, turn=False))
    assert losses[-1] < losses[0]
    save_plain(tmp_path, training.result, frozenset({"NaCl"}), {})
    network, formulas = load_plain(tmp_path)
    assert formulas == {"NaCl"}
    crystals = [wurtzite(), triclinic()]
    np.testing.assert_allclose(of_network(network)(crystals), of_network(training.result)(crystals), rtol=1e-2)


def test_a_training_can_be_repeated_exactly() -> None:
    def weights() -> torch.Tensor:
        training = start_plain_training(small.materials(20), replace(SMALL, epochs=1))
        list(train_plain(training, turn=True))
        return torch.cat([p.flatten() for p in training.result.parameters()])

    assert torch.equal(weights(), weights())


def test_a_random_orientation_turns_bonds_and_labels_alike() -> None:
    batch = collate(start_plain_training(small.materials(8), SMALL).graphs)
    turned = turned_at_random(batch, torch.Generator().manual_seed(0))
    torch.testing.assert_close(turned.edge_vec.norm(dim=1), batch.edge_vec.norm(dim=1))
    assert (turned.edge_vec - batch.edge_vec).abs().max() > 0.1
    crystal = batch.crystal_index[batch.edge_index[0]]

    def seen(graph: object) -> torch.Tensor:
        return torch.einsum("ei,eij,ej->e", graph.edge_vec, graph.latent[crystal, 0], graph.edge_vec)

    torch.testing.assert_close(seen(turned), seen(batch), atol=1e-3, rtol=1e-3)


def test_the_tensor_of_a_turned_crystal_sticks_to_its_bonds() -> None:
    crystal, rotation = wurtzite(), rotation_about("x", 40)
    turned = turned_structure(crystal, rotation)
    predict = of_network(shipped.predictor("e3nn-scratch").networks[0])
    at_rest, then = predict([crystal, turned])
    np.testing.assert_allclose(along(then, sphere() @ rotation.T), along(at_rest, sphere()), rtol=1e-4)
    np.testing.assert_allclose(turned.distance_matrix, crystal.distance_matrix, atol=1e-9)


def test_a_quarter_turn_about_z_takes_x_to_y() -> None:
    np.testing.assert_allclose(rotation_about("z", 90) @ [1, 0, 0], [0, 1, 0], atol=1e-12)


def test_the_ordinary_network_is_not_offered_as_a_model() -> None:
    assert "plain-network" not in available_models()


def test_the_measured_contrast_is_of_the_shipped_out_of_fold_figures() -> None:
    rows = read_contrast()
    card = json.loads((MODELS_FOLDER.parent / "benchmarks/results/e3nn-scratch.json").read_text())
    shown = next(one for one in card["metrics_in_range"] if one["target"] == "electronic")
    for name in ("count", "ewt25", "ewt10", "mard", "ar_mae"):
        assert rows.loc["e3nn-scratch", name] == pytest.approx(shown[name], rel=1e-3)
    assert rows.loc["ordinary", "turned_median"] > 1e3 * rows.loc["e3nn-scratch", "turned_largest"]


def test_figures_that_were_never_measured_or_are_damaged_are_told_apart(tmp_path: Path) -> None:
    assert read_contrast(tmp_path / "none.json") is None
    (tmp_path / "bad.json").write_text('{"lines": []}')
    with pytest.raises(EngineError, match="measure it again"):
        read_contrast(tmp_path / "bad.json")


def test_a_damaged_network_says_how_to_make_it_anew(tmp_path: Path) -> None:
    for file in FOLDER.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / ABOUT).write_text("{}")
    with pytest.raises(EngineError, match="make it anew"):
        load_plain(tmp_path)
