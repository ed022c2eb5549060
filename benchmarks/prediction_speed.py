"""Crystals a second of the shipped default model, single and batched, from Structure to tensor."""

import numpy as np
import torch

from benchmarks.measure import median_seconds, report
from engine import Predictor, load_dataset

DATA = "petousis-2017"
CRYSTALS = 128
REPEATS = 3
BATCH_SIZES = (1, 8, 32, 128)
DEVICES = ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)


def main() -> None:
    """Predict the same crystals by batches of each size, on each device there is."""
    materials = load_dataset(DATA)
    chosen = np.random.default_rng(0).choice(len(materials), CRYSTALS, replace=False)
    structures = [materials[i].structure for i in chosen]
    predictors = {device: Predictor.load(device=device) for device in DEVICES}
    jobs = {
        (device, size): lambda predictor=predictor, size=size: predictor.predict_many(structures, batch_size=size)
        for device, predictor in predictors.items()
        for size in BATCH_SIZES
    }
    seconds = median_seconds(jobs, REPEATS)
    rows = [(device, size, CRYSTALS / s, 1000 * size * s / CRYSTALS) for (device, size), s in seconds.items()]
    report(
        "prediction_speed",
        ("device", "batch size", "crystals a second", "ms a batch"),
        rows,
        model=predictors["cpu"].name,
        data=DATA,
        crystals=CRYSTALS,
        atoms_per_crystal=float(np.mean([len(structure) for structure in structures])),
        repeats=REPEATS,
    )


if __name__ == "__main__":
    main()
