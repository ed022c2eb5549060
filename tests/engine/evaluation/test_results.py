"""What a results file says of its own making."""

import json
from pathlib import Path

import pytest

from benchmarks import measure
from engine.errors import EngineError
from engine.evaluation.provenance import code_version
from engine.evaluation.results import read_origin


def written(folder: Path, content: object) -> Path:
    path = folder / "found.json"
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize(
    ("code", "doubt"), [("ffe9d33e1f0d", ""), ("ffe9d33e1f0d+changes", "No commit"), ("unknown", "not recorded")]
)
def test_figures_can_be_traced_where_a_commit_holds_their_code(tmp_path: Path, code: str, doubt: str) -> None:
    origin = read_origin(written(tmp_path, {"about": {"code": code, "machine": "two cores", "seeds": "0"}}))
    assert (origin.code, origin.machine) == (code, "two cores")
    assert doubt in origin.doubt
    assert bool(doubt) == bool(origin.doubt)


def test_a_file_that_does_not_name_its_code_cannot_be_traced(tmp_path: Path) -> None:
    origin = read_origin(written(tmp_path, {"rows": [], "machine": {"cpu": "AMD EPYC", "cores": 2, "gpu": None}}))
    assert origin.doubt == "It is not recorded which code measured these figures."
    assert origin.machine == "cpu AMD EPYC, cores 2"


def test_a_missing_file_and_a_damaged_one_are_told_apart(tmp_path: Path) -> None:
    assert read_origin(tmp_path / "none.json") is None
    with pytest.raises(EngineError, match="must hold a JSON object"):
        read_origin(written(tmp_path, ["no", "figures"]))


def test_a_benchmark_writes_the_code_the_day_and_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "RESULTS", tmp_path)
    measure.report("speed", ("crystals",), [(7,)], data="petousis-2017")
    origin = read_origin(tmp_path / "speed.json")
    assert origin.code == code_version()
    assert len(origin.date) == len("2026-11-25")
    assert origin.machine == measure.machine()


def test_figures_of_an_earlier_version_of_the_model_say_so(tmp_path):
    dates = ("2026-11-25", "2026-11-26", "")
    old, new, unknown = (read_origin(written(tmp_path, {"about": {"code": "abc", "date": d}})) for d in dates)
    assert old.age(new) == "Measured on 2026-11-25, before the model was trained anew on 2026-11-26."
    assert old.age(old) == new.age(old) == unknown.age(new) == ""
