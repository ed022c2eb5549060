"""Modes against phonon calculations, on formulas left out of training; the calibration of their intervals.

python -m benchmarks.modes PHONONS [--most-atoms 12] [--crystals 300]

PHONONS is the file of data/phonons.py, by PBEsol. Judged are crystals that DFT finds firm, drawn by chance, whose
formula some of the default model's networks never saw; these answer, by PBEsol as the errors have it, and by PBE
too, for whose intervals nothing else is known. Written to results/modes-MODEL.json, where the model finds
its intervals. The potential's force constants that are not in the cache take a few seconds a crystal.
"""

import argparse
import json
from dataclasses import asdict
from datetime import date
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks.measure import RESULTS
from engine.data.phonons import Phonons, read_phonons
from engine.evaluation.mode_errors import mode_errors
from engine.evaluation.provenance import code_version, machine
from engine.network.force_constants import effort
from engine.network.potential import keep_memory
from engine.prediction.predictor import AskedMethod, Predictor

METHODS: tuple[AskedMethod, ...] = ("full", "direct")
BY = "PBEsol"  # the functional of PHONONS
MOST_EFFORT = 80  # see force_constants.effort; keeps the whole measurement near twenty minutes on one core


def drawn(predictor: Predictor, path: str, most_atoms: int, count: int) -> list[Phonons]:
    """Crystals to judge."""
    fitting = [
        one
        for one in read_phonons(path)
        if one.firm
        and 1 < one.material.natoms <= most_atoms
        and any(one.material.formula not in seen for seen in predictor.trained_on)
        and any(one.material.formula in seen for seen in predictor.trained_on)
    ]
    order = np.random.default_rng(0).permutation(len(fitting))
    return [fitting[i] for i in order if effort(fitting[i].material) <= MOST_EFFORT][:count]


def main(path: str, most_atoms: int, count: int) -> None:
    """Print errors, write them and the calibration."""
    keep_memory()
    predictor = Predictor.load(device="cpu")
    known = drawn(predictor, path, most_atoms, count)
    errors: dict[str, dict] = {}
    calibrations: dict[str, dict] = {}
    for functional, method in product(predictor.functionals, METHODS):
        found, calibration = mode_errors(
            predictor, known, method, functional, lambda *done: print(*done, flush=True)
        )
        calibrations.setdefault(functional, {})[method] = asdict(calibration)
        print(
            "\n".join(
                [f"{functional}, {method}", *(f"{name:<20} {value:,.4g}" for name, value in asdict(found).items())]
            )
        )
        if functional == BY:
            errors[method] = asdict(found)
    about = {
        "data": Path(path).name,
        "most_atoms": most_atoms,
        "code": code_version(),
        "date": date.today().isoformat(),
        "machine": machine(),
    }
    content = {**about, "errors": errors, "calibrations": calibrations}
    (RESULTS / f"modes-{predictor.name}.json").write_text(json.dumps(content) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("phonons")
    parser.add_argument("--most-atoms", type=int, default=12)
    parser.add_argument("--crystals", type=int, default=300)
    options = parser.parse_args()
    main(options.phonons, options.most_atoms, options.crystals)
