"""Structures in a Parquet file: numbers in three columns, or a text in one."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pymatgen.core import Lattice, Structure

from engine.crystals.inputs import as_structure
from engine.crystals.material import Crystal
from engine.crystals.reader import MAX_FILE, read_each
from engine.crystals.reader_process import Crystal as ReadCrystal
from engine.crystals.reader_process import check_crystal
from engine.crystals.refusal import Refused
from engine.crystals.room import check_room
from engine.errors import EngineError
from engine.screening.item import AT_ONCE, Item, checked
from engine.screening.parts import Part
from engine.screening.probe import OTHER_COLUMNS, STRUCTURE_COLUMNS, TEXT_COLUMNS, open_table

DAMAGED = "the rows here are damaged, or too large; write the Parquet file again"
MOST_GROUP = 1024**3  # bytes of a group of rows, unpacked


def from_rows(part: Part) -> Iterator[list[Item]]:
    """The structures of a part of a Parquet file, `AT_ONCE` at a time; raises OSError where it is not there."""
    with open_table(part.path) as file:
        names = set(file.schema_arrow.names)
        columns = [name for name in (*STRUCTURE_COLUMNS, *TEXT_COLUMNS, *OTHER_COLUMNS) if name in names]
        number = part.first
        for rows in _stretch_of(file, columns, part.start, part.stop):
            yield _of_rows(rows, part.shown, number)
            number += len(rows)


def _stretch_of(file: pq.ParquetFile, columns: list[str], start: int, stop: int) -> Iterator[list[dict[str, Any]]]:
    """Rows `start` to `stop` of a Parquet file, `AT_ONCE` at a time."""
    begin = 0
    for group in range(file.num_row_groups):
        end = begin + file.metadata.row_group(group).num_rows
        if begin < stop and start < end:
            table = _group(file, group, columns)
            for first in range(max(start, begin), min(stop, end), AT_ONCE):
                count = min(AT_ONCE, min(stop, end) - first)
                yield [{}] * count if table is None else table.slice(first - begin, count).to_pylist()
        begin = end


def _group(file: pq.ParquetFile, group: int, columns: list[str]) -> pa.Table | None:
    """The rows of a group; None where they are damaged, or longer than any file of structures."""
    if file.metadata.row_group(group).total_byte_size > MOST_GROUP:
        return None
    try:
        table = file.read_row_group(group, columns)
        return table if all(_fits(table[name]) for name in columns if name in TEXT_COLUMNS) else None
    except OSError as error:
        if error.errno:  # of the disk, and not of what it holds
            raise
    except pa.ArrowException:
        pass
    return None


def _fits(texts: pa.ChunkedArray) -> bool:
    """Whether none of them is larger than a file may be; what is no text is left to its reader."""
    if not pa.types.is_dictionary(texts.type):
        return True
    lengths = [pc.max(pc.binary_length(chunk.dictionary)).as_py() or 0 for chunk in texts.chunks]
    return max(lengths, default=0) <= MAX_FILE


def _of_rows(rows: list[dict[str, Any]], shown: str, first: int) -> list[Item]:
    if not rows[0]:
        crystals: list[Crystal | str] = [DAMAGED] * len(rows)
    else:
        crystals = _of_columns(rows, shown) if STRUCTURE_COLUMNS[0] in rows[0] else _of_text_column(rows)
    return [
        Item(
            source=f"{shown}#{first + number}",
            crystal=crystal,
            material_id=row.get("material_id"),
            band_gap=_known_gap(row),
        )
        for number, (row, crystal) in enumerate(zip(rows, crystals, strict=True))
    ]


def _known_gap(row: dict[str, Any]) -> float | None:
    """eV; of a screening's result, that which was known before."""
    return row.get("gap") if row.get("gap_known") else row.get("band_gap")


def _of_columns(rows: list[dict[str, Any]], shown: str) -> list[Crystal | str]:
    return [_of_numbers(row, shown) for row in rows]


def _of_numbers(row: dict[str, Any], shown: str) -> Structure | str:
    """The crystal of a row with `STRUCTURE_COLUMNS`, or why it is none."""
    try:
        cell, numbers, places = (np.array(row[name], dtype=float) for name in STRUCTURE_COLUMNS)
        read = ReadCrystal(cell.reshape(3, 3), numbers.astype(int), places.reshape(-1, 3))
        check_crystal(read)
        structure = Structure(Lattice(read.cell), read.numbers.tolist(), read.positions)
        check_room(structure, shown)
        return as_structure(structure)
    except (Refused, EngineError) as error:
        return str(error)
    except (TypeError, ValueError) as error:
        return f"the columns {', '.join(STRUCTURE_COLUMNS)} do not make a crystal ({error})"


def _of_text_column(rows: list[dict[str, Any]]) -> list[Crystal | str]:
    column, ending = next((name, ending) for name, ending in TEXT_COLUMNS.items() if name in rows[0])
    texts = [row[column] if isinstance(row[column], str) else json.dumps(row[column]) for row in rows]
    found = read_each([(f"row.{ending}", text.encode()) for text in texts])
    return [_only(answer) for answer in found]


def _only(answer: list[Structure] | EngineError) -> Crystal | str:
    if isinstance(answer, EngineError):
        return str(answer)
    return checked(answer[0]) if len(answer) == 1 else f"it holds {len(answer)} structures; give a row each"
