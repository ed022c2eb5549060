"""Whatever is killed at whatever moment, each structure of the input has one row in the end, and the right one."""

import signal
import subprocess
import sys
import time

import psutil
import pyarrow.parquet as pq
import pytest

from engine import EngineError
from engine.screening.parts import Settings
from engine.screening.plan import read_plan
from engine.screening.screening import folder_of, screen
from engine.screening.task import do_part
from tests.dask_processes import dask, free_port
from tests.engine.screening.inputs import BAD, SMALL, crystals, write_folder, xyz

SOON = 120  # s
COMMAND = [sys.executable, "-m", "engine", "screen"]
OPTIONS = ["--model", "e3nn-scratch", "--target", "electronic", "--device", "cpu"]


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """An input of 240 frames, and the rows that it comes to when nothing goes wrong."""
    folder = tmp_path_factory.mktemp("many")
    (folder / "many.extxyz").write_text(xyz(crystals() * 20))
    seen = []
    found = screen(str(folder / "many.extxyz"), folder / "all.parquet", SMALL, workers=2, show=seen.append)
    assert [one.state for one in (seen[0], seen[-1])] == ["reading", "finished"]
    assert [one.done for one in seen] == sorted(one.done for one in seen)
    assert (found.rows, found.refused, found.done) == (240, 0, 240)
    assert not folder_of(folder / "all.parquet").exists()
    return folder / "many.extxyz", pq.read_table(folder / "all.parquet")


def same(found, expected):
    """Each structure once, in order, with its numbers."""
    rows, wanted = found.to_pylist(), expected.to_pylist()
    assert [row["source"] for row in rows] == [row["source"] for row in wanted]
    assert [row["electronic"] for row in rows] == pytest.approx([row["electronic"] for row in wanted], rel=1e-5)


def started(*arguments):
    return subprocess.Popen([*COMMAND, *map(str, arguments), *OPTIONS], stderr=subprocess.PIPE, text=True)


def wait_until(condition):
    deadline = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


def workers_of(run):
    """Processes that do the parts: children of the server that forks them."""
    (server,) = (one for one in psutil.Process(run.pid).children() if "forkserver" in " ".join(one.cmdline()))
    return server.children()


def parts_of(out):
    return list(folder_of(out).glob("part-*.parquet"))


def test_a_folder_becomes_a_table_in_which_refused_files_have_their_reason(tmp_path):
    names = write_folder(tmp_path / "in")
    found = screen(str(tmp_path / "in"), tmp_path / "out.parquet", SMALL, workers=1)
    rows = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert [row["source"] for row in rows] == names
    assert {row["source"].rpartition("/")[2] for row in rows if row["error"]} == set(BAD)
    assert (found.rows, found.refused) == (len(names), len(BAD))
    again = screen(str(tmp_path / "in"), tmp_path / "out.parquet", SMALL, resume=True)
    assert again == found
    with pytest.raises(EngineError, match="is there already"):
        screen(str(tmp_path / "in"), tmp_path / "out.parquet", SMALL)


def test_a_screening_that_was_killed_goes_on_and_asks_nothing_again(many, tmp_path):
    source, expected = many
    out = tmp_path / "out.parquet"
    run = started(source, "--out", out, "--workers", 1)
    wait_until(lambda: len(parts_of(out)) >= 2)
    run.kill()
    run.wait()
    assert not out.exists()
    with pytest.raises(EngineError, match="holds a screening that was stopped: go on with --resume"):
        screen(str(source), out, SMALL)
    before = {path: path.stat().st_mtime_ns for path in parts_of(out)}
    seen = []

    def look(progress):
        seen.append({path: path.stat().st_mtime_ns for path in before if path.exists()})

    screen(str(source), out, SMALL, resume=True, workers=2, show=look)
    assert all(one == before for one in seen)
    same(pq.read_table(out), expected)


def test_a_screening_that_is_stopped_leaves_no_process_and_says_so(many, tmp_path):
    source, expected = many
    out = tmp_path / "out.parquet"
    run = started(source, "--out", out, "--workers", 2)
    wait_until(lambda: parts_of(out))
    children = psutil.Process(run.pid).children(recursive=True)
    run.send_signal(signal.SIGTERM)
    assert run.wait(30) == 1
    assert '"stopped"' in (folder_of(out) / "progress.json").read_text()
    wait_until(lambda: not [one for one in children if one.is_running() and one.status() != psutil.STATUS_ZOMBIE])
    screen(str(source), out, SMALL, resume=True, workers=1)
    same(pq.read_table(out), expected)


