"""Crystals a second of the shipped default model, single and batched.

From a Structure, whose force constants are computed, and from an embedded Material, whose are known.
"""

from functools import partial

import numpy as np
import torch

from benchmarks.measure import median_seconds, report
from engine import Predictor, load_dataset

DATA = "petousis-2017"
CRYSTALS = 16
REPEATS = 3
BATCH_SIZES = (1, 8)
DEVICES = ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)


def main() -> None:
    """Predict the same crystals by batches of each size, on each device there is."""
    materials = load_dataset(DATA)
    chosen = np.random.default_rng(0).choice(len(materials), CRYSTALS, replace=False)
    inputs = {
        "Structure": [materials[i].structure for i in chosen],
        "Material": [materials[i] for i in chosen],
    }
    predictors = {device: Predictor.load(device=device) for device in DEVICES}
    jobs = {
        (device, name, size): partial(predictor.predict_many, crystals, batch_size=size)
        for device, predictor in predictors.items()
        for name, crystals in inputs.items()
        for size in BATCH_SIZES
    }
    seconds = median_seconds(jobs, REPEATS)
    rows = [(*job, CRYSTALS / s, 1000 * job[-1] * s / CRYSTALS) for job, s in seconds.items()]
    report(
        "prediction_speed",
        ("device", "input", "batch size", "crystals a second", "ms a batch"),
        rows,
        model=predictors["cpu"].name,
        data=DATA,
        crystals=CRYSTALS,
        atoms_per_crystal=float(np.mean([materials[i].natoms for i in chosen])),
        repeats=REPEATS,
    )


if __name__ == "__main__":
    main()
