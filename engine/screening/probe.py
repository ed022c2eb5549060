"""Whether a Parquet file can be opened without harm, asked of a process of its own.

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
SECONDS, MEMORY = 60, 4 * 1024**3  # of the process; bytes
NUMBERS = ("cell", "atomic_numbers", "frac_coords")  # columns of them


def is_sound(path: Path) -> bool:
    """Whether what the file says of itself can be read, and its rows are no longer than those of cells."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-P", "-m", __spec__.name, str(path)]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _has_sense(group: pq.RowGroupMetaData) -> bool:
    most = group.num_rows * max(9, 3 * most_atoms())
    columns = [group.column(number) for number in range(group.num_columns)]
    return all(
        column.num_values <= most for column in columns if column.path_in_schema.partition(".")[0] in NUMBERS
    )


def main() -> None:
    """End with 0 for a sound file."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with pq.ParquetFile(sys.argv[1]) as file:
        groups = [file.metadata.row_group(number) for number in range(file.num_row_groups)]
        sys.exit(0 if all(map(_has_sense, groups)) else 1)


if __name__ == "__main__":
    main()
