"""Elastic and piezoelectric tensors by DFT of embedded crystals, as data/build.py writes them."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import pyarrow.parquet as pq

from engine.crystals.material import Material
from engine.files import DATA_FOLDER

FILE = "mechanical.parquet"
SOURCES = {"elastic": "elastic-2015", "piezoelectric": "piezoelectric-2015"}  # what `citation_of` knows
Orientation = Literal["whole", "longitudinal", "none"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Mechanical:
    """Elastic and piezoelectric tensors of a crystal; None where there is none.

    Attributes:
        elastic: [6, 6] stiffnesses, GPa, in Voigt's notation and the axes of the crystal.
        piezoelectric: [3, 6] stress constants e, C/m^2, in the axes of the crystal but for the sign of them all.
        piezoelectric_ieee: [3, 6] the same as published, in IEEE axes.
        orientation: how far the source tells how the IEEE axes lie in the crystal: of the "whole" tensor, of what
            `longitudinal` sees of it alone, or not at all.
    """

    elastic: np.ndarray | None
    piezoelectric: np.ndarray | None
    piezoelectric_ieee: np.ndarray | None
    orientation: Orientation


def mechanical_of(material: Material) -> Mechanical | None:
    """Of an embedded crystal by its ID; None where nothing is known, or for another structure under that ID."""
    source, found = _read().get(material.material_id or "", ("", None))
    return found if source == material.source and material.fetched is None else None


@lru_cache(maxsize=1)
def _read() -> dict[str, tuple[str, Mechanical]]:
    """ID -> set of the crystal in whose axes the tensors are, and these."""
    return {
        row["material_id"]: (
            row["shown"],
            Mechanical(
                elastic=_matrix(row["elastic"], 6),
                piezoelectric=_matrix(row["piezoelectric"], 3),
                piezoelectric_ieee=_matrix(row["piezoelectric_ieee"], 3),
                orientation=row["orientation"] or "none",
            ),
        )
        for row in pq.read_table(DATA_FOLDER / FILE).to_pylist()
    }


def _matrix(values: list[float] | None, rows: int) -> np.ndarray | None:
    return None if values is None else np.array(values).reshape(rows, 6)
