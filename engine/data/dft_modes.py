"""Modes at the zone centre by DFT (PBEsol) of embedded crystals, as data/dft_modes.py writes them."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow.parquet as pq

from engine.files import DATA_FOLDER

SHIPPED = DATA_FOLDER / "dft_modes.parquet"


@dataclass(frozen=True, kw_only=True, eq=False)
class DftModes:
    """The K optical multiplets of a crystal, the softest first.

    Attributes:
        labels: [K] Mulliken symbols of their representations.
        wavenumbers: [K] cm^-1, transverse; below zero where a mode is unstable.
        strengths: [K] mean of the diagonal of what each adds to the static tensor; nan where one is unstable.
    """

    labels: tuple[str, ...]
    wavenumbers: np.ndarray
    strengths: np.ndarray

    @property
    def unstable(self) -> bool:
        """Whether DFT finds that the crystal would rather have another structure."""
        return bool((self.wavenumbers < 0).any())


def dft_modes_of(material_id: str | None) -> DftModes | None:
    """Of a crystal of petousis-2017 by its ID, None where the phonon database does not hold it."""
    return None if material_id is None else _read().get(material_id)


@lru_cache(maxsize=1)
def _read() -> dict[str, DftModes]:
    return {
        row["material_id"]: DftModes(
            labels=tuple(row["labels"]),
            wavenumbers=np.array(row["wavenumbers"], dtype=float),
            strengths=np.array(row["strengths"], dtype=float),
        )
        for row in pq.read_table(SHIPPED).to_pylist()
    }
