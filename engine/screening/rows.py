"""The table that a screening writes: columns of `predict --csv`, what crystals are ranked by, and the crystals.

A table is an input of screenings itself: what a fast method found can be asked again of a slow one.
"""

from typing import Any

import numpy as np
import pyarrow as pa

from engine.prediction.prediction import Prediction
from engine.prediction.records import PARTS, flat_record, refusal, to_record
from engine.screening.item import Item
from engine.tensors.tensors import anisotropy_ratio, mean

QUANTITIES = {
    "n": "refractive index",
    "electronic": "electronic permittivity, mean",
    "ionic": "ionic permittivity, mean",
    "total": "static permittivity, mean",
    "gap": "band gap (eV)",
    "merit": "static permittivity times gap (eV)",
    "birefringence": "birefringence",
    "anisotropy": "electronic anisotropy ratio",
    "metallic": "probability of a metal",
    "natoms": "number of atoms",
}
_WORDS = (
    *("source", "formula", "frame", "ionic_method", "functional", "low_dimensional", "polarisability_unit"),
    *("approximation", "citation", "warnings", "error"),
)
_NUMBERS = pa.list_(pa.float64())


def _schema() -> pa.Schema:
    """Of `row_of`, whatever the rows hold."""
    kinds = dict.fromkeys(flat_record(refusal("", "")), pa.float64()) | dict.fromkeys(_WORDS, pa.string())
    kinds |= dict.fromkeys((*PARTS, "birefringence", "anisotropy", "gap", "merit"), pa.float64())
    kinds |= {"natoms": pa.int32(), "gap_known": pa.bool_(), "material_id": pa.string(), "useless": pa.string()}
    kinds |= {"cell": _NUMBERS, "atomic_numbers": pa.list_(pa.int16()), "frac_coords": _NUMBERS}
    return pa.schema(list(kinds.items()))


SCHEMA = _schema()


def row_of(item: Item, answer: Prediction | str) -> dict[str, Any]:
    """The row of a structure, and of a refused one its reason.

    Beside the columns of `predict --csv`: `material_id`; the means `electronic`, `ionic` and `total`;
    `birefringence` and `anisotropy`; `gap` (eV), DFT's where `gap_known`, else that of the nearest training
    crystals; `merit`, total times gap (eV); `useless`, targets of which the prediction says nothing worth having;
    `cell` (9, Å), `atomic_numbers` and `frac_coords`.
    """
    if isinstance(answer, str):
        return flat_record(refusal(item.source, answer)) | {"material_id": item.material_id}
    means = {part: None if (tensor := getattr(answer, part)) is None else mean(tensor) for part in PARTS}
    known = item.band_gap is not None
    gap = item.band_gap if known else (None if np.isnan(answer.gap_nearby) else answer.gap_nearby)
    structure = answer.structure
    return (
        flat_record(to_record(item.source, answer))
        | means
        | {
            "material_id": item.material_id,
            "birefringence": answer.birefringence,
            "anisotropy": None if answer.electronic is None else anisotropy_ratio(answer.electronic),
            "gap": gap,
            "gap_known": known,
            "merit": None if gap is None or means["total"] is None else gap * means["total"],
            "useless": " ".join(answer.useless),
            "cell": structure.lattice.matrix.ravel().tolist(),
            "atomic_numbers": list(structure.atomic_numbers),
            "frac_coords": structure.frac_coords.ravel().tolist(),
        }
    )
