"""Tests in several processes: those that share a server, a browser or a network stay together."""

import os
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

CONFTEST = Path(__file__).parent / "conftest.py"
SHARING = {  # file -> what its tests share
    "tests/browser/test_a.py": "browser",
    "tests/browser/test_b.py": "browser",
    "tests/browser/test_dashboard.py": "half",
    "tests/browser/test_live.py": "half",
    "tests/engine/test_a.py": "file",
}
TESTS = """
import os
import pytest

@pytest.mark.parametrize("number", range(8))
def test_where_it_runs(number):
    with open({out!r}, "a") as file:
        file.write(f"{shared} {{os.getpid()}}\\n")
"""


def test_a_file_stays_in_one_process_and_each_half_of_the_browser_in_one(tmp_path):
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib\n")
    out = tmp_path / "where"
    for name, shared in SHARING.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(TESTS.format(out=str(out), shared=shared))
    shutil.copy(CONFTEST, tmp_path / "tests")
    command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadscope", "--no-loadscope-reorder", "tests"]
    variables = {name: value for name, value in os.environ.items() if not name.startswith("SLIPCOVER")}
    done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    processes = defaultdict(set)
    for shared, process in map(str.split, out.read_text().splitlines()):
        processes[shared].add(process)
    assert {shared: len(found) for shared, found in processes.items()} == dict.fromkeys(SHARING.values(), 1)
    assert processes["browser"].isdisjoint(processes["half"])
