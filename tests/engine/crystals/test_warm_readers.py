"""One process reads file after file, and is never asked twice at once."""

import multiprocessing
from pathlib import Path

import pytest

from engine.crystals import reader_process, warm_readers
from engine.crystals.reader import read_path
from engine.errors import EngineError

RUTILE = Path(__file__).parents[2] / "files" / "rutile.cif"


def test_the_process_that_read_one_file_reads_the_next():
    read_path(RUTILE)
    (reader,) = warm_readers._idle
    read_path(RUTILE)
    assert warm_readers._idle == [reader]


def test_after_a_reader_has_died_the_next_file_is_read_by_another(tmp_path, monkeypatch):
    broken = tmp_path / "broken.py"
    broken.write_text("")
    with monkeypatch.context() as patch:
        patch.setattr(reader_process, "__file__", str(broken))
        with pytest.raises(EngineError, match=r"rutile\.cif: reading it took too much time or memory"):
            read_path(RUTILE)
    assert len(read_path(RUTILE)[0]) == 6


def test_a_process_that_forks_leaves_the_reader_to_its_parent():
    read_path(RUTILE)
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply(_kept) == 0
    assert _kept() == 1


def _kept() -> int:
    return len(warm_readers._idle)
