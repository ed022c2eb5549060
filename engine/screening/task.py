"""One part of a screening, done in whatever process: it may be done twice, and is written once."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from engine.screening.item import Item
from engine.screening.parts import Part, Settings
from engine.screening.reading import items
from engine.screening.rows import SCHEMA, row_of


@dataclass(frozen=True, kw_only=True)
class Done:
    """What a part has come to: rows, and those of them without an answer."""

    rows: int
    refused: int


def part_path(folder: Path, part: Part) -> Path:
    """Where the rows of a part are kept until all are there."""
    return folder / f"part-{part.name}.parquet"


def what_is_done(folder: Path, part: Part) -> Done | None:
    """What an earlier process made of a part; None where it has not been done, or not to its end."""
    try:
        with pq.ParquetFile(part_path(folder, part)) as file:
            errors = file.read(["error"])["error"]
    except (OSError, pa.ArrowInvalid):
        return None
    return Done(rows=len(errors), refused=len(errors) - errors.null_count)


def do_part(part: Part, settings: Settings, folder: Path) -> Done:
    """Read and predict the structures of a part, and keep their rows in `folder`.

    Raises:
        EngineError: there is no such model or device, or the model lacks the targets or the functional.
        OSError: the input cannot be read, or the rows cannot be written.
    """
    done = what_is_done(folder, part)
    if done is not None:
        return done
    from engine.screening.answers import answers  # which who only gives out parts need not wait for

    rows = [
        row_of(item, answer)
        for group in items(part)
        for item, answer in zip(group, answers(group, settings), strict=True)
    ]
    return write_rows(folder, part, rows)


def refuse_part(part: Part, names: Sequence[str], reason: str, folder: Path) -> Done:
    """Give every structure of a part the same reason for having no answer."""
    return write_rows(folder, part, [row_of(Item(source=name, crystal=reason), reason) for name in names])


def write_rows(folder: Path, part: Part, rows: Sequence[dict[str, object]]) -> Done:
    """Keep the rows of a part: the file appears whole, whoever else writes the same."""
    path = part_path(folder, part)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}-{uuid4().hex}.part")
    table = pa.Table.from_pylist(list(rows), SCHEMA)
    pq.write_table(table, unfinished, compression="zstd")
    unfinished.replace(path)
    return Done(rows=len(rows), refused=len(rows) - table["error"].null_count)
