"""Predictions for the crystals of a data set, each by networks that never saw its formula."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.errors import EngineError, check

FILE = "out_of_fold.parquet"
TARGETS = ("electronic", "ionic", "total")
LEVEL = 0.9  # of the intervals


@dataclass(frozen=True, kw_only=True)
class OutOfFold:
    """Row i of every array belongs to crystal i.

    Attributes:
        material_id: [n] IDs in the data set that the model was judged on.
        fold: [n] number of the fold that the crystal was tested in.
        tensors: target -> [n, 3, 3] prediction in the structure's own axes; "total" where both parts are there.
        interval: target -> [n, 2] low and high of the mean of the diagonal at `LEVEL`, calibrated on other folds.
        level: target -> [n] the level above which intervals hold the DFT mean, nan without a sound DFT tensor:
            intervals are calibrated where a share x of these lies below x.
    """

    material_id: tuple[str | None, ...]
    fold: np.ndarray
    tensors: dict[str, np.ndarray]
    interval: dict[str, np.ndarray]
    level: dict[str, np.ndarray]


def write_out_of_fold(folder: Path, predictions: OutOfFold) -> None:
    """Write `FILE` into a model's folder, whole or not at all."""
    columns: dict[str, object] = {
        "material_id": list(predictions.material_id),
        "fold": predictions.fold.astype(np.int8),
    }
    for target, tensors in predictions.tensors.items():
        if target != "total":
            columns[target] = list(tensors.reshape(-1, 9).astype(np.float32))
        columns[f"{target}_interval"] = list(predictions.interval[target].astype(np.float32))
        columns[f"{target}_level"] = predictions.level[target].astype(np.float32)
    part = (folder / FILE).with_suffix(".part")
    pq.write_table(pa.table(columns), part, compression="zstd")
    part.replace(folder / FILE)


def read_out_of_fold(folder: Path) -> OutOfFold | None:
    """What `write_out_of_fold` wrote, or None for a model that was never judged.

    Raises:
        EngineError: the file is damaged.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        table = pq.read_table(path)
        rows = {name: table[name].to_pylist() for name in table.column_names}
    except (pa.ArrowException, OSError) as error:
        raise EngineError(f"{path}: is damaged; copy the model again") from error
    check({"material_id", "fold"} <= set(rows), f"{path}: is damaged; copy the model again")
    tensors = {target: np.array(rows[target]).reshape(-1, 3, 3) for target in TARGETS if target in rows}
    if {"electronic", "ionic"} <= set(tensors):
        tensors["total"] = tensors["electronic"] + tensors["ionic"]
    return OutOfFold(
        material_id=tuple(rows["material_id"]),
        fold=np.array(rows["fold"]),
        tensors=tensors,
        interval={target: np.array(rows[f"{target}_interval"]) for target in tensors},
        level={target: np.array(rows[f"{target}_level"]) for target in tensors},
    )
