"""Structure types that have a name, "rutile" or "half-Heusler", as data/structure_types.py finds them."""

import csv
from functools import lru_cache

from engine.crystals.material import Material
from engine.files import DATA_FOLDER

FILE = "structure_types.csv"


def structure_type_of(material: Material) -> str:
    """The name of the type that an embedded crystal was found to have; empty where none is known."""
    return _rows().get((material.material_id or "", material.source), "")


@lru_cache(maxsize=1)
def structure_types() -> tuple[str, ...]:
    """All names, the longest first."""
    return tuple(sorted(set(_rows().values()), key=lambda name: (-len(name), name)))


@lru_cache(maxsize=1)
def _rows() -> dict[tuple[str, str], str]:
    with (DATA_FOLDER / FILE).open(encoding="utf-8", newline="") as file:
        return {(row["material_id"], row["shown"]): row["type"] for row in csv.DictReader(file)}
