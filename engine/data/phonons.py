"""Crystals with what DFT says of their ions: Born charges and force constants, as data/phonons.py writes them."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.crystals.material import Material
from engine.data.datasets import reserved_formulas
from engine.errors import EngineError, check

_COLUMNS = (
    "material_id",
    "cell",
    "atomic_numbers",
    "frac_coords",
    "electronic",
    "born",
    "force_constants",
    "lowest",
)
LARGEST_CHARGE = 15.0  # e; a crystal with a larger entry is nearly a metal
SOFT = 0.3  # eV/Å^2
BROKEN_SUM = 0.5  # e; charges of a crystal add up to less than this


@dataclass(frozen=True, kw_only=True, eq=False)
class Phonons:
    """One crystal of a phonon data base.

    Attributes:
        material: the crystal, and its DFT electronic tensor.
        born: [N, 3, 3] e, first axis of a charge the field, second the displacement; they add up to zero.
        force_constants: [3 N, 3 N] eV/Å^2 at the zone centre.
        firm: whether its softest mode is stiffer than `SOFT`: a softer one rules the ionic tensor, and what DFT
            says of it depends on the smallest choices.
    """

    material: Material
    born: np.ndarray
    force_constants: np.ndarray
    firm: bool


def read_phonons(path: str | Path) -> list[Phonons]:
    """The crystals of a phonon file whose charges are sound: none above `LARGEST_CHARGE`, a sum near zero.

    Raises:
        EngineError: there is no such file, or it is not one that data/phonons.py writes.
    """
    path = Path(path)
    check(path.is_file(), f"{path}: no such file; data/README.md says how to get the phonon data")
    return list(_read_once(path, path.stat().st_mtime))


def teaching_phonons(path: str | Path, index_data: str, held_out: Collection[str]) -> list[Phonons]:
    """Crystals of a phonon file that may teach: no formula in `held_out`, none kept for the external test.

    Raises:
        EngineError: as `read_phonons`.
    """
    not_to_learn = {*held_out, *reserved_formulas(index_data)}
    return [one for one in read_phonons(path) if one.material.formula not in not_to_learn]


@lru_cache(maxsize=1)
def _read_once(path: Path, modified: float) -> tuple[Phonons, ...]:
    try:
        table = pq.read_table(path, columns=list(_COLUMNS)).to_pylist()
    except (pa.ArrowInvalid, KeyError, ValueError) as error:
        raise EngineError(f"{path}: not a file of phonon data; build it with data/phonons.py") from error
    crystals = [_phonons(row) for row in table]
    return tuple(one for one in crystals if one is not None)


def _phonons(row: dict) -> Phonons | None:
    born = np.reshape(row["born"], (-1, 3, 3)).astype(float)
    if np.abs(born).max() > LARGEST_CHARGE or np.abs(born.sum(0)).max() > BROKEN_SUM:
        return None
    material = Material(
        material_id=row["material_id"],
        cell=np.reshape(row["cell"], (3, 3)),
        atomic_numbers=np.array(row["atomic_numbers"]),
        frac_coords=np.reshape(row["frac_coords"], (-1, 3)),
        electronic=np.reshape(row["electronic"], (3, 3)),
        space_group_number=1,
        space_group_symbol="P1",
        source="phonondb",
    )
    size = 3 * material.natoms
    lowest = row["lowest"]
    return Phonons(
        material=material,
        born=born - born.mean(0),
        force_constants=np.reshape(row["force_constants"], (size, size)).astype(np.float32),
        firm=lowest is not None and lowest > SOFT,
    )
