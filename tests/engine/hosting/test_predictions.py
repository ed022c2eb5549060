"""Predictions of a server, in processes of their own."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import wait

import numpy as np
import psutil
import pytest
from pymatgen.core import Lattice, Structure

from engine import EngineError, Predictor
from engine.hosting import predictions
from engine.hosting.pool import STOPPED, is_final
from engine.hosting.predictions import ask, outcome, share_done
from engine.limits import Limits, enforce
from tests.engine.runs.test_run import wait_until
from tests.engine.small import materials

MODEL = "e3nn-scratch"
LARGE = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.2), ["Mg", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])


@pytest.fixture(scope="module", autouse=True)
def _server(tmp_path_factory):
    """A server with two processes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIELECTRIC_RUNS", str(tmp_path_factory.mktemp("runs")))
        enforce(Limits(predictions_at_once=2, structures_a_day=1000))
        predictions.POOL.end()
        yield
        predictions.POOL.end()
        enforce(Limits())


def slow():
    """A cell that takes many seconds."""
    cell = LARGE * (3, 3, 3)
    cell.perturb(0.05, seed=1)
    return cell


def test_an_answer_is_that_of_the_library():
    structure = materials()[0].structure
    asked = ask("ada", MODEL, 0.0, structure, functional="PBE")
    np.testing.assert_array_equal(
        outcome(asked).total, Predictor.load(MODEL).predict(structure, functional="PBE").total
    )
    assert is_final(asked)


def test_a_model_is_loaded_before_anyone_asks_and_stays_in_its_process():
    loaded = predictions.POOL.schedule(predictions._load, MODEL, 0.0)
    assert loaded.result() is None
    predictions.warm_up(MODEL, 0.0)


def test_how_far_a_crystal_is_can_be_seen_while_its_force_constants_are_computed():
    cell = LARGE.copy()
    cell.perturb(0.03, seed=int(time.time()))  # a new one, of which nothing is kept
    asked = ask("ada", None, 0.0, cell)
    seen = set()
    while not asked.done():
        seen.add(share_done(asked))
        time.sleep(0.05)
    assert outcome(asked).ionic_method == "full"
    assert seen - {0.0, 1.0}
    assert share_done(asked) == 1
    wait_until(lambda: not predictions._notes[asked].exists())  # callbacks run after the answer is there


def test_a_refusal_is_an_answer_too():
    asked = ask("ada", MODEL, 0.0, Structure(Lattice.cubic(0.3), ["Mg"], [[0, 0, 0]]))
    assert isinstance(outcome(asked), EngineError)
    assert is_final(asked)


def test_what_is_stopped_ends_at_once_and_hinders_nobody():
    first, second = (ask("ada", None, 0.0, slow()) for _ in range(2))
    third = ask("grace", MODEL, 0.0, materials()[1].structure)
    wait_until(first.running)
    since = time.monotonic()
    for one in (first, second):
        one.cancel()
        assert str(outcome(one)) == STOPPED
        assert not is_final(one)
    assert time.monotonic() - since < 5
    assert outcome(third).electronic.shape == (3, 3)


def test_a_process_that_is_killed_is_one_lost_answer_and_the_next_comes():
    asked = ask("ada", None, 0.0, slow())
    wait_until(asked.running)
    others = [ask("grace", None, 0.0, slow()) for _ in range(3)]
    time.sleep(1)
    forked = [one for child in psutil.Process().children() for one in child.children()]
    for process in forked:
        os.kill(process.pid, signal.SIGKILL)
    assert "ended without an answer" in str(outcome(asked))
    assert not is_final(asked)
    assert outcome(ask("ada", MODEL, 0.0, materials()[2].structure)).electronic.shape == (3, 3)
    for other in others:
        other.cancel()
    assert all(other.done() for other in others)


def test_no_more_are_worked_on_than_the_limit_says():
    asked = [ask("ada", MODEL, 0.0, materials()[3 + number].structure) for number in range(6)]
    most = 0
    while not all(one.done() for one in asked):
        most = max(most, sum(one.running() for one in asked))
        time.sleep(0.002)
    assert 1 <= most <= 2
    wait(asked)
    enforce(Limits(predictions_at_once=2, structures_a_day=1))
    with pytest.raises(EngineError, match="1 more would exceed today's 1"):
        ask("ada", MODEL, 0.0, materials()[0].structure)


def test_processes_end_with_their_server():
    code = (
        "import sys\nfrom engine import load_dataset\nfrom engine.hosting.predictions import ask, outcome\n"
        "outcome(ask('ada', 'e3nn-scratch', 0.0, load_dataset('petousis-2017')[0].structure))\n"
        "import psutil\nprint(*[one.pid for one in psutil.Process().children(recursive=True)], flush=True)\n"
        "sys.stdin.readline()\n"
    )
    server = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    pids = [int(pid) for pid in server.stdout.readline().split()]
    assert pids
    server.kill()
    server.communicate()
    wait_until(lambda: not any(psutil.pid_exists(pid) and _lives(pid) for pid in pids))


def _lives(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
