"""A large cell takes no more memory than was said, and one that is too large is refused before memory is."""

import json
import subprocess
import sys

import numpy as np
import pytest
from pymatgen.core import Structure

from engine.prediction.warnings import _eigenvalues_below
from tests import crystals
from tests.engine import shipped

PREAMBLE = """
import json, resource, sys
from pathlib import Path
from pymatgen.core import Structure
from engine import EngineError, Predictor
from engine.crystals.graph import crystal_graphs
from engine.model.memory import free_memory, needed

def peak():
    status = Path("/proc/self/status").read_text()  # ru_maxrss begins with that of whoever started this one
    return 1024.0 * int(status.partition("VmHWM:")[2].split()[0])

small, large = (Structure.from_dict(one) for one in json.loads(sys.stdin.read()))
predictor = Predictor.load(sys.argv[1], device="cpu")
predictor.predict(small, ionic_method="direct")
graph, = crystal_graphs([large], predictor.graph_config)
need = needed([graph], predictor.model_config, predictor.targets)
before = peak()
"""
TAKEN = """
found = predictor.predict(large, ionic_method="direct")
print(json.dumps({"need": need, "taken": peak() - before, "whole": peak(), "n": found.n}))
"""
LIMITED = """
used = 4096 * int(Path("/proc/self/statm").read_text().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (used + int(0.7 * need),) * 2)
try:
    predictor.predict_many([small, large], progress=lambda done, total: print("too late"))
except EngineError as error:
    print(json.dumps({"said": str(error), "taken": peak() - before}))
"""


def rattled(repeats: tuple[int, int, int]) -> Structure:
    """A supercell of wurtzite whose primitive cell is no smaller."""
    cell = crystals.wurtzite() * repeats
    moves = np.random.default_rng(0).normal(0, 0.03, (len(cell), 3))
    return Structure(cell.lattice, cell.species, cell.cart_coords + moves, coords_are_cartesian=True)


def in_a_process(program: str, model: str, large: Structure) -> dict:
    given = json.dumps([crystals.wurtzite().as_dict(), large.as_dict()])
    command = [sys.executable, "-c", PREAMBLE + program, model]
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("model", ["sevennet-l3i5", "e3nn-scratch"])
def test_a_cell_of_256_atoms_takes_less_memory_than_estimated_and_the_program_less_than_1_2_gb(model):
    found = in_a_process(TAKEN, model, rattled((4, 4, 4)))
    assert found["taken"] < found["need"]
    assert found["whole"] < 1.2e9
    assert found["n"] > 1


def test_a_cell_too_large_for_the_memory_is_refused_at_once_with_the_number_that_would_do():
    large = rattled((5, 5, 6))
    found = in_a_process(LIMITED, "sevennet-l3i5", large)
    assert f"a primitive cell of {len(large)} atoms does not fit" in found["said"]
    assert "GB are free: enough for about" in found["said"]
    assert found["taken"] < 1e8


def test_a_large_cell_among_small_ones_is_answered_as_alone_and_in_its_place():
    some = [crystals.wurtzite(), rattled((3, 3, 3)), crystals.diamond()]
    predictor = shipped.predictor("e3nn-scratch")
    together = predictor.predict_many(some)
    for structure, found in zip(some, together, strict=True):
        alone = predictor.predict(structure)
        assert found.structure is structure
        np.testing.assert_allclose(found.electronic, alone.electronic, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("size", [1, 2, 30])
def test_unstable_vibrations_are_counted_without_finding_them(size):
    random = np.random.default_rng(size).normal(size=(size, size))
    matrix = random + random.T
    for limit in (-3.0, -0.1, 2.0):
        assert _eigenvalues_below(limit, matrix) == (np.linalg.eigvalsh(matrix) < limit).sum()
