"""Crystals a second of the fast model, beside one energy-and-force call of the potential for each.

python -m benchmarks.fast_speed

New crystals, of which nothing is known: whole predictions, electronic and ionic with intervals and warnings, in
batches; the default model's direct method beside it; and one call of SevenNet l3i5 for energy and forces of each
primitive cell, by its own ASE calculator, in float32. All with the same threads, in turn.
"""

from functools import partial

import numpy as np

from benchmarks.ionic_speed import one_call
from benchmarks.measure import median_seconds, report
from engine import Predictor, load_dataset
from engine.crystals.primitive import primitive
from engine.network.potential import keep_memory

DATA = "petousis-2017"
CRYSTALS = 64
BATCH_SIZE = 32
REPEATS = 5
CALL = "one call of the potential"


def main() -> None:
    """Crystals drawn from petousis-2017, those that stand in a box too."""
    keep_memory()
    materials = load_dataset(DATA)
    chosen = np.random.default_rng(0).choice(len(materials), CRYSTALS, replace=False)
    crystals = [materials[i].structure for i in chosen]
    fast, default = Predictor.load("fast", device="cpu"), Predictor.load(device="cpu")
    jobs = {
        "fast": partial(fast.predict_many, crystals, batch_size=BATCH_SIZE),
        "fast, electronic alone": partial(
            fast.predict_many, crystals, batch_size=BATCH_SIZE, targets=("electronic",)
        ),
        f"{default.name}, direct": partial(default.predict_many, crystals, ionic_method="direct"),
        CALL: one_call(crystals),
    }
    seconds = median_seconds(jobs, REPEATS)
    rows = [(way, CRYSTALS / s, 1000 * s / CRYSTALS, seconds[CALL] / s) for way, s in seconds.items()]
    report(
        "fast_speed",
        ("way", "crystals a second", "ms a crystal", "times as fast as the call"),
        rows,
        data=DATA,
        crystals=CRYSTALS,
        batch_size=BATCH_SIZE,
        repeats=REPEATS,
        atoms_per_cell=float(np.mean([len(primitive(crystal)) for crystal in crystals])),
    )


if __name__ == "__main__":
    main()
