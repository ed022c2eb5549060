"""Predicted infrared modes against measured ones, DFT's beside: python -m benchmarks.measured_modes [PHONONS]

The crystals are those of data/measured-modes.toml, in the cells that diffraction finds at room temperature, where
the modes were measured too. PHONONS is the file of data/phonons.py; without it there are no modes by DFT. Each
crystal is asked as PBE and as PBEsol would have it, and both ways once more as PBE relaxed it, where the embedded
data have that. Networks that never saw the formula answer where there are such; "held out" says so.
"""

import argparse
from collections.abc import Sequence
from statistics import median

import numpy as np

from benchmarks.measure import report
from engine.crystals.likeness import nearest_of_phase
from engine.crystals.material import Material
from engine.data.datasets import EMBEDDED, load_dataset
from engine.data.phonons import Phonons, read_phonons
from engine.errors import required
from engine.evaluation.mode_errors import dft_modes
from engine.network.potential import keep_memory
from engine.optics.measured_crystals import MeasuredCrystal, MeasuredMode, measured_crystals
from engine.prediction.prediction import NO_MODES, Prediction
from engine.prediction.predictor import Predictor
from engine.vibrations.modes import Modes
from engine.vibrations.pairing import keys, longitudinal_partner

COLUMNS = (
    "formula",
    "phase",
    "mode",
    "strongest",
    "TO, measured",
    "LO, measured",
    "TO",
    "TO, low",
    "TO, high",
    "LO",
    "TO, PBE",
    "LO, PBE",
    "TO, DFT",
    "LO, DFT",
    "TO, PBE cell",
    "LO, PBE cell",
    "TO, PBE in PBE cell",
    "LO, PBE in PBE cell",
    "held out",
    "warned",
    "source",
)
VARIANTS = {  # ending of columns
    "DFT": ", DFT",
    "PBE, relaxed cell": ", PBE in PBE cell",
    "PBE": ", PBE",
    "PBEsol, PBE's relaxed cell": ", PBE cell",
    "PBEsol": "",
}
Frequencies = tuple[float | None, float | None]  # cm^-1, TO and LO
NONE: Frequencies = (None, None)


def main(phonons: str | None) -> None:
    """A row a mode; frequencies in cm^-1, those without a further word as PBEsol has them."""
    keep_memory()
    predictor = Predictor.load(device="cpu")
    known = read_phonons(phonons) if phonons else []
    relaxed = [material for name in EMBEDDED for material in load_dataset(name)]
    rows = []
    for crystal in measured_crystals():
        rows += _rows(predictor, crystal, relaxed, known)
        print(f"{crystal.formula} {crystal.phase}", flush=True)
    errors = _errors([dict(zip(COLUMNS, row, strict=True)) for row in rows])
    report("measured_modes", COLUMNS, rows, model=predictor.name, errors=errors)


def _rows(
    predictor: Predictor, crystal: MeasuredCrystal, relaxed: Sequence[Material], known: Sequence[Phonons]
) -> list[tuple]:
    as_pbe = predictor.predict(crystal.structure, out_of_fold=True, also_by_pbesol=True)
    as_pbesol = as_pbe.vibrating
    cell, dft = _in_phase(crystal, relaxed), _in_phase(crystal, [one.material for one in known])
    in_cell = None if cell is None else predictor.predict(relaxed[cell], out_of_fold=True, also_by_pbesol=True)
    others = (
        as_pbe.modes,
        None if dft is None else dft_modes(known[dft]),
        in_cell and in_cell.vibrating.modes,
        in_cell and in_cell.modes,
    )
    modes = required(as_pbesol.modes, NO_MODES)
    strongest = int(modes.set_strengths.argmax())
    bounds = as_pbesol.mode_intervals().wavenumber
    rows = []
    for mode in crystal.modes:
        place = keys(modes).index((mode.label, mode.order))
        interval = [float(x) if np.isfinite(x) else None for x in bounds[place]]
        transverse, longitudinal = _frequencies(modes, mode)
        beside = [frequency for one in others for frequency in _frequencies(one, mode)]
        rows.append(
            (
                *(crystal.formula, crystal.phase, mode.label, place == strongest),
                *(mode.transverse, mode.longitudinal, transverse, *interval, longitudinal, *beside),
                *(as_pbesol.held_out, _warned(as_pbe), crystal.source),
            )
        )
    return rows


def _in_phase(crystal: MeasuredCrystal, materials: Sequence[Material]) -> int | None:
    formula = crystal.structure.composition.reduced_formula
    places = [place for place, material in enumerate(materials) if material.formula == formula]
    found = nearest_of_phase(crystal.structure, [materials[place].structure for place in places])
    return None if found is None else places[found]


def _frequencies(modes: Modes | None, mode: MeasuredMode) -> Frequencies:
    """Of the mode that is the measured one by representation and order."""
    if modes is None or (mode.label, mode.order) not in keys(modes):
        return NONE
    place = keys(modes).index((mode.label, mode.order))
    longitudinal = longitudinal_partner(modes, place)
    return float(modes.wavenumbers[modes.sets[place][0]]), longitudinal if np.isfinite(longitudinal) else None


def _warned(prediction: Prediction) -> bool:
    """Whether a user is told of a doubt; that the formula was trained on is none."""
    own = prediction.warnings[: len(prediction.warnings) - (not prediction.held_out)]
    modes = required(prediction.vibrating.modes, NO_MODES)
    return bool(own) or bool((modes.soft | modes.delicate).any())


def _errors(rows: list[dict]) -> dict[str, dict[str, float]]:
    """By variant: over how many modes, and the median error of TO and LO in percent, of all and where unseen."""
    return {name: _error(rows, ending) for name, ending in VARIANTS.items()}


def _error(rows: list[dict], ending: str) -> dict[str, float]:
    found = {"modes": sum(row[f"TO{ending}"] is not None for row in rows)}
    for name, chosen in (("", rows), (", held out", [row for row in rows if row["held out"]])):
        for kind in ("TO", "LO"):
            both = [(row[f"{kind}{ending}"], row[f"{kind}, measured"]) for row in chosen]
            off = [abs(value / known - 1) for value, known in both if value is not None and known is not None]
            found[kind + name] = 100 * median(off) if off else None
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("phonons", nargs="?")
    main(parser.parse_args().phonons)
