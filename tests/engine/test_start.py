"""The engine starts at once: what takes long to import is imported when it is asked for."""

import subprocess
import sys
from pathlib import Path

import pytest

import engine

ROOT = Path(__file__).parents[2]
HEAVY = {
    "ase",
    "e3nn",
    "matscipy",
    "numpy",
    "pandas",
    "pyarrow",
    "pymatgen",
    "scipy",
    "sevenn",
    "sklearn",
    "torch",
}
LIGHT = {
    "import engine": "import engine",
    "its configurations": "from engine import EngineError, GraphConfig, ModelConfig, TrainConfig",
    "--help": "sys.argv[1:] = ['--help']",
    "predict --help": "sys.argv[1:] = ['predict', '--help']",
    "fetch --help": "sys.argv[1:] = ['fetch', '--help']",
    "wrong usage": "sys.argv[1:] = ['fly']",
}


@pytest.mark.parametrize("case", LIGHT)
def test_what_needs_no_computation_loads_no_heavy_package(case):
    code = (
        f"import atexit, sys\n"
        f"atexit.register(lambda: print('loaded:', *{{name.split('.')[0] for name in sys.modules}}))\n"
        f"{LIGHT[case]}\n"
        "if sys.argv[1:]:\n"
        "    import runpy\n"
        "    runpy.run_module('engine', run_name='__main__')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    loaded = set(done.stdout.rpartition("loaded:")[2].split())
    assert "engine" in loaded, done.stderr
    assert not HEAVY & loaded


def test_every_public_name_can_be_had_and_is_listed():
    for name in engine.__all__:
        assert getattr(engine, name).__name__ == name
    assert set(engine.__all__) <= set(dir(engine))


def test_a_name_that_the_engine_lacks_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'engine' has no attribute 'Predictors'"):
        _ = engine.Predictors
