"""Rebuild the embedded data sets from the packages that carry their sources.

    python data/build.py [--out FOLDER]
    python data/build.py --current      exit status 0 where nothing has changed since the files were built

Downloads matminer's sdist and crystal-toolkit's wheel with pip, checks their SHA-256 and writes the data sets,
`identifiers.parquet` and `mechanical.parquet`. The bytes depend only on the sources and on the versions of
packages that requirements-engine.txt pins. See README.md beside this file for provenance.
"""

import argparse
import ast
import gzip
import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from pymatgen.core import Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from data.catalogue_sources import catalogue, identifiers, read_tables
from data.mechanical_sources import mechanical, shown_crystals
from engine.crystals.material import Material
from engine.data.data_check import flags_of
from engine.data.parquet import write_materials
from engine.tensors.tensors import symmetrise

ROOT = Path(__file__).resolve().parents[1]
STAMP = "built.json"
IDENTIFIERS = "identifiers.parquet"
MECHANICAL = "mechanical.parquet"
FILES = ("petousis-2017.parquet", "matbench-dielectric.parquet", "catalogue.parquet", IDENTIFIERS, MECHANICAL)
CODE = (
    "data/build.py",
    "data/catalogue_sources.py",
    "data/cited_ids.csv",
    "data/mechanical_sources.py",
    "data/phonondb_ids.csv",
    "data/same_crystal.py",
    "engine/crystals/material.py",
    "engine/crystals/primitive.py",
    "engine/data/data_check.py",
    "engine/data/parquet.py",
    "engine/tensors/axes.py",
    "engine/tensors/principal_axes.py",
    "engine/tensors/tensors.py",
    "engine/tensors/voigt.py",
)
PINNED = ("numpy", "pandas", "pyarrow", "pymatgen", "spglib")
MATMINER = (
    "matminer==0.3.2",
    ["--no-binary=matminer"],
    "e7262c6fa1c5458e3b75c4ba3aff2ae7878b40307bbe01001844e95e9f586a9d",
)
CRYSTAL_TOOLKIT = (
    "crystal-toolkit==2026.7.20",
    ["--only-binary=:all:"],
    "93759d9785b6733870dd6c110088738649f8c6b4fdb96975219e07ae12b01075",
)
PETOUSIS_MEMBER = "matminer-0.3.2/matminer/datasets/dielectric_constant.csv"
MATBENCH_MEMBER = "crystal_toolkit/apps/examples/matbench_dielectric.json.gz"


def download(requirement: str, options: list[str], sha256: str) -> bytes:
    """The one file that pip fetches for `requirement`; raises SystemExit unless its SHA-256 is `sha256`."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *options]
        subprocess.run([*command, "--dest", folder, requirement], check=True)
        (path,) = Path(folder).iterdir()
        content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != sha256:
        raise SystemExit(f"{requirement}: SHA-256 must be {sha256}, got {digest}; the package has changed")
    return content


def petousis(sdist: bytes) -> list[Material]:
    """The 1,056 crystals of Petousis et al. with their tensors, in the axes of their POSCAR column."""
    with tarfile.open(fileobj=io.BytesIO(sdist)) as archive:
        table = pd.read_csv(archive.extractfile(PETOUSIS_MEMBER), comment=None, skiprows=1, index_col=0)
    materials = []
    for row in table.itertuples():
        structure = Structure.from_str(row.poscar, fmt="poscar")
        electronic = np.array(ast.literal_eval(row.e_electronic))
        total = np.array(ast.literal_eval(row.e_total))
        materials.append(
            Material(
                material_id=row.material_id,
                cell=structure.lattice.matrix,
                atomic_numbers=np.array(structure.atomic_numbers),
                frac_coords=structure.frac_coords,
                electronic=symmetrise(electronic),
                ionic=symmetrise(total - electronic),
                n=float(np.sqrt(np.trace(electronic) / 3)),
                band_gap=float(row.band_gap),
                space_group_number=int(row.space_group),
                space_group_symbol=SpacegroupAnalyzer(structure, symprec=0.01).get_space_group_symbol(),
                source="petousis-2017",
                flags=flags_of(electronic, total, structure),
            )
        )
    return materials


def matbench(wheel: bytes) -> list[Material]:
    """The 4,764 crystals of matbench_dielectric with their refractive index, in the benchmark's order."""
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        table = json.loads(gzip.decompress(archive.read(MATBENCH_MEMBER)))
    materials = []
    for key, document in table["structure"].items():
        structure = Structure.from_dict(document)
        materials.append(
            Material(
                material_id=None,
                cell=structure.lattice.matrix,
                atomic_numbers=np.array(structure.atomic_numbers),
                frac_coords=structure.frac_coords,
                n=float(table["n"][key]),
                space_group_number=int(table["spg_num"][key]),
                space_group_symbol=table["spg_symbol"][key],
                source="matbench-dielectric",
            )
        )
    return materials


