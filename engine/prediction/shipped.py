"""Predictions that ship with a model: a crystal that has an ID here is answered at once; see data/predictions.py.

Each is what the networks say that never saw the crystal's formula, where there are any. A likely metal has the
electronic tensor alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.crystals.material import Crystal
from engine.errors import EngineError
from engine.model.neighbourhood import Neighbour
from engine.network.feature_cache import structure_key
from engine.prediction.prediction import Prediction
from engine.vibrations.ions import Ions

FILE = "predictions.parquet"
WEIGHTS = "weights"  # metadata: SHA-256 of the weights that gave the predictions
STEP = 2.0**-12  # e and eV/Å^2, to which charges and force constants are rounded: a half of the file
PLAIN = ("distance", "gap_nearby", "metallic", "ionic_method", "doubts", "held_out")
_NUMBERS = pa.list_(pa.float32())
SCHEMA = pa.schema(
    [
        ("key", pa.string()),  # `structure_key` of the crystal
        ("electronic", _NUMBERS),  # 9
        ("ionic", _NUMBERS),  # 9, null as in `Prediction`
        ("spread", pa.map_(pa.string(), _NUMBERS)),
        ("distance", pa.float64()),
        ("gap_nearby", pa.float64()),
        ("metallic", pa.float64()),
        ("neighbours", pa.list_(pa.struct([("formula", pa.string()), ("distance", pa.float64())]))),
        ("ionic_method", pa.string()),
        ("doubts", pa.list_(pa.string())),
        ("held_out", pa.bool_()),
        ("cell", pa.list_(pa.float64())),  # of the ions, 9, Å; this and the next are null where there are none
        ("atomic_numbers", pa.list_(pa.int16())),  # n
        ("pos", pa.list_(pa.float64())),  # 3 n, Å
        ("charges", _NUMBERS),  # 9 n
        ("force_constants", _NUMBERS),  # lower triangle, row by row
    ]
)


@dataclass(frozen=True, kw_only=True)
class ShippedPredictions:
    """Rows of `SCHEMA`, each read when it is asked for."""

    table: pa.Table

    @cached_property
    def _places(self) -> dict[str, int]:
        return {key: place for place, key in enumerate(self.table["key"].to_pylist())}

    def fields_of(self, crystal: Crystal) -> dict | None:
        """What the `Prediction` of a crystal holds but structure, functional and calibrations, or None.

        Only the very cell that was predicted, to the last digit, has one.
        """
        place = self._places.get(structure_key(crystal))
        return None if place is None else _fields(self.table.slice(place, 1).to_pylist()[0])


def row_of(crystal: Crystal, prediction: Prediction) -> dict:
    """The row of a prediction."""
    ions = prediction.ions
    row = {
        "key": structure_key(crystal),
        "electronic": _flat(prediction.electronic),
        "ionic": _flat(prediction.ionic),
        "spread": [(target, values.tolist()) for target, values in prediction.spread.items()],
        "neighbours": [{"formula": one.formula, "distance": one.distance} for one in prediction.neighbours],
        "cell": None if ions is None else ions.cell.ravel().tolist(),
        "atomic_numbers": None if ions is None else ions.atomic_numbers.tolist(),
        "pos": None if ions is None else ions.pos.ravel().tolist(),
        "charges": None if ions is None else _rounded(ions.charges.ravel()),
        "force_constants": None if ions is None else _rounded(ions.force_constants[_lower(len(ions.pos))]),
    }
    return row | {name: getattr(prediction, name) for name in PLAIN}


def write_predictions(path: Path, rows: Sequence[dict], weights: str) -> None:
    """Write rows of `row_of`, made by weights of that SHA-256, whole or not at all."""
    table = pa.Table.from_pylist(rows, SCHEMA.with_metadata({WEIGHTS: weights}))
    part = path.with_suffix(".part")
    split = [
        f"{name}.list.element" for name in ("electronic", "ionic", "charges", "force_constants", "pos", "cell")
    ]
    pq.write_table(
        table, part, compression="zstd", compression_level=19, use_dictionary=["ionic_method", "doubts"],
        use_byte_stream_split=split,
    )  # fmt: skip
    part.replace(path)


def read_predictions(path: Path) -> ShippedPredictions | None:
    """What `write_predictions` wrote; None where there is no file.

    Raises:
        EngineError: the file is damaged.
    """
    if not path.is_file():
        return None
    try:
        return ShippedPredictions(table=pq.read_table(path, schema=SCHEMA))
    except (pa.ArrowException, KeyError, OSError) as error:
        raise EngineError(f"{path}: is damaged; copy the model again") from error


def weights_of(path: Path) -> str:
    """SHA-256 of the weights that gave the predictions of a file."""
    return (pq.read_schema(path).metadata or {}).get(WEIGHTS.encode(), b"").decode()


def _flat(tensor: np.ndarray | None) -> list[float] | None:
    return None if tensor is None else tensor.ravel().tolist()


def _rounded(values: np.ndarray) -> list[float]:
    return (np.round(values / STEP) * STEP).tolist()


def _lower(natoms: int) -> tuple[np.ndarray, np.ndarray]:
    return np.tril_indices(3 * natoms)


def _fields(row: dict) -> dict:
    def tensor(name: str) -> np.ndarray | None:
        return None if row[name] is None else np.array(row[name]).reshape(3, 3)

    return {
        "electronic": tensor("electronic"),
        "ionic": tensor("ionic"),
        "spread": {target: np.array(values) for target, values in row["spread"]},
        "neighbours": tuple(Neighbour(**one) for one in row["neighbours"]),
        "ions": _ions(row),
    } | {name: row[name] for name in PLAIN}


def _ions(row: dict) -> Ions | None:
    if row["charges"] is None:
        return None
    natoms = len(row["atomic_numbers"])
    constants = np.zeros((3 * natoms, 3 * natoms))
    constants[_lower(natoms)] = row["force_constants"]
    return Ions(
        cell=np.array(row["cell"]).reshape(3, 3),
        atomic_numbers=np.array(row["atomic_numbers"]),
        pos=np.array(row["pos"]).reshape(-1, 3),
        charges=np.array(row["charges"]).reshape(-1, 3, 3),
        force_constants=constants + np.tril(constants, -1).T,
    )
