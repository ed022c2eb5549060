"""The rows of a screening as a table to filter, rank and draw, with no more columns than that takes."""

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pyarrow.csv import WriteOptions, write_csv
from pymatgen.core import Lattice, Structure

from engine.errors import EngineError
from engine.prediction.warnings import LEARNT
from engine.screening.ranking import LISTED
from engine.screening.rows import QUANTITIES, SCHEMA

PARTS = ("electronic", "ionic", "total")
LOW_IS_BETTER = frozenset({"metallic", "natoms"})  # of the quantities, for most purposes
TENSOR_OF = {"ionic": "ionic", "total": "total", "merit": "total"}  # whose interval tells of a quantity
_SYMBOL = re.compile("[A-Z][a-z]?")
_TEXTS = ("source", "material_id", "formula", "useless", "error")


def read_table(paths: Sequence[Path]) -> pd.DataFrame:
    """A row for each structure of a result, or of the parts that are done, in their order.

    Columns: source, material_id, formula, useless and error as in rows.py; `QUANTITIES`; `width_electronic`,
    `width_ionic` and `width_total`, high over low end of the mean's 90 % interval; `warned`, whether there is any
    reason to trust it less; `elements`, a tuple of symbols.

    Raises:
        EngineError: a file is gone, or is no result.
    """
    wanted = {name: pc.field(name) for name in (*_TEXTS, *QUANTITIES)}
    wanted |= {f"{part}_{end}": pc.field(f"{part}_interval90_{end}") for part in PARTS for end in ("low", "high")}
    doubts = pc.replace_substring_regex(pc.field("warnings"), pattern=rf"\S+ {LEARNT}", replacement="")
    wanted["warned"] = pc.utf8_trim_whitespace(doubts) != pc.scalar("")
    rows = _read(paths, columns=wanted).to_pandas()
    for part in PARTS:
        rows[f"width_{part}"] = _width(rows.pop(f"{part}_low"), rows.pop(f"{part}_high"))
    rows["warned"] = rows["warned"].fillna(False).astype(bool)
    held = {formula: tuple(_SYMBOL.findall(formula)) for formula in rows["formula"].dropna().unique()}
    rows["elements"] = [held.get(formula, ()) for formula in rows["formula"]]
    return rows


def read_row(paths: Sequence[Path], source: str) -> dict[str, Any] | None:
    """All columns of the first row of that source; None where there is none.

    Raises:
        EngineError: a file is gone, or is no result.
    """
    found = _read(paths, filter=pc.field("source") == source)
    return next(iter(found.slice(0, 1).to_pylist()), None)


def structure_of(row: dict[str, Any]) -> Structure:
    """The crystal of a row that was answered."""
    lattice = Lattice(np.reshape(row["cell"], (3, 3)))
    return Structure(lattice, row["atomic_numbers"], np.reshape(row["frac_coords"], (-1, 3)))


def to_parquet(paths: Sequence[Path], positions: Sequence[int]) -> bytes:
    """Those rows of `read_table`, all their columns: what `screen` takes as an input, too."""
    file = io.BytesIO()
    pq.write_table(_read(paths).take(positions), file, compression="zstd")
    return file.getvalue()


def to_csv(paths: Sequence[Path], positions: Sequence[int]) -> bytes:
    """The same without the crystals, as CSV."""
    file = io.BytesIO()
    rows = _read(paths, columns=[name for name in SCHEMA.names if name not in LISTED]).take(positions)
    write_csv(rows, file, WriteOptions(quoting_style="needed"))
    return file.getvalue()


def _read(paths: Sequence[Path], **what: Any) -> pa.Table:
    try:
        return ds.dataset([str(path) for path in paths], schema=SCHEMA, format="parquet").to_table(**what)
    except (OSError, ValueError) as error:
        raise EngineError(f"the rows of the screening cannot be read ({error})") from error


def _width(low: pd.Series, high: pd.Series) -> pd.Series:
    """High over low end; 1 where symmetry leaves nothing, as of an ionic part."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return (high / low).where(high != low, 1.0).where(high.notna())
