"""Materials as rows of numbers: Parquet files and plain dictionaries."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.crystals.material import Fetched, Material
from engine.errors import EngineError, check

_NUMBERS = pa.list_(pa.float64())
SCHEMA = pa.schema(
    [
        ("material_id", pa.string()),
        ("cell", _NUMBERS),  # 9, Å, rows are lattice vectors
        ("atomic_numbers", pa.list_(pa.int16())),  # N
        ("frac_coords", _NUMBERS),  # 3 N
        ("electronic", _NUMBERS),  # 9, axes of `cell`
        ("ionic", _NUMBERS),  # 9, axes of `cell`
        ("n", pa.float64()),
        ("band_gap", pa.float64()),  # eV
        ("space_group_number", pa.int16()),
        ("space_group_symbol", pa.string()),
        ("source", pa.string()),
        ("flags", pa.list_(pa.string())),
    ]
)
FETCHED = pa.field(  # in files of fetched materials only
    "fetched",
    pa.struct(
        [
            ("route", pa.string()),
            ("task_id", pa.string()),
            ("residual", pa.float64()),
            ("rejected", pa.string()),
            ("verifiable", pa.bool_()),
            ("energy_above_hull", pa.float64()),  # eV per atom
            ("theoretical", pa.bool_()),
            ("db_version", pa.string()),
            ("date", pa.string()),
        ]
    ),
)


class Row(TypedDict):
    """A material as plain lists and numbers, in the columns of `SCHEMA` and `FETCHED`."""

    material_id: str | None
    cell: list[float]
    atomic_numbers: list[int]
    frac_coords: list[float]
    electronic: list[float] | None
    ionic: list[float] | None
    n: float | None
    band_gap: float | None
    space_group_number: int
    space_group_symbol: str
    source: str
    flags: list[str] | None
    fetched: NotRequired[dict[str, Any] | None]  # the fields of `Fetched`


def to_row(material: Material) -> Row:
    """The row of a material."""

    def flat(array: np.ndarray | None) -> list[float] | None:
        return None if array is None else np.asarray(array).ravel().tolist()

    return {
        "material_id": material.material_id,
        "cell": material.cell.ravel().tolist(),
        "atomic_numbers": material.atomic_numbers.tolist(),
        "frac_coords": material.frac_coords.ravel().tolist(),
        "electronic": flat(material.electronic),
        "ionic": flat(material.ionic),
        "n": material.n,
        "band_gap": material.band_gap,
        "space_group_number": material.space_group_number,
        "space_group_symbol": material.space_group_symbol,
        "source": material.source,
        "flags": list(material.flags),
        "fetched": asdict(material.fetched) if material.fetched else None,
    }


def from_row(row: Row) -> Material:
    """The material that `to_row` wrote."""

    def tensor(values: list[float] | None) -> np.ndarray | None:
        return None if values is None else np.array(values).reshape(3, 3)

    fetched = row.get("fetched")
    return Material(
        material_id=row["material_id"],
        cell=np.array(row["cell"]).reshape(3, 3),
        atomic_numbers=np.array(row["atomic_numbers"], dtype=np.int64),
        frac_coords=np.array(row["frac_coords"]).reshape(-1, 3),
        electronic=tensor(row["electronic"]),
        ionic=tensor(row["ionic"]),
        n=row["n"],
        band_gap=row["band_gap"],
        space_group_number=row["space_group_number"],
        space_group_symbol=row["space_group_symbol"],
        source=row["source"],
        flags=tuple(row["flags"] or ()),
        fetched=Fetched(**fetched) if fetched else None,
    )


def write_materials(path: Path, materials: Sequence[Material], about: Mapping[str, str] | None = None) -> None:
    """Write materials to a Parquet file, whole or not at all.

    Args:
        about: metadata of the file, see `read_about`.
    """
    fetched = any(material.fetched for material in materials)
    schema = SCHEMA.append(FETCHED) if fetched else SCHEMA
    rows = [to_row(material) for material in materials]
    table = pa.Table.from_pylist(rows, schema.with_metadata(dict(about)) if about else schema)
    part = Path(path).with_suffix(".part")
    pq.write_table(table, part, compression="zstd", compression_level=19)
    part.replace(path)


def read_materials(path: Path) -> list[Material]:
    """Materials of a Parquet file in the layout of `SCHEMA`.

    Raises:
        EngineError: the file is missing, is not Parquet or lacks a column.
    """
    path = Path(path)
    check(path.is_file(), f"{path}: no such data file; give the name of an embedded set or a path")
    try:
        more = [FETCHED.name] if FETCHED.name in pq.read_schema(path).names else []
        rows = pq.read_table(path, columns=SCHEMA.names + more).to_pylist()
    except (pa.ArrowException, KeyError, OSError) as error:
        raise EngineError(f"{path}: must be a Parquet file with columns {', '.join(SCHEMA.names)}") from error
    return [from_row(row) for row in rows]


def read_about(path: Path) -> dict[str, str]:
    """Metadata of a file of materials: for fetched ones the database version, date, routes and rejections."""
    found: dict[bytes, bytes] = pq.read_schema(path).metadata or {}
    return {name.decode(): text.decode() for name, text in found.items() if not name.startswith(b"ARROW:")}
