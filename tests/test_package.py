"""The wheel holds all that the engine needs: code, data, models, results; it works away from the checkout."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKED = (
    "pyproject.toml",
    "LICENSE",
    "README.md",
    "requirements-engine.txt",
    "requirements-dashboard.txt",
    "requirements-parallel.txt",
    "requirements-gpu.txt",
)
FOLDERS = ("engine", "data", "models", "benchmarks/results")
PROGRAM = """
import json, sys
from engine import Predictor, load_dataset
from engine.data.datasets import EMBEDDED
from engine.evaluation.report import LEARNING_CURVE
from engine.files import MODELS_FOLDER
from engine.model.shipped_models import available_models
from engine.runs.process import ROOT
from engine.teaching.equivariance import CONTRAST
from engine.teaching.plain_network import load_plain
found = {
    "engine": sys.modules["engine"].__file__,
    "electronic": {name: Predictor.load(name, "cpu").predict(sys.argv[1]).electronic[0, 0]
                   for name in available_models()},
    "crystals": {name: len(load_dataset(name)) for name in EMBEDDED},
    "results": [LEARNING_CURVE.is_file(), CONTRAST.is_file(), ROOT.is_dir()],
    "plain": type(load_plain(MODELS_FOLDER / "plain-network")).__name__,
}
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A folder into which the wheel was installed, built from a copy so that the checkout stays clean."""
    source, folder = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("installed")
    for name in FOLDERS:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in PACKED:
        shutil.copy(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(source), str(source)], check=True
    )
    (wheel,) = source.glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--no-index", "--target", str(folder), str(wheel)], check=True)
    return folder


def run_installed(installed: Path, command: list[str], cwd: Path) -> str:
    """Standard output of a command that finds the installed engine before all others."""
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_installed_engine_predicts_with_every_model_and_loads_every_data_set(installed, tmp_path):
    shutil.copy(ROOT / "tests/files/rutile.cif", tmp_path)
    found = json.loads(run_installed(installed, [sys.executable, "-c", PROGRAM, "rutile.cif"], tmp_path))
    assert found["engine"] == str(installed / "engine" / "__init__.py")
    assert found["electronic"].keys() == {path.parent.name for path in (ROOT / "models").glob("*/config.json")}
    assert all(2 < value < 20 for value in found["electronic"].values())
    assert found["crystals"] == {"petousis-2017": 1056, "matbench-dielectric": 4764}
    assert all(found["results"])


def test_the_console_command_is_the_module_under_another_name(installed, tmp_path):
    by_command = run_installed(
        installed, [sys.executable, str(installed / "bin" / "dielectric"), "--help"], tmp_path
    )
    by_module = run_installed(installed, [sys.executable, "-m", "engine", "--help"], tmp_path)
    assert by_command.startswith("usage: dielectric ")
    assert by_command.split("positional", 1)[1] == by_module.split("positional", 1)[1]


def test_every_file_of_code_data_and_models_is_installed(installed):
    for folder, place in (("engine", "."), ("models", "shipped/models"), ("data", "shipped/data")):
        here = {path.relative_to(ROOT / folder) for path in (ROOT / folder).rglob("*") if path.is_file()}
        missing = {path for path in here if not (installed / "engine" / place / path).is_file()}
        assert not {path for path in missing if "__pycache__" not in path.parts}


def test_nothing_that_has_to_be_compiled_and_nothing_of_the_dashboard_is_required():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["dynamic"]
    required = (ROOT / project["dependencies"]["file"]).read_text()
    lines = [line for line in required.splitlines() if line and not line.startswith("#")]
    assert any(line.startswith("torch==") for line in lines)
    assert not [
        line for line in lines if line.startswith(("torch-cluster", "torch_cluster", "streamlit", "plotly"))
    ]
