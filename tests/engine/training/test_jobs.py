"""Networks are trained by whoever is there: processes of this machine, or a cluster's, with the same result."""

from dataclasses import replace

import pytest
import torch

from engine import EngineError
from engine.data.parquet import write_materials
from engine.training.fold_training import NetworkJob, train_networks
from tests.dask_processes import dask, free_port
from tests.engine.small import config, materials

NOWHERE = "tcp://127.0.0.1:1"


@pytest.fixture
def data(tmp_path):
    write_materials(tmp_path / "small.parquet", materials(20))
    return str(tmp_path / "small.parquet")


def jobs(data, folder):
    configs = [replace(config(epochs=1), seed=seed) for seed in range(2)]
    return [
        NetworkJob(data=data, config=one, held_out=frozenset(), folder=folder / f"{one.seed}", name=f"{one.seed}")
        for one in configs
    ]


def test_a_cluster_trains_the_networks_that_this_machine_would(data, tmp_path, capfd):
    here = train_networks(jobs(data, tmp_path / "here"), workers=1)
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    with (
        dask("scheduler", "--host", "127.0.0.1", "--port", port),
        dask("worker", address, "--nthreads", 1, "--local-directory", tmp_path),
    ):
        there = train_networks(jobs(data, tmp_path / "there"), address)
    for one, other in zip(here, there, strict=True):
        mine, theirs = one.networks[0].state_dict(), other.networks[0].state_dict()
        assert all(torch.equal(mine[name], theirs[name]) for name in mine)
    assert "2 of 2 networks are finished" in capfd.readouterr().err
    train_networks(jobs(data, tmp_path / "there"), NOWHERE)  # nothing is left to do


def test_a_scheduler_that_does_not_answer_is_named(data, tmp_path):
    with pytest.raises(EngineError, match=r"tcp://127\.0\.0\.1:1: the scheduler does not answer"):
        train_networks(jobs(data, tmp_path), NOWHERE)
