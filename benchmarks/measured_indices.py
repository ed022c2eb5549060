"""Refractive indices by DFT and by the model against measured ones: python -m benchmarks.measured_indices

Crystals with an ID that refractiveindex.info has measured, of the same formula, polymorph and optical symmetry
(engine/optics/measured.py). The model answers out-of-fold where it has networks that never saw the
formula: `held_out`. PBE's indices are too large in the mean, and the model is taught to be like PBE.
"""

import pandas as pd

from benchmarks.measure import report
from engine.crystals.material import Material
from engine.data.catalogue import catalogued, indexed
from engine.data.datasets import EMBEDDED, load_dataset
from engine.evaluation.measured_report import NAME, median_errors
from engine.optics.measured import Measurement, has_measurements, measurements
from engine.prediction.predictor import Predictor

COLUMNS = (
    "material_id",
    "formula",
    "space_group",
    "measured",
    "polymorph",
    "dft",
    "predicted",
    "held_out",
    "source",
)


def measured_materials() -> list[tuple[Material, Measurement]]:
    """Materials with an ID and a measurement; each ID once."""
    known = [*load_dataset(EMBEDDED[0]), *indexed()]
    found: dict[str, tuple[Material, Measurement]] = {}
    for material in [*known, *catalogued(known)]:
        if material.material_id and material.material_id not in found and has_measurements(material.formula):
            best = measurements(material.structure)
            if best:
                found[material.material_id] = material, best[0]
    return list(found.values())


def main() -> None:
    """Predict, print and write the table and its medians."""
    predictor = Predictor.load(device="cpu")
    rows = []
    for material, best in measured_materials():
        prediction = predictor.shipped(material) or predictor.predict(material, out_of_fold=True)
        rows.append(
            (
                material.material_id,
                material.formula,
                material.space_group_symbol,
                best.n,
                best.phase or "",
                material.n,
                prediction.n,
                prediction.held_out,
                best.name,
            )
        )
    errors = median_errors(pd.DataFrame(rows, columns=COLUMNS))
    facts = {f"{way}_median_percent": error for way, (_, error, _) in errors.items()}
    report(NAME, COLUMNS, rows, model=predictor.name, crystals=len(rows), compared=errors["dft"][0], **facts)


if __name__ == "__main__":
    main()
