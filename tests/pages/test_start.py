"""A server has the libraries of all pages before it answers."""

import subprocess
import sys

from tests.test_layers import ROOT, imports

ASK = """
import asyncio, importlib, sys
from app import app
from pages.components.start import ready

def packages():
    return {name.split(".")[0] for name in sys.modules}

async def begin():
    async with ready(app):
        there = packages()
        for module in sys.argv[1:]:
            importlib.import_module(module)
        print(*sorted(packages() - there))

asyncio.run(begin())
"""


def test_no_page_waits_for_a_library():
    modules = {name for page in (ROOT / "pages").glob("*.py") for name in imports(page)}
    modules = [name for name in modules if (ROOT / f"{name.replace('.', '/')}.py").is_file()]
    assert "engine.teaching.tour" in modules
    found = subprocess.run(
        [sys.executable, "-c", ASK, *modules], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.split("\n")[-2] == ""
