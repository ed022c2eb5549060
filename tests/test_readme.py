"""What README promises works as it stands there."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.readme_tables import pages
from engine.cli import _parser
from engine.data.datasets import EMBEDDED, load_dataset
from engine.files import RESULTS_FOLDER

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    """Fenced code of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def run(command: list[str]) -> str:
    """Standard output of a command that must succeed, `python` being the one that runs this test."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "PATH": path}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_python_snippet_runs_and_prints_a_tensor_and_an_index(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    (snippet,) = blocks("python")
    monkeypatch.chdir(ROOT)
    exec(snippet, {"__name__": "__main__"})  # noqa: S102 - our own
    output = capsys.readouterr().out
    assert output.count("[") >= 4
    assert re.search(r"n = [1-9]\.\d\d, DFPT [1-9]\.\d\d", output)


def test_the_command_line_call_prints_the_tensors_of_the_file_as_json():
    (call,) = blocks("bash")
    (record,) = json.loads(run(["bash", "-c", call]))
    assert record["formula"] == "TiO2"
    assert record["error"] is None
    np.testing.assert_allclose(np.array(record["electronic"]) + record["ionic"], record["total"], rtol=1e-6)


def test_every_local_file_that_a_readme_names_exists():
    for readme in (ROOT / "README.md", ROOT / "data" / "README.md"):
        links = re.findall(r"\]\((?!http)([^)]+)\)", readme.read_text())
        assert not [link for link in links if not (readme.parent / link).exists()]


def test_the_numbers_of_crystals_in_the_readmes_are_those_of_the_files():
    for name in EMBEDDED:
        crystals = f"{len(load_dataset(name)):,}"
        assert re.search(rf"`{name}` \| {crystals} \|", README)
        assert f"`{name}.parquet` | {crystals} |" in (ROOT / "data" / "README.md").read_text()


def test_every_flagged_row_is_named_in_the_data_readme():
    text = (ROOT / "data" / "README.md").read_text()
    for material in load_dataset("petousis-2017"):
        for flag in material.flags:
            assert re.search(rf"`{flag}`.*{material.material_id}\b", text)


def test_every_table_of_figures_is_the_one_that_the_results_give():
    for path, text in pages().items():
        assert path.read_text() == text, f"{path}: python -m benchmarks.readme_tables brings it up to date"


def test_the_command_on_a_card_asks_for_the_networks_that_were_judged():
    judged = 0
    for card in (ROOT / "models").glob("*/card.md"):
        for command in re.findall(r"`python -m engine (evaluate [^`]+)`", card.read_text()):
            asked = _parser().parse_args(shlex.split(command))
            about = json.loads((RESULTS_FOLDER / f"{card.parent.name}.json").read_text())["about"]
            assert (asked.seeds or 3) == len(about["seeds"].split(", ")), card
            assert about["folds"].startswith(f"{asked.folds}, "), card
            judged += 1
    assert judged == 3


def test_a_table_from_changed_code_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for file in RESULTS_FOLDER.glob("*.json"):
        content = json.loads(file.read_text())
        if "about" in content:
            content["about"]["code"] = "abc+changes" if file.stem == "layered" else "abc"
        (tmp_path / file.name).write_text(json.dumps(content))
    monkeypatch.setattr("benchmarks.readme_tables.RESULTS", tmp_path)
    monkeypatch.setattr("engine.evaluation.results.RESULTS_FOLDER", tmp_path)
    text = pages()[ROOT / "README.md"]
    layered = text[text.index("all: mean") : text.index("The refractive index alone")]
    assert text.count("No commit holds") == layered.count("No commit holds the code that measured") == 1


def test_the_figures_say_what_chose_and_taught_what_they_judge():
    tables = " ".join(README[README.index("<!-- tables") : README.index("<!-- end of tables")].split())
    assert "3,819 refractive indices and the phonon calculations of 4,403 crystals did too" in tables
    assert "the form of the electronic readout with the second" in tables
    assert "the form of the dipoles was chosen with such crystals in view" in tables
    assert "random inner split of the first fold's training part" in tables
    assert "some 400 indices" in README
