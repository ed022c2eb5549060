"""What each way to an ionic tensor costs, beside one energy-and-force call of the potential.

python -m benchmarks.ionic_speed

For a new crystal of which nothing is known: the whole prediction by each method, and one call of SevenNet l3i5 for
energy and forces of its primitive cell, by its own ASE calculator, in float32.
"""

import os
from collections.abc import Callable
from functools import partial
from tempfile import TemporaryDirectory

import numpy as np
from pymatgen.core import Lattice, Structure
from sevenn.calculator import SevenNetCalculator

from benchmarks.measure import median_seconds, report
from engine import Predictor, load_dataset
from engine.crystals.primitive import primitive
from engine.errors import check
from engine.network.force_constants import effort
from engine.network.potential import keep_memory

CRYSTALS = 12
REPEATS = 3
METHODS = ("full", "direct")


def main() -> None:
    """Crystals drawn from petousis-2017, and an elpasolite of ten atoms in its conventional cell of forty."""
    keep_memory()
    materials = load_dataset("petousis-2017")
    chosen = np.random.default_rng(0).choice(len(materials), CRYSTALS, replace=False)
    groups = {
        f"{CRYSTALS} crystals drawn": [materials[i].structure for i in chosen],
        "elpasolite, 40 atoms": [elpasolite()],
    }
    predictor, jobs = Predictor.load(device="cpu"), {}
    for name, crystals in groups.items():
        jobs |= {(name, method): partial(predict, predictor, crystals, method) for method in METHODS}
        jobs[name, "one call of the potential"] = one_call(crystals)
    seconds = median_seconds(jobs, REPEATS)
    rows = [
        (name, way, s / len(groups[name]), s / seconds[name, "one call of the potential"])
        for (name, way), s in seconds.items()
    ]
    cells = [primitive(crystal) for crystals in groups.values() for crystal in crystals]
    report(
        "ionic_speed",
        ("crystals", "way", "seconds a crystal", "calls of the potential"),
        rows,
        model=predictor.name,
        repeats=REPEATS,
        atoms=[len(cell) for cell in cells],
        effort=[effort(cell) for cell in cells],
    )


def elpasolite() -> Structure:
    """Cs2NaYCl6, conventional cell."""
    return Structure.from_spacegroup(
        "Fm-3m",
        Lattice.cubic(10.74),
        ["Cs", "Na", "Y", "Cl"],
        [[0.25, 0.25, 0.25], [0.5, 0, 0], [0, 0, 0], [0.245, 0, 0]],
    )


def predict(predictor: Predictor, crystals: list[Structure], method: str) -> None:
    """Each of the crystals once; nothing is known of them before, nor kept."""
    before = os.environ.get("XDG_CACHE_HOME")
    with TemporaryDirectory() as empty:
        os.environ["XDG_CACHE_HOME"] = empty
        for crystal in crystals:
            strange = crystal.copy()
            strange.scale_lattice(1.0001 * crystal.volume)  # or its force constants may come with the program
            found = predictor.predict(strange, ionic_method=method).ionic_method
            check(found == method, f"{crystal.formula}: asked for the method {method}, got {found}")
    if before is None:
        del os.environ["XDG_CACHE_HOME"]
    else:
        os.environ["XDG_CACHE_HOME"] = before


def one_call(crystals: list[Structure]) -> Callable[[], None]:
    """Energy and forces of each primitive cell, as whoever works with the potential asks for them."""
    cells = [primitive(crystal).to_ase_atoms() for crystal in crystals]
    calculator = SevenNetCalculator("7net-l3i5", device="cpu")

    def call() -> None:
        for cell in cells:
            calculator.calculate(cell, ["energy", "forces"])

    return call


if __name__ == "__main__":
    main()
