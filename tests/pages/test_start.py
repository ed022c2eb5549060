"""A server has the libraries of all pages before it answers, and leaves nothing behind."""

import subprocess
import sys

import pytest

from tests.test_layers import ROOT, imports

ASK = """
import asyncio, importlib, sys
from app import app
from engine.hosting.predictions import POOL
from pages.components.start import ready

def packages():
    return {name.split(".")[0] for name in sys.modules}

async def begin():
    async with ready(app):
        there = packages()
        for module in sys.argv[1:]:
            importlib.import_module(module)
        print(*sorted(packages() - there))
        print(POOL.schedule(int).result())

asyncio.run(begin())
"""


@pytest.fixture(scope="module")
def served() -> subprocess.CompletedProcess[str]:
    """A server that was asked for a prediction, and has ended."""
    modules = {name for page in (ROOT / "pages").glob("*.py") for name in imports(page)}
    modules = [name for name in modules if (ROOT / f"{name.replace('.', '/')}.py").is_file()]
    assert "engine.teaching.tour" in modules
    return subprocess.run(
        [sys.executable, "-c", ASK, *modules], cwd=ROOT, capture_output=True, text=True, check=True
    )


def test_no_page_waits_for_a_library(served):
    assert served.stdout.split("\n")[-3] == ""


def test_a_server_ends_its_processes_and_says_nothing_of_what_is_left(served):
    assert served.stdout.split("\n")[-2] == "0"
    assert "leaked" not in served.stderr
