"""Data sets of materials: Parquet files, filters and folds that keep polymorphs together."""

import hashlib
import os
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from platformdirs import user_data_path

from engine.errors import check
from engine.material_files import read_materials
from engine.materials import Material

DATA_FOLDER = Path(__file__).resolve().parents[1] / "data"
SMALLEST_INDEX = 1.05  # smaller refractive indices say nothing of a crystal
LARGEST_INDEX_CELL = 24  # atoms; the larger cells of an index data set cost most of its time
EMBEDDED = ("petousis-2017", "matbench-dielectric")
FETCHED_VARIABLE = "DIELECTRIC_DATA"


@lru_cache(maxsize=4)
def _read_once(path: Path, modified: float) -> tuple[Material, ...]:
    return tuple(read_materials(path))


def dataset_path(name: str) -> Path:
    """Where an embedded set, or the Parquet file of that name, lies."""
    return DATA_FOLDER / f"{name}.parquet" if name in EMBEDDED else Path(name)


def fetched_root() -> Path:
    """Folder of fetched data sets: $DIELECTRIC_DATA, or one in the user's data folder."""
    chosen = os.environ.get(FETCHED_VARIABLE)
    return Path(chosen) if chosen else user_data_path("dielectric-tensors") / "fetched"


def available_datasets() -> list[str]:
    """Names of the embedded sets, and paths of the Parquet files in `fetched_root()`."""
    return [*EMBEDDED, *(str(path) for path in sorted(fetched_root().glob("*.parquet")))]


def load_dataset(name: str) -> list[Material]:
    """Materials of an embedded set ("petousis-2017", "matbench-dielectric") or of a Parquet file.

    Raises:
        EngineError: there is no such set or file.
    """
    path = dataset_path(name)
    return list(_read_once(path, path.stat().st_mtime if path.is_file() else 0.0))


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


def formula_rank(formula: str) -> float:
    """A fixed number in [0, 1) for each formula: those below x are a random share x of all."""
    return int(hashlib.sha256(formula.encode()).hexdigest()[:12], 16) / 16**12


def formula_folds(materials: Sequence[Material], folds: int, seed: int = 0) -> list[np.ndarray]:
    """Indices of each fold, all crystals of one reduced formula in the same one.

    Formulas are shuffled, then each goes to the fold with the fewest crystals so far, the largest groups
    first, so that folds differ by a crystal or so.

    Raises:
        EngineError: there are fewer formulas than folds.
    """
    groups: dict[str, list[int]] = {}
    for index, material in enumerate(materials):
        groups.setdefault(material.formula, []).append(index)
    check(folds >= 2, f"folds must be at least 2, got {folds}")
    check(len(groups) >= folds, f"{folds} folds need as many formulas, got {len(groups)}")
    formulas = np.array(sorted(groups))
    np.random.default_rng(seed).shuffle(formulas)
    members: list[list[int]] = [[] for _ in range(folds)]
    for formula in sorted(formulas, key=lambda f: -len(groups[f])):
        min(members, key=len).extend(groups[formula])
    return [np.array(sorted(fold)) for fold in members]


def holdout_split(materials: Sequence[Material], share: float, seed: int) -> tuple[list[Material], list[Material]]:
    """Training and validation materials that share no reduced formula; about `share` of them validate."""
    fold = formula_folds(materials, max(2, round(1 / share)), seed)[0]
    held_out = set(fold.tolist())
    train = [m for i, m in enumerate(materials) if i not in held_out]
    return train, [materials[i] for i in fold]


def find_materials(materials: Iterable[Material], query: str) -> list[Material]:
    """Materials by Materials Project ID, formula ("TiO2") or chemical system ("Ti-O"), best match first."""
    text = query.strip()
    if not text:
        return []
    materials = list(materials)
    by_id = [m for m in materials if m.material_id and m.material_id.lower() == text.lower()]
    if by_id:
        return by_id
    if "-" in text and not text.lower().startswith("mp"):
        system = tuple(sorted(part.strip().capitalize() for part in text.split("-")))
        return [m for m in materials if m.elements == system]
    formula = _reduced(text)
    return [m for m in materials if m.formula == formula]


def suggestions(materials: Iterable[Material], query: str, limit: int = 8) -> list[Material]:
    """Materials whose ID or formula begins with what was typed so far, shortest first."""
    text = query.strip().lower()
    hits = [
        m
        for m in materials
        if m.formula.lower().startswith(text) or (m.material_id or "").lower().startswith(text)
    ]
    return sorted(hits, key=lambda m: (len(m.formula), m.formula, m.material_id or ""))[:limit]


def _reduced(text: str) -> str | None:
    from pymatgen.core import Composition

    try:
        return Composition(text).reduced_formula
    except ValueError:
        return None
