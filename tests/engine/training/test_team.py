"""Several processes that train one network: what they learn is what one would have learnt."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from engine.data.parquet import write_materials
from engine.errors import EngineError
from engine.training.loop import _batches, start_training
from engine.training.losses import charge_loss, label_weights, total_loss
from engine.training.team import ALONE, Team, assembled
from tests.engine.small import CONFIG, materials

ROOT = Path(__file__).resolve().parents[3]
EPOCHS = 2
NETWORK = ["--backbone", "scratch", "--epochs", str(EPOCHS), "--batch-size", "7", "--device", "cpu"]


def with_gaps():
    """A training whose batches lack labels here and there, of both targets, and hold crystals with n alone."""
    training = start_training(materials(30), (), CONFIG)
    for number, graph in enumerate(training.graphs):
        if number % 3 == 0:
            graph.latent[:, 1] = float("nan")
        if number % 5 == 0:
            graph.latent[:, 0] = float("nan")
            graph.log_mean[:] = 0.7
    return training


def gradients(loss, network):
    network.zero_grad()
    loss.backward()
    return torch.cat(
        [torch.zeros_like(p).flatten() if p.grad is None else p.grad.flatten() for p in network.parameters()]
    )


@pytest.mark.parametrize("size", [2, 3])
def test_the_shares_of_a_batch_add_up_to_its_loss_and_gradient(size):
    training = with_gaps()
    network, of_network = training.learner.network, CONFIG.model.targets
    for batch, targets, _ in _batches(training):
        weights = label_weights(batch, of_network, targets)
        shares = [type(batch).from_data_list(batch.to_data_list()[rank::size]) for rank in range(size)]
        parts = [total_loss(network, share, targets, weights) for share in shares]
        whole = total_loss(network, batch, targets)
        torch.testing.assert_close(sum(parts), whole)
        torch.testing.assert_close(gradients(sum(parts), network), gradients(whole, network), rtol=1e-4, atol=1e-6)


def test_the_shares_of_born_charges_add_up_too():
    batch = next(_batches(start_training(materials(30), (), CONFIG)))[0]
    (weight,) = label_weights(batch, CONFIG.model.targets, ("charges",)).values()
    rng = torch.Generator().manual_seed(0)
    predicted, wanted = (torch.randn(batch.num_nodes, 3, 3, generator=rng) for _ in range(2))
    parts = []
    for members in (batch.batch % 2 == 0, batch.batch % 2 == 1):
        parts.append(charge_loss(predicted[members], wanted[members], batch.batch[members], weight))
    torch.testing.assert_close(sum(parts), charge_loss(predicted, wanted, batch.batch))


def train(arguments, processes):
    command = [sys.executable, "-m"]
    if processes > 1:
        command += ["torch.distributed.run", "--standalone", "--nproc-per-node", str(processes), "-m", "--"]
    command += ["engine", "train", *arguments]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=300, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_two_processes_train_the_network_that_one_does_and_go_on_with_it(tmp_path):
    write_materials(tmp_path / "few.parquet", materials(25))  # the last batch of an epoch is odd
    data = ["--data", str(tmp_path / "few.parquet"), *NETWORK]
    train([*data, "--run", str(tmp_path / "one")], 1)
    said = train([*data, "--run", str(tmp_path / "two")], 2)
    assert said.count("epoch ") == EPOCHS  # the leader alone speaks
    one, two = (load_file(tmp_path / name / "weights.safetensors") for name in ("one", "two"))
    assert one.keys() == two.keys()
    for name, weights in one.items():
        torch.testing.assert_close(two[name], weights, rtol=1e-3, atol=1e-4, msg=name)
    first, second = (
        [json.loads(line)["train_loss"] for line in (tmp_path / name / "history.jsonl").read_text().splitlines()]
        for name in ("one", "two")
    )
    assert second == pytest.approx(first, rel=1e-4)
    assert "finished" in train(["--resume", str(tmp_path / "two")], 2)


def test_a_process_by_itself_is_a_team(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert assembled("cpu") is ALONE
    assert Team().leads
    assert ALONE.told(lambda: 3) == 3


def test_what_several_processes_need_is_said(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setitem(sys.modules, "lightning_fabric", None)
    with pytest.raises(EngineError, match="pip install lightning-fabric"):
        assembled("cpu")
