"""A figure names the commit that it was measured on, and says when code or data were others."""

import subprocess

import pytest

from engine.evaluation import provenance
from engine.evaluation.provenance import CHANGED, code_version


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A repository with a module, a data set and a results file."""
    for name in ("engine/module.py", "data/set.parquet", "benchmarks/results/figures.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("first")
    author = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for command in (["init", "-q"], ["add", "."], [*author, "commit", "-qm", "first"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    return tmp_path


def test_a_clean_checkout_has_the_name_of_its_commit(checkout):
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=checkout, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(code_version())


@pytest.mark.parametrize("name", ["engine/module.py", "engine/new.py", "data/set.parquet"])
def test_changed_code_or_data_is_said(checkout, name):
    (checkout / name).write_text("second")
    assert code_version().endswith(CHANGED)


def test_the_results_of_one_measurement_are_no_change_for_the_next(checkout):
    clean = code_version()
    (checkout / "benchmarks/results/figures.json").write_text("second")
    assert code_version() == clean


def test_outside_of_a_checkout_no_commit_is_claimed(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    assert code_version() == "unknown" or code_version().startswith("version ")