def test_a_worker_that_is_killed_costs_nothing_but_time(many, tmp_path):
    source, expected = many
    out = tmp_path / "out.parquet"
    run = started(source, "--out", out, "--workers", 2)
    wait_until(lambda: parts_of(out))
    for worker in workers_of(run):
        worker.kill()
    assert run.wait(SOON) == 0, run.stderr.read()
    same(pq.read_table(out), expected)


def test_two_processes_do_not_work_on_one_result(many, tmp_path):
    source, _ = many
    out = tmp_path / "out.parquet"
    run = started(source, "--out", out, "--workers", 1)
    wait_until(lambda: (folder_of(out) / "plan.json").exists())
    with pytest.raises(EngineError, match="another process is at work on it"):
        screen(str(source), out, SMALL, resume=True)
    run.kill()
    run.wait()


def test_a_half_of_a_part_that_another_did_counts(many, tmp_path):
    """As after a part ended its process three times, and the whole run was killed then."""
    source, expected = many
    out = tmp_path / "out.parquet"
    run = started(source, "--out", out, "--workers", 1)
    wait_until(lambda: (folder_of(out) / "plan.json").exists())
    run.kill()
    run.wait()
    plan = read_plan(folder_of(out), str(source), SMALL)
    first, _ = plan.parts[-1].halves()
    do_part(first.halves()[1], SMALL, folder_of(out))
    screen(str(source), out, SMALL, resume=True, workers=1)
    same(pq.read_table(out), expected)


def test_workers_elsewhere_do_the_work_and_a_scheduler_that_restarts_is_waited_for(many, tmp_path):
    source, expected = many
    out, port = tmp_path / "out.parquet", free_port()
    address = f"tcp://127.0.0.1:{port}"
    scheduler = ("scheduler", "--host", "127.0.0.1", "--port", port)
    worker = ("worker", address, "--nthreads", 1, "--local-directory", tmp_path)
    run = started(source, "--out", out, "--scheduler", address)  # before there is one
    with dask(*scheduler) as first, dask(*worker):
        wait_until(lambda: len(parts_of(out)) >= 2)
        first.kill()
        first.wait()
    with dask(*scheduler), dask(*worker), dask(*worker):
        assert run.wait(SOON) == 0, run.stderr.read()
    same(pq.read_table(out), expected)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (Settings(model="nothing-of-the-kind"), "nothing-of-the-kind"),
        (Settings(model="e3nn-scratch", functional="PBEsol"), "answers as PBE would, got 'PBEsol'"),
    ],
)
def test_what_no_structure_could_be_answered_by_ends_the_screening_and_leaves_nothing(settings, reason, tmp_path):
    (tmp_path / "one.extxyz").write_text(xyz(crystals()[:1]))
    out = tmp_path / "out.parquet"
    with pytest.raises(EngineError, match=reason):
        screen(str(tmp_path / "one.extxyz"), out, settings, workers=1)
    assert not out.exists()
    assert not folder_of(out).exists()


def test_an_input_that_is_none_and_a_number_of_workers_that_is_none_are_refused_and_leave_nothing(tmp_path):
    out = tmp_path / "out.parquet"
    with pytest.raises(EngineError, match="no file, folder or data set"):
        screen(str(tmp_path / "nowhere"), out, SMALL)
    with pytest.raises(EngineError, match="workers must be at least 1, got 0"):
        screen("mp-149", out, SMALL, workers=0)
    assert not folder_of(out).exists()


def test_a_process_killed_between_its_result_and_tidying_up_is_finished_by_the_next(many, tmp_path):
    source, expected = many
    out = tmp_path / "all.parquet"
    pq.write_table(expected, out)
    folder_of(out).mkdir()
    (folder_of(out) / "plan.json").write_text("{}")
    assert screen(str(source), out, SMALL, resume=True).rows == len(expected)
    assert not folder_of(out).exists()
    same(pq.read_table(out), expected)
