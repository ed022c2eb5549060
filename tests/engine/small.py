"""A configuration and a data set small enough to train in a test."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pymatgen.core import Element

from engine.config import GraphConfig, ModelConfig, TrainConfig
from engine.crystals.material import Material
from engine.data.datasets import load_dataset

CONFIG = TrainConfig(
    graph=GraphConfig(r_max=4.0),
    model=ModelConfig(mul=4, num_layers=1, num_basis=6, radial_width=16),
    epochs=3,
    batch_size=8,
    device="cpu",
)


def config(**changes: object) -> TrainConfig:
    """`CONFIG` with some values changed."""
    return replace(CONFIG, **changes)


@lru_cache
def materials(count: int = 60) -> list[Material]:
    """Crystals of at most six atoms with sound labels, enough for folds that share no formula."""
    return [m for m in load_dataset("petousis-2017") if m.natoms <= 6 and not m.flags][:count]


def write_phonons(
    folder: Path, charges: Mapping[tuple[str, str], float], drift: float = 0.0, electronic: float = 2.5
) -> Path:
    """A phonon file of rock salts, cation and anion -> charge in e; `drift` is what the charges add up to."""
    rows = []
    for (cation, anion), charge in charges.items():
        born = np.stack([(charge + drift / 2) * np.eye(3), (drift / 2 - charge) * np.eye(3)])
        rows.append(
            {
                "material_id": f"mp-{len(rows)}",
                "cell": (2.8 * (np.ones((3, 3)) - np.eye(3))).ravel().tolist(),
                "atomic_numbers": [Element(cation).Z, Element(anion).Z],
                "frac_coords": [0.0, 0, 0, 0.5, 0.5, 0.5],
                "electronic": (electronic * np.eye(3)).ravel().tolist(),
                "born": born.ravel().tolist(),
                "force_constants": (4.0 * np.kron([[1, -1], [-1, 1]], np.eye(3))).ravel().tolist(),
                "lowest": 8.0,
            }
        )
    path = folder / "phonons.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


SALTS = {("Na", "Cl"): 1.1, ("Mg", "O"): 1.9, ("K", "Br"): 1.1, ("Ca", "S"): 2.2}


def taught_by_salts(folder: Path) -> TrainConfig:
    """An epoch on the pretrained backbone with a phonon file of four rock salts, written to the folder."""
    config = TrainConfig.for_backbone("pretrained", epochs=1, device="cpu", index_data="")
    return replace(config, phonon_data=str(write_phonons(folder, SALTS)))
