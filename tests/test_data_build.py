"""The embedded data are built again, and compared, when their builder or a file has changed, and only then."""

import json
import runpy
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BUILD = runpy.run_path(str(ROOT / "data" / "build.py"))


@pytest.fixture
def checkout(tmp_path):
    for name in (*BUILD["CODE"], *(f"data/{file}" for file in BUILD["FILES"]), "requirements-engine.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "data" / BUILD["STAMP"]).write_text(json.dumps(BUILD["stamp"](tmp_path)))
    return tmp_path


def test_what_was_built_and_compared_is_current(checkout):
    assert BUILD["is_current"](checkout)


@pytest.mark.parametrize("name", [*BUILD["CODE"], *(f"data/{file}" for file in BUILD["FILES"])])
def test_a_changed_builder_or_file_is_not_current(checkout, name):
    with (checkout / name).open("ab") as file:
        file.write(b"\n")
    assert not BUILD["is_current"](checkout)


def test_another_version_of_a_package_that_shapes_the_bytes_is_not_current(checkout):
    path = checkout / "requirements-engine.txt"
    path.write_text(path.read_text().replace("pyarrow==", "pyarrow==9"))
    assert not BUILD["is_current"](checkout)


def test_a_file_that_was_never_compared_is_not_current(checkout):
    (checkout / "data" / BUILD["STAMP"]).unlink()
    assert not BUILD["is_current"](checkout)


def test_every_module_that_the_builder_imports_counts():
    text = (ROOT / "data" / "build.py").read_text()
    imported = {line.split()[1] for line in text.splitlines() if line.startswith("from engine.")}
    assert {name.replace(".", "/") + ".py" for name in imported} <= set(BUILD["CODE"])
