"""Refractive indices against measured ones, as benchmarks/measured_indices.py wrote them."""

from pathlib import Path

import numpy as np
import pandas as pd

from engine.errors import EngineError
from engine.evaluation.results import results_file
from engine.files import read_json

NAME = "measured_indices"
WAYS = ("dft", "predicted")


def read_measured(path: Path | None = None) -> pd.DataFrame | None:
    """A row a crystal: material_id, formula, space_group, measured, polymorph, dft, predicted, held_out, source.

    `polymorph` is empty where the measurement names none: it may be of another one of the same optical symmetry.
    `held_out`: no network that answered was trained on the formula. None where it was not measured.

    Raises:
        EngineError: the file is damaged.
    """
    path = path or results_file(NAME)
    if not path.is_file():
        return None
    try:
        return pd.DataFrame(read_json(path)["rows"]).astype({name: float for name in ("measured", *WAYS)})
    except (KeyError, ValueError, TypeError) as error:
        raise EngineError(f"{path}: is damaged; measure it again with python -m benchmarks.{NAME}") from error


def median_errors(rows: pd.DataFrame) -> dict[str, tuple[int, float, float]]:
    """Way -> crystals that have it, median of |n / measured - 1| and of n / measured - 1, percent."""
    found = {}
    both = rows[rows["dft"].notna() & rows["predicted"].notna()]
    for way in WAYS:
        error = 100 * (both[way] / both["measured"] - 1)
        found[way] = len(both), float(np.median(error.abs())), float(np.median(error))
    return found
