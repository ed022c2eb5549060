"""Files from strangers: each is answered as the corpus says, in time, by a process that lives on."""

import json
import subprocess
import sys
import zlib
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from engine import EngineError
from engine.crystals.reader import read_each, read_path
from engine.files import ROOT
from engine.runs.uploads import unpacked, write_files
from tests.hostile.answers import answers
from tests.hostile.bytes_and_archives import archives
from tests.hostile.corpus import corpus
from tests.hostile.promises import MEMORY, SECONDS, plain
from tests.hostile.seeds import RUTILE, valid_files

COMMAND = [sys.executable, "-m", "engine", "screen"]
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # of names given twice, and of oganesson
OPTIONS = ["--model", "e3nn-scratch", "--target", "electronic", "--device", "cpu", "--workers", "2"]
ODD_NAMES = (b"a\nb.cif", b"\xff\xfe.cif", b"POSCAR ", b"a\rb.vasp")


def test_every_file_is_read_or_refused_in_a_plain_sentence_within_time_and_memory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = list(answers())
    assert {one.case.about: one.broken for one in told if one.broken} == {}
    late = [one.case.about for one in told if one.usage.seconds > SECONDS]
    large = [one.case.about for one in told if max(one.usage.here, one.usage.reader) > MEMORY]
    assert (late, large) == ([], [])
    assert list(tmp_path.iterdir()) == []  # nothing that was called wrote here
    assert len(read_path(RUTILE)[0]) == 6


def test_the_corpus_is_the_same_on_every_run_and_says_each_thing_once():
    code = "from tests.hostile.corpus import corpus; import zlib; print([zlib.crc32(c.content) for c in corpus()])"
    again = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(again.stdout) == [zlib.crc32(case.content) for case in corpus()]
    assert len({case.about for case in corpus()}) == len(corpus())


@pytest.mark.parametrize("about", list(archives()))
def test_an_archive_is_unpacked_into_its_folder_alone_or_refused_in_a_plain_sentence(about, tmp_path):
    into = tmp_path / "in" / "to"
    into.parent.mkdir()
    try:
        write_files(unpacked([("a.zip", archives()[about])]), into)
    except EngineError as error:
        plain(str(error))
    assert [one.name for one in tmp_path.iterdir()] == ["in"]
    assert [one.name for one in into.parent.iterdir()] == ["to"]
    assert all(one.is_file() and not one.is_symlink() for one in into.iterdir())


def test_ten_thousand_members_of_one_name_all_get_a_file(tmp_path):
    write_files((("a.cif", b"") for _ in range(10_000)), tmp_path / "into")
    assert len(list((tmp_path / "into").iterdir())) == 10_000


def test_as_one_folder_each_file_and_member_has_one_row_of_a_screening(tmp_path):
    folder, out = tmp_path / "files", tmp_path / "out.parquet"
    write_files(unpacked((case.file, case.content) for case in corpus()), folder)
    for name in ODD_NAMES:
        Path(bytes(folder).decode() + "/" + name.decode(errors="surrogateescape")).write_bytes(RUTILE.read_bytes())
    expected = sum(case.rows for case in corpus()) + len(ODD_NAMES)
    done = subprocess.run(
        [*COMMAND, str(folder), "--out", str(out), *OPTIONS], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    rows = pq.read_table(out, columns=["source", "formula", "error", "electronic"]).to_pylist()
    assert len(rows) == expected
    assert len({row["source"] for row in rows}) == expected
    assert all((row["error"] is None) != (row["electronic"] is None) for row in rows)
    for row in rows:
        plain((row["error"] or "read").removeprefix(Path(row["source"]).name))
    assert not out.with_name("out.parquet.parts").exists()


def test_the_valid_files_that_the_fuzzer_damages_are_read():
    answers_to = zip(valid_files(), read_each(valid_files()), strict=True)
    refused = {name for (name, _), answer in answers_to if isinstance(answer, EngineError)}
    assert refused == {"mixed.cif", "mixed.json"}  # disordered
