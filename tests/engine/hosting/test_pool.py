"""Processes of a server: begun without holding anyone up, whatever script runs, and stopped at any moment."""

import os
import signal
import sys
import time
from concurrent.futures import wait
from types import ModuleType

import pytest

from engine.errors import EngineError
from engine.hosting.pool import STOPPED, Pool, is_final, outcome
from tests.engine.runs.test_run import wait_until


@pytest.fixture
def pool():
    own = Pool(lambda: 1)
    yield own
    own.end()


def test_beginning_holds_nobody_up_and_the_answer_comes(pool):
    since = time.monotonic()
    asked = pool.schedule(os.getpid)
    assert time.monotonic() - since < 0.5
    assert outcome(asked, "counted") != os.getpid()
    assert outcome(pool.schedule(os.getpid), "counted") == asked.result()


def test_what_waits_for_a_process_can_be_stopped_before_there_is_one(pool):
    first, second = pool.schedule(time.sleep, 0), pool.schedule(time.sleep, 60)
    assert second.cancel()
    assert second.cancel()
    assert second in wait([second], 1).done
    with pytest.raises(EngineError, match=STOPPED):
        outcome(second, "slept")
    assert not is_final(second)
    assert outcome(first, "slept") is None
    assert outcome(pool.schedule(int), "counted") == 0


def test_what_is_at_work_ends_when_it_is_stopped(pool):
    asked = pool.schedule(time.sleep, 60)
    wait_until(asked.running)
    since = time.monotonic()
    asked.cancel()
    assert outcome(pool.schedule(int), "counted") == 0
    assert time.monotonic() - since < 10


def test_an_error_of_the_work_is_that_of_the_answer(pool):
    with pytest.raises(ZeroDivisionError):
        outcome(pool.schedule(divmod, 1, 0), "divided")
    assert is_final(pool.schedule(divmod, 1, 0))


def test_no_process_runs_the_script_that_runs_just_now(pool, tmp_path, monkeypatch):
    page = tmp_path / "page.py"
    page.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    script = ModuleType("__main__")
    script.__file__ = str(page)
    monkeypatch.setitem(sys.modules, "__main__", script)
    assert outcome(pool.schedule(int), "counted") == 0
    assert not (tmp_path / "ran").exists()


def test_what_waits_as_its_processes_are_killed_is_asked_again(pool):
    worker = outcome(pool.schedule(os.getpid), "counted")
    os.kill(worker, signal.SIGKILL)
    # More than a pipe holds: what gives out the first waits for a process to take it, and the others wait behind.
    asked = [pool.schedule(len, bytes(200_000)) for _ in range(3)]
    assert wait(asked, 60).not_done == set()
    assert [outcome(one, "counted") for one in asked] == 3 * [200_000]
    assert pool.begun == 2
    assert outcome(pool.schedule(os.getpid), "counted") != worker


def test_what_kills_its_process_is_not_asked_again(pool):
    asked = pool.schedule(os._exit, 1)
    with pytest.raises(EngineError, match="the process that counted ended without an answer"):
        outcome(asked, "counted")
    assert not is_final(asked)
    assert outcome(pool.schedule(int), "counted") == 0
