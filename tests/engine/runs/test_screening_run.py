"""A screening is a process of its own that can be followed, stopped, killed and gone on with."""

import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from engine import EngineError
from engine.limits import Limits, enforce, in_force
from engine.runs import screening_run
from engine.runs.folder import STATUS
from engine.runs.screening_run import Screening, seconds_expected
from engine.runs.uploads import unpacked
from engine.screening.parts import Settings
from engine.screening.table import read_row, read_table, structure_of, to_csv, to_parquet

SOON = 600  # s; Dask's workers load torch, and the machine may be busy
ELECTRONIC = Settings(model="e3nn-scratch", targets=("electronic",))  # which takes the least to load
SALT = "{symbol}\n1.0\n0 {a} {a}\n{a} 0 {a}\n{a} {a} 0\n{symbol} Cl\n1 1\ndirect\n0 0 0\n0.5 0.5 0.5\n"


@pytest.fixture(autouse=True)
def runs(tmp_path, monkeypatch):
    monkeypatch.setenv("DIELECTRIC_RUNS", str(tmp_path))
    return tmp_path


def salts(count):
    return [
        (f"salt {number}.vasp", SALT.format(symbol="Na", a=2.7 + 0.01 * number).encode())
        for number in range(count)
    ]


def wait_until(holds):
    deadline = time.monotonic() + SOON
    while not holds():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.1)


def begun(screening):
    screening.resume()
    return screening


def test_what_was_brought_is_answered_file_by_file_whatever_it_is_called(runs):
    files = [
        ("../../NaCl", SALT.format(symbol="Na", a=2.82).encode()),
        ("same.cif", b"data_x\n_cell_length_a nonsense\n"),
        ("same.cif", SALT.format(symbol="K", a=3.14).encode()),
        (".hidden", b""),
        ("", SALT.format(symbol="Rb", a=3.27).encode()),
    ]
    screening = begun(Screening.of_files(files, ELECTRONIC, "mine", workers=1))
    assert screening.state() in ("starting", "running")
    with pytest.raises(EngineError, match="is at work already"):
        screening.resume()
    with pytest.raises(EngineError, match="stop it before"):
        screening.delete()
    wait_until(lambda: screening.state() == "finished")
    rows = read_table(screening.tables())
    assert len(rows) == len(files)
    assert sorted(rows["formula"].dropna()) == ["KCl", "NaCl", "RbCl"]
    assert rows["error"].notna().sum() == screening.progress().refused == 2
    assert {path.parent for path in runs.rglob("*NaCl*")} == {screening.folder / screening_run.STRUCTURES}
    assert [one.asked.title for one in Screening.all()] == ["mine"]
    answered = rows[rows["error"].isna()]
    assert (answered["width_electronic"] >= 1).all()
    row = read_row(screening.tables(), answered["source"].iloc[0])
    assert structure_of(row).composition.reduced_formula == row["formula"]
    taken = to_csv(screening.tables(), [0, 1]).decode().splitlines()
    assert len(taken) == 3
    again = runs / "again.parquet"
    again.write_bytes(to_parquet(screening.tables(), answered.index.tolist()))
    assert screening_run.count_of(str(again)) == 3
    screening.delete()
    assert Screening.all() == []


def test_a_screening_that_was_stopped_and_one_that_was_killed_keep_their_rows_and_go_on_to_the_end():
    screening = begun(Screening.of_files(salts(80), ELECTRONIC, workers=1))
    wait_until(lambda: len(screening.tables()) >= 1)
    screening.stop()
    wait_until(lambda: screening.state() == "stopped")
    assert screening.error() is None
    kept = set(read_table(screening.tables())["source"])
    assert kept
    screening.resume()
    wait_until(lambda: screening.state() == "running" and len(read_table(screening.tables())) > len(kept))
    os.kill(json.loads((screening.folder / STATUS).read_text())["pid"], signal.SIGKILL)
    wait_until(lambda: screening.state() == "failed")
    assert "go on" in screening.error()
    kept |= set(read_table(screening.tables())["source"])
    screening.resume()
    wait_until(lambda: screening.state() == "finished")
    sources = read_table(screening.tables())["source"].tolist()
    assert kept <= set(sources)
    assert len(sources) == len(set(sources)) == 80


def test_a_screening_stopped_before_it_began_is_stopped():
    screening = begun(Screening.of_ids("mp-149", ELECTRONIC))
    screening.stop()
    wait_until(lambda: screening.state() == "stopped")
    assert screening.error() is None


def test_a_stranger_who_has_the_number_of_a_dead_process_is_left_alone():
    screening = Screening.of_ids("mp-149", ELECTRONIC)
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as stranger:
        (screening.folder / STATUS).write_text(json.dumps({"state": "starting", "pid": stranger.pid}))
        assert screening.state() == "failed"
        screening.stop()
        time.sleep(0.5)
        assert stranger.poll() is None
        stranger.kill()


def test_what_cannot_be_screened_says_so():
    screening = begun(Screening.of_ids("mp-149 rutile", ELECTRONIC))
    wait_until(lambda: screening.state() == "failed")
    assert "rutile" in screening.error()
    with pytest.raises(EngineError, match="no such data set"):
        Screening.of_set("nowhere", ELECTRONIC)
    with pytest.raises(EngineError, match="choose files"):
        Screening.of_files([], ELECTRONIC)


def archive(**files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in files.items():
            file.writestr(name, text)
    return content.getvalue()


def test_an_archive_is_unpacked_within_limits():
    inside = {"a/NaCl.cif": "data_a", "__MACOSX/a/NaCl.cif": "x", "a/.DS_Store": "x", "a/": ""}
    assert list(unpacked([("some.zip", archive(**inside)), ("b.cif", b"data_b")])) == [
        ("a/NaCl.cif", b"data_a"),
        ("b.cif", b"data_b"),
    ]
    with pytest.raises(EngineError, match=r"some\.zip: cannot be unpacked"):
        list(unpacked([("some.zip", b"PK\x03\x04 and nothing more")]))


def test_an_archive_that_would_fill_the_disk_is_refused(monkeypatch):
    monkeypatch.setattr("engine.runs.uploads.MOST_UNPACKED", 1000)
    with pytest.raises(EngineError, match="split it"):
        Screening.of_files([("bomb.zip", archive(**{"a.cif": "0" * 10_000}))], ELECTRONIC)
    assert Screening.all() == []


def test_archives_hold_no_more_files_and_bytes_together_than_a_server_takes():
    two = archive(**{"a.cif": "data_a", "b.cif": "data_b"})
    before = in_force()
    try:
        enforce(Limits(archive_files=3))
        assert len(list(unpacked([("one.zip", two)]))) == 2
        with pytest.raises(EngineError, match=r"two\.zip: holds 2 files, at most 1 are taken at once"):
            list(unpacked([("one.zip", two), ("two.zip", two)]))
        enforce(Limits(uploads_mib=1))
        with pytest.raises(EngineError, match=r"unpacks to 2 MiB, at most 1 MiB"):
            list(unpacked([("large.zip", archive(**{"a.cif": "0" * 2 * 1024**2}))]))
    finally:
        enforce(before)


def test_the_time_needed_grows_with_the_structures_and_falls_with_the_processes():
    few, known = seconds_expected(100, ELECTRONIC, workers=2)
    assert not known
    assert few < seconds_expected(1000, ELECTRONIC, workers=2)[0]
    assert few > seconds_expected(100, ELECTRONIC, workers=8)[0]


def test_folders_that_hold_no_screening_are_told_apart(tmp_path: Path):
    with pytest.raises(EngineError, match="holds no screening"):
        Screening.open(tmp_path)
