"""Predicted infrared modes of cubic halides against measured ones: python -m benchmarks.measured_modes

The crystals are those of engine/optics/measured_modes.py whose phase is among the embedded data, as PBE relaxed
them; measured is at room temperature. The networks that answer never saw a crystal of the formula.
"""

from benchmarks.measure import report
from engine.crystals.material import Material
from engine.data.datasets import EMBEDDED, load_dataset
from engine.network.potential import keep_memory
from engine.optics.measured_modes import measured_modes
from engine.prediction.predictor import Predictor

ROCK_SALT_OR_FLUORITE = 225  # space group
OTHER_PHASE = ("CsCl", "CsBr", "CsI")  # measured in the caesium chloride structure
COLUMNS = (
    "formula",
    "TO, measured",
    "TO",
    "TO, low",
    "TO, high",
    "LO, measured",
    "LO",
    "static, measured",
    "static",
    "electronic, measured",
    "electronic",
    "soft",
    "doi",
)


def main() -> None:
    """A row a crystal; frequencies in cm^-1."""
    keep_memory()
    predictor = Predictor.load(device="cpu")
    rows = []
    for one in measured_modes():
        crystal = None if one.formula in OTHER_PHASE else _embedded(one.formula)
        if crystal is None:
            continue
        prediction = predictor.predict(crystal, out_of_fold=True)
        modes = prediction.modes
        if modes is None or prediction.total is None or prediction.electronic is None:
            continue
        strongest = int(modes.set_strengths.argmax())
        low, high = prediction.mode_intervals().wavenumber[strongest].tolist()
        transverse = float(modes.wavenumbers[modes.sets[strongest][0]])
        longitudinal = modes.longitudinal_pairs([1.0, 0.0, 0.0])[strongest]
        permittivity = float(prediction.total.trace() / 3), float(prediction.electronic.trace() / 3)
        rows.append(
            (
                *(one.formula, one.transverse, transverse, low, high, one.longitudinal, longitudinal),
                *(one.static, permittivity[0], one.electronic, permittivity[1], bool(modes.soft.any()), one.doi),
            )
        )
    report("measured_modes", COLUMNS, rows, model=predictor.name)


def _embedded(formula: str) -> Material | None:
    return next(
        (
            material
            for name in EMBEDDED
            for material in load_dataset(name)
            if material.formula == formula and material.space_group_number == ROCK_SALT_OR_FLUORITE
        ),
        None,
    )


if __name__ == "__main__":
    main()
