"""Predictions that ship with a model: a crystal that has an ID here is answered at once; see data/predictions.py.

Each is what the networks say that never saw the crystal's formula, where there are any, by PBE and once more by
PBEsol, whose vibrations pages show. A likely metal has the electronic tensor by PBE alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal, TypedDict, cast, get_args

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pymatgen.core import Structure

from engine.crystals.material import Crystal, structure_of
from engine.errors import EngineError
from engine.model.intervals import Calibration
from engine.model.neighbourhood import Neighbour
from engine.network.feature_cache import structure_key
from engine.prediction.prediction import Functional, Prediction
from engine.vibrations.ions import Ions
from engine.vibrations.mode_intervals import ModeCalibration

FILE = "predictions.parquet"
MADE_OF = "made_of"  # metadata: hash of what gave the predictions, see `data/predictions.py`
STEP = 2.0**-12  # e and eV/Å^2, to which charges and force constants are rounded: a half of the file
_NUMBERS = pa.list_(pa.float32())
SCHEMA = pa.schema(
    [
        ("key", pa.string()),  # `structure_key` of the crystal
        ("functional", pa.string()),
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


class NeighbourRow(TypedDict):
    """A `Neighbour`."""

    formula: str
    distance: float


class Row(TypedDict):
    """A prediction in the columns of `SCHEMA`."""

    key: str
    functional: Functional
    electronic: list[float] | None
    ionic: list[float] | None
    spread: list[tuple[str, list[float]]]
    distance: float
    gap_nearby: float
    metallic: float
    neighbours: list[NeighbourRow]
    ionic_method: Literal["full", "direct", "coarse"] | None
    doubts: list[str]
    held_out: bool
    cell: list[float] | None
    atomic_numbers: list[int] | None
    pos: list[float] | None
    charges: list[float] | None
    force_constants: list[float] | None


@dataclass(frozen=True, kw_only=True)
class ShippedPredictions:
    """Rows of `SCHEMA`, each read when it is asked for."""

    table: pa.Table

    @cached_property
    def _places(self) -> dict[tuple[str, str], int]:
        keys = zip(self.table["key"].to_pylist(), self.table["functional"].to_pylist(), strict=True)
        return {key: place for place, key in enumerate(keys)}

    def prediction(
        self,
        crystal: Crystal,
        calibration: dict[str, Calibration],
        mode_calibrations: dict[str, dict[str, ModeCalibration]],
        citation: str | None = None,
    ) -> Prediction | None:
        """The one of a crystal, with its model's calibrations, those of modes by functional; None without one.

        Only the very cell that was predicted, to the last digit, has one.
        """
        key = structure_key(crystal)
        if (key, "PBE") not in self._places:
            return None
        by_pbe, by_pbesol = (self._row(key, functional) for functional in get_args(Functional))

        def made(row: Row, other: Prediction | None = None) -> Prediction:
            of_modes = mode_calibrations.get(row["functional"], {})
            return replace(
                _prediction(row, structure_of(crystal), calibration, of_modes), citation=citation, by_pbesol=other
            )

        return made(cast(Row, by_pbe), None if by_pbesol is None else made(by_pbesol))

    def _row(self, key: str, functional: str) -> Row | None:
        place = self._places.get((key, functional))
        return None if place is None else cast(Row, self.table.slice(place, 1).to_pylist()[0])


def _prediction(
    row: Row,
    structure: Structure,
    calibration: dict[str, Calibration],
    mode_calibrations: dict[str, ModeCalibration],
) -> Prediction:
    return Prediction(
        structure=structure,
        electronic=_tensor(row["electronic"]),
        ionic=_tensor(row["ionic"]),
        ions=_ions(row),
        calibration=calibration,
        mode_calibrations=mode_calibrations,
        spread={target: np.array(values) for target, values in row["spread"]},
        distance=row["distance"],
        gap_nearby=row["gap_nearby"],
        metallic=row["metallic"],
        neighbours=tuple(Neighbour(**one) for one in row["neighbours"]),
        ionic_method=row["ionic_method"],
        functional=row["functional"],
        doubts=row["doubts"],
        held_out=row["held_out"],
    )


def row_of(crystal: Crystal, prediction: Prediction) -> Row:
    """The row of a prediction."""
    ions = prediction.ions
    return {
        "key": structure_key(crystal),
        "functional": prediction.functional,
        "electronic": _flat(prediction.electronic),
        "ionic": _flat(prediction.ionic),
        "spread": [(target, values.tolist()) for target, values in prediction.spread.items()],
        "distance": prediction.distance,
        "gap_nearby": prediction.gap_nearby,
        "metallic": prediction.metallic,
        "neighbours": [{"formula": one.formula, "distance": one.distance} for one in prediction.neighbours],
        "ionic_method": prediction.ionic_method,
        "doubts": prediction.doubts,
        "held_out": prediction.held_out,
        "cell": None if ions is None else ions.cell.ravel().tolist(),
        "atomic_numbers": None if ions is None else ions.atomic_numbers.tolist(),
        "pos": None if ions is None else ions.pos.ravel().tolist(),
        "charges": None if ions is None else _rounded(ions.charges.ravel()),
        "force_constants": None if ions is None else _rounded(ions.force_constants[_lower(len(ions.pos))]),
    }


def write_predictions(path: Path, rows: Sequence[Row], made_of: str) -> None:
    """Write rows of `row_of`, with a hash of what made them, whole or not at all."""
    table = pa.Table.from_pylist(rows, SCHEMA.with_metadata({MADE_OF: made_of}))
    part = path.with_suffix(".part")
    split = [
        f"{name}.list.element" for name in ("electronic", "ionic", "charges", "force_constants", "pos", "cell")
    ]
    pq.write_table(
        table, part, compression="zstd", compression_level=19,
        use_dictionary=["functional", "ionic_method", "doubts"], use_byte_stream_split=split,
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


def made_of(path: Path) -> str:
    """Hash of what gave the predictions of a file."""
    return (pq.read_schema(path).metadata or {}).get(MADE_OF.encode(), b"").decode()


def _flat(tensor: np.ndarray | None) -> list[float] | None:
    return None if tensor is None else tensor.ravel().tolist()


def _rounded(values: np.ndarray) -> list[float]:
    return (np.round(values / STEP) * STEP).tolist()


def _lower(natoms: int) -> tuple[np.ndarray, np.ndarray]:
    return np.tril_indices(3 * natoms)


def _tensor(values: list[float] | None) -> np.ndarray | None:
    return None if values is None else np.array(values).reshape(3, 3)


def _ions(row: Row) -> Ions | None:
    numbers, charges = row["atomic_numbers"], row["charges"]
    if numbers is None or charges is None:
        return None
    natoms = len(numbers)
    constants = np.zeros((3 * natoms, 3 * natoms))
    constants[_lower(natoms)] = row["force_constants"]
    return Ions(
        cell=np.array(row["cell"]).reshape(3, 3),
        atomic_numbers=np.array(numbers),
        pos=np.array(row["pos"]).reshape(-1, 3),
        charges=np.array(charges).reshape(-1, 3, 3),
        force_constants=constants + np.tril(constants, -1).T,
    )
