"""Predictions as records: what `python -m engine predict` and the Predict page write as JSON and CSV."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd

from engine.crystals.inputs import as_structure
from engine.crystals.material import Material
from engine.crystals.reader import read_path
from engine.errors import EngineError
from engine.prediction.prediction import Prediction
from engine.prediction.predictor import Predictor
from engine.tensors.tensors import principal_values


def to_record(source: str, prediction: Prediction) -> dict[str, object]:
    """One entry of the JSON output that `python -m engine predict` writes."""
    intervals = _intervals(prediction)
    return {
        "source": source,
        "formula": prediction.formula,
        "natoms": len(prediction.structure),
        "electronic": _rows(prediction.electronic),
        "ionic": _rows(prediction.ionic),
        "total": _rows(prediction.total),
        "frame": "structure",
        "lattice": prediction.structure.lattice.matrix.tolist(),
        "n": prediction.n,
        "principal_values": _rows(prediction.principal_values),
        "interval90": intervals.get("electronic", {}).get("mean"),
        "intervals90": intervals or None,
        "warnings": prediction.warnings,
        "error": None,
    }


def material_record(material: Material) -> dict[str, object]:
    """The DFT tensors of a material in the same layout; what only a prediction has is None."""
    electronic = material.electronic
    return refusal(f"DFT, {material.source}, {material.material_id or 'no ID'}", "") | {
        "formula": material.formula,
        "natoms": material.natoms,
        "electronic": _rows(electronic),
        "ionic": _rows(material.ionic),
        "total": _rows(material.total),
        "frame": "structure",
        "lattice": material.cell.tolist(),
        "n": material.n,
        "principal_values": None if electronic is None else principal_values(electronic).tolist(),
        "warnings": list(material.flags),
        "error": None,
    }


def _rows(tensor: np.ndarray | None) -> list | None:
    return None if tensor is None else tensor.tolist()


def _intervals(prediction: Prediction) -> dict[str, dict[str, list]]:
    """Of each target that has them: the mean of the diagonal, and the principal values."""
    found = {}
    for target in ("electronic", "ionic", "total"):
        with suppress(EngineError):  # a model without this target, or never calibrated
            found[target] = {
                "mean": list(prediction.interval(target)),
                "principal_values": prediction.principal_intervals(target).tolist(),
            }
    return found


def refusal(source: str, reason: str) -> dict[str, object]:
    """The entry of a file that could not be predicted."""
    unknown = dict.fromkeys(
        (
            "formula",
            "natoms",
            "electronic",
            "ionic",
            "total",
            "frame",
            "lattice",
            "n",
            "principal_values",
            "interval90",
            "intervals90",
        )
    )
    return {"source": source, **unknown, "warnings": [], "error": reason}


def predict_files(predictor: Predictor, paths: Iterable[str]) -> list[dict[str, object]]:
    """A record for each crystal of each file, in order; a file that is refused says why and stops no other."""
    records, crystals = [], []
    for path in paths:
        try:
            for crystal in read_path(Path(path)):
                crystals.append((len(records), as_structure(crystal)))
                records.append(refusal(str(path), ""))
        except EngineError as error:
            records.append(refusal(str(path), str(error)))
    for (index, _), prediction in zip(
        crystals, predictor.predict_many([crystal for _, crystal in crystals]), strict=True
    ):
        records[index] = to_record(records[index]["source"], prediction)
    return records


def records_to_csv(records: Sequence[dict[str, object]]) -> str:
    """The records as CSV, tensors spread over columns like electronic_xy and lattice vectors over lattice_ax."""
    return pd.DataFrame([_flat(record) for record in records]).to_csv(index=False)


def _flat(record: dict[str, object]) -> dict[str, object]:
    row = {key: record[key] for key in ("source", "formula", "natoms", "frame", "n")}
    for target in ("electronic", "ionic", "total"):
        matrix = record[target] or [[None] * 3] * 3
        row |= {f"{target}_{a}{b}": matrix[i][j] for i, a in enumerate("xyz") for j, b in enumerate("xyz")}
    lattice = record["lattice"] or [[None] * 3] * 3
    row |= {f"lattice_{v}{a}": lattice[i][j] for i, v in enumerate("abc") for j, a in enumerate("xyz")}
    values = record["principal_values"] or [None] * 3
    row |= {f"principal_value_{i + 1}": value for i, value in enumerate(values)}
    row["interval90_low"], row["interval90_high"] = record["interval90"] or (None, None)
    return row | {"warnings": " ".join(record["warnings"]), "error": record["error"]}
