"""What a server's visitors may ask of it, and that no way leads around it."""

import os
import re
import threading
from datetime import date

import pytest

from engine import EngineError, Run
from engine.data.parquet import write_materials
from engine.files import ROOT
from engine.limits import FILE, Limits, enforce, read_limits
from engine.model.memory import free_memory
from engine.runs import spent
from engine.runs.screening_run import Screening
from engine.screening.parts import Settings
from engine.usage import charge
from tests.engine.runs.test_run import wait_until
from tests.engine.small import config, materials

SCRATCH = Settings(model="e3nn-scratch", targets=("electronic",))
TWO_SALTS = '2\nLattice="3.9 0 0 0 3.9 0 0 0 3.9" pbc="T T T"\nCs 0 0 0\nCl 1.95 1.95 1.95\n' * 2


@pytest.fixture(autouse=True)
def _server(tmp_path, monkeypatch):
    """A server of its own, whose limits are lifted afterwards."""
    monkeypatch.setenv("DIELECTRIC_RUNS", str(tmp_path / "runs"))
    yield
    enforce(Limits())


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "small.parquet"
    write_materials(path, materials())
    return str(path)


def stop(job):
    job.stop()
    wait_until(lambda: job.state() not in ("starting", "running", "stopping"))


def test_the_shipped_file_bounds_everything_that_can_be_bounded():
    shipped = read_limits(ROOT / FILE)
    assert all(getattr(shipped, name) < float("inf") for name in Limits.__dataclass_fields__)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("trainings = 1", "trainings is no limit; there are trainings_at_once"),
        ("memory_gib = 0", "must be a number above 0, got 0"),
        ("memory_gib = true", "must be a number above 0, got True"),
        ('memory_gib = "8"', "must be a number above 0, got '8'"),
        ("memory_gib", "cannot be read"),
    ],
)
def test_a_mistake_in_the_file_is_named_and_not_taken_for_no_limit(tmp_path, text, reason):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(EngineError, match=re.escape(reason)):
        read_limits(tmp_path / FILE)


def test_one_training_more_than_may_run_is_refused_and_leaves_nothing(data):
    enforce(Limits(trainings_at_once=1))
    run = Run.start(config(epochs=500), data)
    with pytest.raises(EngineError, match="1 training run at work, and this server does 1 at once"):
        Run.start(config(), data)
    assert [one.name for one in Run.all()] == [run.name]
    stop(run)
    run.resume()
    stop(run)


def test_of_many_who_start_one_at_the_same_moment_one_may(data):
    enforce(Limits(trainings_at_once=1))
    refused = []

    def ask():
        try:
            Run.start(config(epochs=500), data)
        except EngineError as error:
            refused.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 3
    (run,) = Run.all()
    stop(run)


def test_a_training_that_has_had_its_time_is_stopped_with_all_it_learnt_and_does_not_go_on(data):
    run = Run.create(config(epochs=100_000), data)
    enforce(Limits(training_hours=12 / 3600))
    run.resume()
    wait_until(lambda: run.state() == "stopped")
    assert run.has_model
    assert spent.seconds(run.folder) >= 11
    enforce(Limits(training_hours=11 / 3600))
    with pytest.raises(EngineError, match="hours that one may take"):
        run.resume()


def test_files_that_hold_more_structures_than_are_left_of_the_day_are_refused_by_what_they_hold():
    enforce(Limits(structures_a_day=2))
    first = Screening.of_files([("salts.extxyz", TWO_SALTS.encode())], SCRATCH)
    first.begin("ada")
    wait_until(lambda: first.state() == "finished")
    again = Screening.of_files([("salts.extxyz", TWO_SALTS.encode())], SCRATCH)
    again.begin("ada")
    wait_until(lambda: again.state() == "failed")
    assert "2 more would exceed today's 2 structures, of which 0 are left" in again.error()
    again.begin("grace")
    wait_until(lambda: again.state() == "finished")


def test_the_count_of_the_day_holds_for_one_visitor_and_begins_anew_the_next(tmp_path, monkeypatch):
    path = tmp_path / "usage.json"
    charge(path, "ada", 3, 4)
    with pytest.raises(EngineError, match="2 more would exceed today's 4 structures, of which 1 are"):
        charge(path, "ada", 2, 4)
    charge(path, "ada", 1, 4)
    charge(path, "grace", 4, 4)
    assert "ada" not in path.read_text()
    path.write_text(path.read_text().replace(date.today().isoformat(), "2001-01-01"))
    charge(path, "ada", 4, 4)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"day": 1}', '{"day": "TODAY", "visitors": 3}'])
def test_a_damaged_count_shuts_nobody_out(tmp_path, content):
    path = tmp_path / "usage.json"
    path.write_text(content.replace("TODAY", date.today().isoformat()))
    charge(path, "ada", 4, 4)
    with pytest.raises(EngineError):
        charge(path, "ada", 1, 4)


def test_memory_that_the_server_may_take_is_less_than_the_machine_has():
    unbounded = free_memory()
    enforce(Limits(memory_gib=2))
    assert free_memory() < min(2 * 1024**3, unbounded)


def test_no_more_is_kept_than_there_is_room_for(data):
    run = Run.create(config(), data)
    (run.folder / "large").write_bytes(bytes(2**20))
    enforce(Limits(kept_gib=2**-10))
    with pytest.raises(EngineError, match="delete some that nobody needs"):
        Run.create(config(), data)
    with pytest.raises(EngineError, match="delete some that nobody needs"):
        Screening.of_ids("mp-149", SCRATCH)
    run.delete()
    Run.create(config(), data)


def test_a_job_leaves_the_processor_to_whoever_waits_for_a_page(data):
    run = Run.start(config(epochs=500), data)
    assert os.getpriority(os.PRIO_PROCESS, run.told()["pid"]) > os.getpriority(os.PRIO_PROCESS, 0)
    stop(run)