def with_indices(materials: list[Material], known: pd.DataFrame, unnamed: list[Material]) -> list[Material]:
    """The same crystals, each with the refractive index of the row of `unnamed` that it is."""
    rows = dict(zip(known.material_id, known.row, strict=True))
    return [m if pd.isna(rows[m.material_id]) else replace(m, n=unnamed[rows[m.material_id]].n) for m in materials]


def recipe(root: Path = ROOT) -> str:
    """SHA-256 of what the bytes depend on beside the sources: the code that builds them, and pinned packages."""
    digest = hashlib.sha256()
    for name in CODE:
        digest.update((root / name).read_bytes())
    lines = (root / "requirements-engine.txt").read_text().splitlines()
    digest.update("\n".join(line for line in lines if line.startswith(PINNED)).encode())
    return digest.hexdigest()


def stamp(root: Path = ROOT) -> dict[str, str]:
    """What `STAMP` should hold: the recipe, and the SHA-256 of each file."""
    files = {name: hashlib.sha256((root / "data" / name).read_bytes()).hexdigest() for name in FILES}
    return {"recipe": recipe(root), **files}


def is_current(root: Path = ROOT) -> bool:
    """Whether builder and files are those that were last built and compared."""
    path = root / "data" / STAMP
    return path.is_file() and json.loads(path.read_text()) == stamp(root)


def main() -> None:
    """Build all files and say how many rows each check flagged."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    parser.add_argument("--current", action="store_true", help="only say whether a build is needed")
    options = parser.parse_args()
    if options.current:
        raise SystemExit(0 if is_current() else 1)
    out = options.out
    sdist = download(*MATMINER)
    tensors, indices, tables = petousis(sdist), matbench(download(*CRYSTAL_TOOLKIT)), read_tables(sdist)
    others = catalogue(tables, tensors)
    known = identifiers(tables, tensors + others, indices)
    known.to_parquet(out / IDENTIFIERS, compression="zstd", index=False)
    print(f"{known.row.notna().sum()} IDs are crystals of matbench-dielectric")
    rows, outcomes = mechanical(tables, shown_crystals(tensors, indices, others, known))
    rows.to_parquet(out / MECHANICAL, compression="zstd", index=False)
    print("\n".join(f"{count} {what}" for what, count in sorted(outcomes.items())))
    for name, materials in (
        ("petousis-2017", tensors),
        ("matbench-dielectric", indices),
        ("catalogue", with_indices(others, known, indices)),
    ):
        write_materials(out / f"{name}.parquet", materials)
        counts = Counter(flag for material in materials for flag in material.flags)
        print(f"{name}: {len(materials)} crystals; flagged: {dict(counts) or 'none'}")
    if out.resolve() == Path(__file__).resolve().parent:
        (out / STAMP).write_text(json.dumps(stamp(), indent=1) + "\n")


if __name__ == "__main__":
    main()
