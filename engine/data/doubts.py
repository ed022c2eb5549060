"""Values of the embedded sets that are doubtful although they pass the data check; see data/README.md."""

import csv
from functools import lru_cache

from engine.files import DATA_FOLDER

FILE = DATA_FOLDER / "doubts.csv"
COLUMNS = ("source", "row", "material_id", "formula", "quantity", "witness", "reason")


@lru_cache(maxsize=1)
def embedded_doubts() -> dict[str, dict[int, tuple[str, ...]]]:
    """Data set -> row -> doubts, a sentence each that begins with "electronic" or "ionic"."""
    found: dict[str, dict[int, tuple[str, ...]]] = {}
    if not FILE.is_file():
        return found
    with FILE.open(newline="") as file:
        for line in csv.DictReader(file):
            of_set, row = found.setdefault(line["source"], {}), int(line["row"])
            sentence = f"{line['quantity']} part doubtful, against {line['witness']}: {line['reason']}"
            of_set[row] = (*of_set.get(row, ()), sentence)
    return found
