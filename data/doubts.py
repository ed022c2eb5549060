"""Rebuild `doubts.csv`: values of the embedded sets that a measurement, symmetry or the default model contradict.

    python data/doubts.py

A doubt is shown beside the value. Unlike a flag of `build.py` it takes no row out of training or evaluation: what
a network errs most on must not leave the figures. See README.md beside this file for the rules and their finds.
"""

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine.crystals.material import Material
from engine.data.datasets import EMBEDDED, load_dataset
from engine.data.doubts import COLUMNS, FILE
from engine.files import MODELS_FOLDER
from engine.model.intervals import SHIFT
from engine.model.out_of_fold import OutOfFold, read_out_of_fold
from engine.model.shipped_models import DEFAULT_MODEL
from engine.optics.measured import measurements
from engine.tensors import tensors
from engine.tensors.axes import symmetry_dataset

FAR_FROM_MEASURED = 1.5  # of indices; PBE's own errors stay below
INTERVALS, FACTOR = 3.0, 2.0  # half-widths of the 90 % interval, on the relative scale, and at least this factor
NOTHING = 1e-5  # ionic principal values below this are none
SMALLEST = 0.05  # share of a charge that symmetry leaves, below which it leaves none


def against_measurement(material: Material) -> str:
    """Why a refractive index cannot be right beside what was measured, or nothing."""
    found = measurements(material.structure)
    if not found or material.n is None or material.n < FAR_FROM_MEASURED * found[0].n:
        return ""
    return f"n {material.n:.2f}, measured {found[0].n:.2f} ({found[0].name})"


def against_model(dft: float, predicted: float, bounds: np.ndarray, target: str) -> str:
    """Why a mean cannot be right beside its out-of-fold prediction, or nothing."""
    shift, high = SHIFT[target], bounds[1]
    off = abs(np.log((dft + shift) / (predicted + shift)))
    if off < np.log(FACTOR) or off < INTERVALS * np.log((high + shift) / (predicted + shift)):
        return ""
    return f"{target} {dft:.3g}, out-of-fold prediction {predicted:.3g} [{bounds[0]:.3g} to {high:.3g}]"


def against_symmetry(material: Material) -> str:
    """Why an ionic part cannot be zero along a direction: symmetry lets ions move there with a charge."""
    if material.ionic is None:
        return ""
    values, axes = np.linalg.eigh(material.ionic)
    left = np.linalg.norm(allowed_charges(material) @ axes, axis=(0, 1))
    dead = (np.abs(values) < NOTHING) & (left > SMALLEST)
    if not dead.any():
        return ""
    return f"ionic part of zero along {dead.sum()} of 3 axes, where symmetry lets charges move"


def allowed_charges(material: Material) -> np.ndarray:
    """[N, 3, 3] random Born charges [displacement, field] as the crystal's symmetry and neutrality leave them."""
    found = symmetry_dataset(material.structure)
    charges, cell = np.random.default_rng(0).normal(size=(material.natoms, 3, 3)), material.cell
    if found is None or len(material.elements) < 2:
        return np.zeros_like(charges)
    average = np.zeros_like(charges)
    for rotation, translation in zip(found.rotations, found.translations, strict=True):
        moved = material.frac_coords @ rotation.T + translation
        apart = moved[:, None] - material.frac_coords[None]
        onto = np.linalg.norm((apart - apart.round()) @ cell, axis=-1).argmin(1)
        turn = cell.T @ rotation @ np.linalg.inv(cell.T)
        average[onto] += turn @ charges @ turn.T
    average /= len(found.rotations)
    return average - average.mean(0)


def doubts_of(material: Material, row: int, predictions: OutOfFold | None) -> Iterator[tuple[str, str, str]]:
    """(quantity, witness, reason) of each doubt on a row."""
    if reason := against_measurement(material):
        yield "electronic", "measurement", reason
    if reason := against_symmetry(material):
        yield "ionic", "symmetry", reason
    for target in ("electronic", "ionic") if predictions else ():
        dft, predicted = getattr(material, target), predictions.tensors[target][row]
        bounds = predictions.interval[target][row]
        if reason := against_model(tensors.mean(dft), tensors.mean(predicted), bounds, target):
            yield target, "model", reason


def main() -> None:
    """Write the file and say how many rows it doubts."""
    with FILE.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for source in EMBEDDED:
            predictions = read_out_of_fold(MODELS_FOLDER / DEFAULT_MODEL) if source == EMBEDDED[0] else None
            for row, material in enumerate(load_dataset(source)):
                for quantity, witness, reason in doubts_of(material, row, predictions):
                    writer.writerow(
                        [source, row, material.material_id, material.formula, quantity, witness, reason]
                    )
                    print(
                        source, material.material_id or "", material.formula, quantity, witness, reason, sep="  "
                    )


if __name__ == "__main__":
    main()
