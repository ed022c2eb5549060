"""Parquet files of strangers, opened and taken apart in a process of its own.

Some damage makes pyarrow end the process that it runs in, and a few bytes may stand for a number a billion times.
"""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq

from engine.crystals.refusal import most_atoms

ROOT = Path(__file__).resolve().parents[2]
SECONDS, PATIENCE, MEMORY = 60, 3600, 4 * 1024**3  # to look at a file, to write another; bytes
WIDEST_GROUP = 4096  # rows of a group of a Parquet file, which is read to get at one of them
STRUCTURE_COLUMNS = ("cell", "atomic_numbers", "frac_coords")
TEXT_COLUMNS = {"structure": "json", "cif": "cif"}  # of a Parquet file, and how to read them
OTHER_COLUMNS = ("material_id", "band_gap", "gap", "gap_known")


def is_sound(path: Path) -> bool:
    """Whether what a file says of itself can be read, and its rows are no longer than those of cells."""
    return _ends_well(SECONDS, path)


def regrouped(path: Path, out: Path) -> bool:
    """Write a file's rows in groups of which a part need not read more than it wants; whether that went well."""
    return _ends_well(PATIENCE, path, out)


def open_table(path: Path | str) -> pq.ParquetFile:
    """A Parquet file whose texts stay apart from the rows that hold them: a small file may repeat a long one."""
    with pq.ParquetFile(path) as file:
        texts = [name for name in file.schema_arrow.names if name in TEXT_COLUMNS]
    return pq.ParquetFile(path, read_dictionary=texts)


def _ends_well(seconds: float, *paths: Path) -> bool:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-P", "-m", "engine.screening.probe", *map(str, paths)]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _has_sense(group: pq.RowGroupMetaData) -> bool:
    most = group.num_rows * max(9, 3 * most_atoms())
    columns = [group.column(number) for number in range(group.num_columns)]
    numbers = [one for one in columns if one.path_in_schema.partition(".")[0] in STRUCTURE_COLUMNS]
    return all(one.num_values <= most for one in numbers)


def _regroup(path: str, out: str) -> None:
    with open_table(path) as file:
        known = file.schema_arrow
        wanted = [name for name in known.names if name in (*STRUCTURE_COLUMNS, *TEXT_COLUMNS, *OTHER_COLUMNS)]
        with pq.ParquetWriter(out, known.empty_table().select(wanted).schema) as writer:
            for batch in file.iter_batches(WIDEST_GROUP // 4, columns=wanted):
                writer.write_batch(batch)


def main() -> None:
    """End with 0 for a sound file, its rows in other groups written where a second path is given."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with pq.ParquetFile(sys.argv[1]) as file:
        groups = [file.metadata.row_group(number) for number in range(file.num_row_groups)]
        if not all(map(_has_sense, groups)):
            sys.exit(1)
    if len(sys.argv) > 2:
        _regroup(sys.argv[1], sys.argv[2])


if __name__ == "__main__":
    main()
