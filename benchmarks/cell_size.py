"""How time and memory grow with the cell: 2 to 2,000 atoms, each size in a process of its own.

python -m benchmarks.cell_size [MODEL ...]

Zincblende GaN whose atoms are displaced at random, so that no cell is smaller than it is, by the direct method.
Seconds are those of the processor on one thread, which other programs disturb less than a clock's; the first
prediction, of another crystal, is not counted. Memory is the most that the whole process held, in GB.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time

import numpy as np
import torch
from pymatgen.core import Lattice, Structure

from benchmarks.measure import report
from engine import Predictor
from engine.network.potential import keep_memory

CELLS = {  # atoms -> repeats of the primitive cell, or of the cubic one
    2: (1, 1, 1),
    16: (2, 2, 2),
    64: (2, 2, 2),
    216: (3, 3, 3),
    512: (4, 4, 4),
    1000: (5, 5, 5),
    2000: (5, 5, 10),
}
PRIMITIVE = 16  # the largest that repeats the primitive cell
FEW = 216  # atoms; larger cells are predicted once
REPEATS = 3
RATTLE = 0.03  # Å
MODELS = ("sevennet-l3i5", "e3nn-scratch")


def main() -> None:
    """Every size by every model, and the exponents of atoms that fit all sizes and the large ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=MODELS)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(one(given.models[0], given.one)))
        return
    rows = [(model, atoms, *_in_a_process(model, atoms)) for model in given.models for atoms in CELLS]
    found = {model: [row[1:] for row in rows if row[0] == model] for model in given.models}
    report(
        "cell_size",
        ("model", "atoms", "seconds", "GB"),
        rows,
        exponent={model: round(exponent(own), 2) for model, own in found.items()},
        exponent_of_large={model: round(exponent(own[-4:]), 2) for model, own in found.items()},
        repeats=REPEATS,
    )


def exponent(rows: list[tuple[int, float, float]]) -> float:
    """p of seconds = c atoms^p that fits best in the logarithms."""
    atoms, seconds, _ = np.log(np.array(rows)).T
    return float(np.polyfit(atoms, seconds, 1)[0])


def one(model: str, atoms: int) -> tuple[float, float]:
    """Median seconds of a prediction, and the process's peak of memory in GB."""
    keep_memory()
    torch.set_num_threads(1)
    predictor, crystal = Predictor.load(model, device="cpu"), rattled(atoms)
    predictor.predict(rattled(2, seed=1), ionic_method="direct")
    times = []
    for _ in range(REPEATS if atoms <= FEW else 1):
        start = time.process_time()
        predictor.predict(crystal, ionic_method="direct")
        times.append(time.process_time() - start)
    return statistics.median(times), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def rattled(atoms: int, seed: int = 0) -> Structure:
    """A supercell of zincblende GaN, displaced at random."""
    cubic = Structure.from_spacegroup("F-43m", Lattice.cubic(4.53), ["Ga", "N"], [[0, 0, 0], [0.25, 0.25, 0.25]])
    cell = (cubic.get_primitive_structure() if atoms <= PRIMITIVE else cubic) * CELLS[atoms]
    moves = np.random.default_rng(seed).normal(0, RATTLE, (atoms, 3))
    return Structure(cell.lattice, cell.species, cell.cart_coords + moves, coords_are_cartesian=True)


def _in_a_process(model: str, atoms: int) -> tuple[float, float]:
    command = [sys.executable, "-m", "benchmarks.cell_size", model, "--one", str(atoms)]
    seconds, memory = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    print(f"{model}, {atoms:,} atoms: {seconds:.2f} s, {memory:.2f} GB", flush=True)
    return seconds, memory


if __name__ == "__main__":
    main()
