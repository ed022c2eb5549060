"""Data sets of materials by name: the embedded ones, and Parquet files."""

import hashlib
import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from platformdirs import user_data_path

from engine.crystals.material import Material
from engine.data.doubts import embedded_doubts
from engine.data.parquet import read_materials
from engine.files import DATA_FOLDER

SMALLEST_INDEX = 1.05  # smaller refractive indices say nothing of a crystal
LARGEST_INDEX_CELL = 24  # atoms; the larger cells of an index data set cost most of its time
EMBEDDED = ("petousis-2017", "matbench-dielectric")  # with tensors, with refractive indices: to learn from
SHIPPED = (*EMBEDDED, "catalogue")
FETCHED_VARIABLE = "DIELECTRIC_DATA"


@lru_cache(maxsize=4)
def _read_once(name: str, path: Path, modified: float) -> tuple[Material, ...]:
    doubts = embedded_doubts().get(name, {})
    materials = enumerate(read_materials(path))
    return tuple(replace(one, doubts=doubts[row]) if row in doubts else one for row, one in materials)


def dataset_path(name: str) -> Path:
    """Where an embedded set, or the Parquet file of that name, lies."""
    return DATA_FOLDER / f"{name}.parquet" if name in SHIPPED else Path(name)


def fetched_root() -> Path:
    """Folder of fetched data sets: $DIELECTRIC_DATA, or one in the user's data folder."""
    chosen = os.environ.get(FETCHED_VARIABLE)
    return Path(chosen) if chosen else user_data_path("dielectric-tensors") / "fetched"


def available_datasets() -> list[str]:
    """Names of the embedded sets, and paths of the Parquet files in `fetched_root()`."""
    return [*EMBEDDED, *(str(path) for path in sorted(fetched_root().glob("*.parquet")))]


def load_dataset(name: str) -> list[Material]:
    """Materials of an embedded set ("petousis-2017", "matbench-dielectric", "catalogue") or of a Parquet file.

    Raises:
        EngineError: there is no such set or file.
    """
    path = dataset_path(name)
    return list(_read_once(name, path, path.stat().st_mtime if path.is_file() else 0.0))


def dataset_hash(name: str) -> str:
    """SHA-256 of the data file, so that a figure can name the data it was measured on."""
    return hashlib.sha256(dataset_path(name).read_bytes()).hexdigest()


def label(material: Material, target: str) -> np.ndarray | None:
    """DFT tensor [3, 3] to learn or judge `target` from; None where it is missing or unsound.

    The ionic tensor is the total minus the electronic one, so a flag on any of them speaks against both others.
    """
    unsound = [flag for flag in material.flags if target != "electronic" or flag.startswith(target)]
    return None if unsound else getattr(material, target)


def labelled(materials: Iterable[Material], targets: Sequence[str]) -> list[Material]:
    """Those materials that have a label for at least one of the targets."""
    return [m for m in materials if any(label(m, target) is not None for target in targets)]


def index_materials(name: str, held_out: Collection[str]) -> list[Material]:
    """Crystals of a data set known by their refractive index alone, no formula in `held_out` among them.

    An empty `name` gives none.
    """
    return [
        m
        for m in (load_dataset(name) if name else ())
        if m.electronic is None
        and m.n is not None
        and m.n > SMALLEST_INDEX
        and m.natoms <= LARGEST_INDEX_CELL
        and m.formula not in held_out
    ]


def reserved_formulas(name: str) -> frozenset[str]:
    """Formulas that an index data set has in large cells alone: they teach nothing, so that they can test all.

    An empty `name` gives none.
    """
    materials = load_dataset(name) if name else []
    small = {m.formula for m in materials if m.natoms <= LARGEST_INDEX_CELL}
    return frozenset(m.formula for m in materials) - small
