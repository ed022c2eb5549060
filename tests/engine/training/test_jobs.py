"""Networks are trained by whoever is there: processes of this machine, or a cluster's, with the same result."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import psutil
import pytest
import torch

from engine import EngineError
from engine.data.parquet import write_materials
from engine.files import ROOT
from engine.training.fold_training import NetworkJob, train_networks
from tests.dask_processes import dask, free_port
from tests.engine.small import config, materials

ENDLESS = """
import os, signal, time
from contextlib import suppress
from pathlib import Path
from engine.training.jobs import run_jobs

class Endless:
    device = "cpu"

    def is_done(self):
        return False

    def run(self):
        Path(f"at-work-{os.getpid()}").touch()
        while True:
            time.sleep(1)

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell has in the background ignored
    for _ in range(2):
        with suppress(KeyboardInterrupt):
            run_jobs([Endless(), Endless()], "endless jobs", 2)
"""
SOON = 300  # s; processes load torch, and the machine may be busy
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


def test_who_trains_ends_with_whoever_asked_for_it_were_it_interrupted_or_killed(tmp_path):
    (tmp_path / "endless.py").write_text(ENDLESS)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    run = subprocess.Popen([sys.executable, "endless.py"], cwd=tmp_path, env=environment)
    for how in (signal.SIGINT, signal.SIGKILL):
        until(lambda: len(list(tmp_path.glob("at-work-*"))) == 2)
        at_work = []
        for path in tmp_path.glob("at-work-*"):
            at_work.append(psutil.Process(int(path.name.rpartition("-")[2])))
            path.unlink()
        assert all(is_alive(one) for one in at_work)
        run.send_signal(how)
        until(lambda those=at_work: not any(is_alive(one) for one in those))
    run.wait()


def is_alive(process):
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def until(condition):
    deadline = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)
