"""Data sets of materials: Parquet files, filters and folds that keep polymorphs together."""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.errors import EngineError, check
from engine.materials import Material

DATA_FOLDER = Path(__file__).resolve().parents[1] / "data"
SMALLEST_INDEX = 1.05  # smaller refractive indices say nothing of a crystal
LARGEST_INDEX_CELL = 24  # atoms; the larger cells of an index data set cost most of its time
EMBEDDED = ("petousis-2017", "matbench-dielectric")

_NUMBERS = pa.list_(pa.float64())
SCHEMA = pa.schema(
    [
        ("material_id", pa.string()),
        ("cell", _NUMBERS),  # 9, Å, rows are lattice vectors
        ("atomic_numbers", pa.list_(pa.int16())),  # N
        ("frac_coords", _NUMBERS),  # 3 N
        ("electronic", _NUMBERS),  # 9, axes of `cell`
        ("ionic", _NUMBERS),  # 9, axes of `cell`
        ("n", pa.float64()),
        ("band_gap", pa.float64()),  # eV
        ("space_group_number", pa.int16()),
        ("space_group_symbol", pa.string()),
        ("source", pa.string()),
        ("flags", pa.list_(pa.string())),
    ]
)


def write_materials(path: Path, materials: Sequence[Material]) -> None:
    """Write materials to a Parquet file, whole or not at all."""

    def flat(array: np.ndarray | None) -> list | None:
        return None if array is None else np.asarray(array).ravel().tolist()

    rows = [
        {
            "material_id": m.material_id,
            "cell": flat(m.cell),
            "atomic_numbers": flat(m.atomic_numbers),
            "frac_coords": flat(m.frac_coords),
            "electronic": flat(m.electronic),
            "ionic": flat(m.ionic),
            "n": m.n,
            "band_gap": m.band_gap,
            "space_group_number": m.space_group_number,
            "space_group_symbol": m.space_group_symbol,
            "source": m.source,
            "flags": list(m.flags),
        }
        for m in materials
    ]
    part = Path(path).with_suffix(".part")
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), part, compression="zstd", compression_level=19)
    part.replace(path)


def read_materials(path: Path) -> list[Material]:
    """Materials of a Parquet file in the layout of `SCHEMA`.

    Raises:
        EngineError: the file is missing, is not Parquet or lacks a column.
    """
    path = Path(path)
    check(path.is_file(), f"{path}: no such data file; give an embedded set ({', '.join(EMBEDDED)}) or a path")
    try:
        rows = pq.read_table(path, columns=SCHEMA.names).to_pylist()
    except (pa.ArrowException, KeyError, OSError) as error:
        raise EngineError(f"{path}: must be a Parquet file with columns {', '.join(SCHEMA.names)}") from error

    def matrix(values: list | None) -> np.ndarray | None:
        return None if values is None else np.array(values).reshape(-1, 3)

    return [
        Material(
            **{
                **row,
                "cell": matrix(row["cell"]),
                "atomic_numbers": np.array(row["atomic_numbers"], dtype=np.int64),
                "frac_coords": matrix(row["frac_coords"]),
                "electronic": matrix(row["electronic"]),
                "ionic": matrix(row["ionic"]),
                "flags": tuple(row["flags"] or ()),
            }
        )
        for row in rows
    ]


@lru_cache(maxsize=4)
def _read_once(path: Path, modified: float) -> tuple[Material, ...]:
    return tuple(read_materials(path))


def dataset_path(name: str) -> Path:
    """Where an embedded set, or the Parquet file of that name, lies."""
    return DATA_FOLDER / f"{name}.parquet" if name in EMBEDDED else Path(name)


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
