"""Write a Parquet file of phonon calculations from a copy of Kyoto University's phonon database.

    python data/phonons.py FOLDER OUT.parquet        (hours on two cores for the whole database)

FOLDER holds, at any depth, archives as the database publishes them, `materials-id-1265-mgo-fm-3m-225.tar.lzma`.
Columns, source and licence: "Phonon data" in README.md beside this file. The file is written at the end, whole or
not at all; what cannot be used is left out and counted.
"""

import argparse
import lzma
import multiprocessing
import os
import re
import sys
import tarfile
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from phonopy import Phonopy
from phonopy.file_IO import parse_BORN_from_strings, parse_FORCE_SETS_from_strings
from phonopy.interface.vasp import read_vasp_from_strings
from scipy.linalg import null_space

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine.crystals.material import reduced_formula
from engine.errors import EngineError, check, required
from engine.network.constants import UNIT
from engine.processes import end_with_parent

NAME = re.compile(r"materials-id-(\d+)-.+\.tar\.lzma")
FILES = ("BORN", "FORCE_SETS", "POSCAR-unitcell", "phonopy.conf")
MOST_ATOMS = 30
WORST_NEUTRALITY = 0.5  # e, of the cell's charges added up
DAMAGED = (tarfile.TarError, lzma.LZMAError, EOFError)
REFUSED = (OSError, ValueError, RuntimeError, LookupError, TypeError, ArithmeticError, AssertionError)
_SINGLE, _DOUBLE = pa.list_(pa.float32()), pa.list_(pa.float64())
SCHEMA = pa.schema(
    [
        ("material_id", pa.string()),
        ("file", pa.string()),
        ("cell", _DOUBLE),  # 9, Å, rows are lattice vectors of the primitive cell
        ("atomic_numbers", pa.list_(pa.int16())),  # N
        ("frac_coords", _DOUBLE),  # 3 N
        ("electronic", _DOUBLE),  # 9, axes of `cell`
        ("born", _SINGLE),  # 9 N, e, [atom, field, displacement]
        ("force_constants", _SINGLE),  # 9 N^2, eV/Å^2, [3 N, 3 N]
        ("formula", pa.string()),
        ("lowest", pa.float64()),  # eV/Å^2; null for one atom, which has nothing but translations
        ("drift", pa.float64()),  # eV/Å^2
        ("ionic", _DOUBLE),  # 9, axes of `cell`
    ]
)


def archives(folder: Path) -> list[Path]:
    """The archives below a folder in the order of their number; raises EngineError where there is none."""
    check(folder.is_dir(), f"{folder}: no such folder; give a copy of github.com/WMD-group/phononDB")
    found = [(int(name[1]), path) for path in folder.rglob("*") if (name := NAME.fullmatch(path.name))]
    check(bool(found), f"{folder}: must hold archives like materials-id-1265-mgo-fm-3m-225.tar.lzma, has none")
    return [path for _, path in sorted(found)]


def texts(path: Path) -> dict[str, str]:
    """Those of `FILES` that an archive holds; nothing is unpacked onto the disk."""
    found = {}
    with tarfile.open(path, "r:xz") as archive:
        for member in archive:
            name = PurePosixPath(member.name).name
            if name in FILES and (file := archive.extractfile(member)):
                found[name] = file.read().decode()
    return found


def setting(conf: str, tags: str, default: str) -> np.ndarray:
    """A 3 x 3 matrix of phonopy.conf, where 3 numbers are the diagonal and numbers may be fractions."""
    line = re.search(rf"^\s*(?:{tags})\s*=(.*)$", conf, re.IGNORECASE | re.MULTILINE)
    numbers = [float(Fraction(word)) for word in (line[1] if line else default).split()]
    return np.diag(numbers) if len(numbers) == 3 else np.reshape(numbers, (3, 3))


def zone_centre(phonons: Phonopy) -> np.ndarray:
    """Phi of the primitive cell, [3 N, 3 N] eV/Å^2: every image of an atom displaced alike."""
    phonons.produce_force_constants(calculate_full_force_constants=False, show_drift=False)
    phonons.symmetrize_force_constants(show_drift=False)
    pairs = required(phonons.force_constants, "phonopy made no force constants")  # [N, atoms of supercell, 3, 3]
    cell = phonons.primitive
    summed = np.stack([pairs[:, cell.s2p_map == first].sum(1) for first in cell.p2s_map], axis=1)  # [N, N, 3, 3]
    matrix = summed.transpose(0, 2, 1, 3).reshape(3 * len(cell), -1)
    return (matrix + matrix.T) / 2


def lattice_response(born: np.ndarray, matrix: np.ndarray, volume: float) -> tuple[float | None, np.ndarray]:
    """Smallest eigenvalue of Phi, translations apart, and the ionic tensor UNIT / volume Z* Phi^-1 Z*.

    Args:
        born: [N, 3, 3] in e, second index the field, third the displacement.
        matrix: Phi, [3 N, 3 N] eV/Å^2.
        volume: Å^3.
    """
    inner = null_space(np.tile(np.eye(3), len(born)))  # [3 N, 3 N - 3], displacements that keep the centre
    k, w = np.linalg.eigh(inner.T @ matrix @ inner)
    pull = (inner @ w).T @ born.transpose(0, 2, 1).reshape(-1, 3)  # [3 N - 3, 3]
    with np.errstate(divide="ignore", invalid="ignore"):
        ionic = UNIT / volume * pull.T @ (pull / k[:, None])
    return (float(k[0]) if len(k) else None), ionic


def row(path: Path) -> dict[str, Any]:
    """The row of one archive; raises EngineError with the reason where it cannot be used."""
    found = texts(path)
    for name in FILES:
        check(name in found, f"no {name} file")
    conf = found["phonopy.conf"]
    phonons = Phonopy(
        read_vasp_from_strings(found["POSCAR-unitcell"]),
        np.rint(setting(conf, "DIM", "1 1 1")).astype(int),
        primitive_matrix=setting(conf, "PRIMITIVE_AXIS|PRIMITIVE_AXES", "1 1 1"),
    )
    cell = phonons.primitive
    check(len(cell) <= MOST_ATOMS, f"more than {MOST_ATOMS} atoms in the primitive cell")
    charges = parse_BORN_from_strings(found["BORN"], cell)
    phonons.dataset = parse_FORCE_SETS_from_strings(found["FORCE_SETS"], natom=len(phonons.supercell))
    # The numbers as the file keeps them: what follows from them is of these, not of more exact ones.
    born, matrix = charges["born"].astype(np.float32), zone_centre(phonons).astype(np.float32)
    electronic = charges["dielectric"]
    lowest, ionic = lattice_response(born.astype(float), matrix.astype(float), cell.volume)
    check(all(np.isfinite(part).all() for part in (electronic, born, matrix, ionic)), "a number is not finite")
    check(np.linalg.eigvalsh((electronic + electronic.T) / 2)[0] >= 1, "electronic eigenvalue below 1")
    check(np.abs(born.sum(0)).max() <= WORST_NEUTRALITY, f"charges add up to more than {WORST_NEUTRALITY} e")
    drift = np.abs(matrix.astype(float).reshape(-1, len(cell), 3).sum(1)).max()
    return {
        "material_id": f"mp-{required(NAME.fullmatch(path.name), path.name)[1]}",
        "file": path.name,
        "cell": cell.cell.ravel(),
        "atomic_numbers": cell.numbers,
        "frac_coords": cell.scaled_positions.ravel(),
        "electronic": electronic.ravel(),
        "born": born.ravel(),
        "force_constants": matrix.ravel(),
        "formula": reduced_formula(cell.numbers),
        "lowest": lowest,
        "drift": float(drift),
        "ionic": ionic.ravel(),
    }


def attempt(path: Path) -> dict[str, Any] | str:
    """The row of one archive, or why it is left out."""
    try:
        return row(path)
    except EngineError as error:
        return str(error)
    except DAMAGED:
        return "damaged archive"
    except RecursionError:  # phonopy reads on and on
        return "FORCE_SETS ends too early"
    except REFUSED as error:
        return f"cannot be read ({type(error).__name__}: {error})"


def collect(paths: list[Path], results: Iterable[dict[str, Any] | str]) -> list[dict[str, Any]]:
    """The rows among the results of `attempt`; prints progress, then how many were left out and why."""
    rows: list[dict[str, Any]] = []
    left_out: dict[str, list[str]] = {}
    for done, (path, result) in enumerate(zip(paths, results, strict=True), start=1):
        if isinstance(result, str):
            left_out.setdefault(result, []).append(path.name)
        else:
            rows.append(result)
        if done % 20 == 0 or done == len(paths):
            print(f"{done} of {len(paths)} archives, {len(rows)} crystals", flush=True)
    for reason, names in sorted(left_out.items()):
        print(f"left out, {reason}: {len(names)} ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})")
    return rows


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write the file, whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    try:
        pq.write_table(pa.Table.from_pylist(rows, SCHEMA), part, compression="zstd", compression_level=19)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def main() -> None:
    """Build the file, an archive a process at a time."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="copy of github.com/WMD-group/phononDB")
    parser.add_argument("out", type=Path, help="Parquet file to write")
    options = parser.parse_args()
    try:
        check(options.out.parent.is_dir(), f"{options.out.parent}: no such folder to write into; make it first")
        paths = archives(options.folder)
        for threads in ("OMP_NUM_THREADS", "RAYON_NUM_THREADS"):  # the processes share the cores already
            os.environ.setdefault(threads, "1")
        with ProcessPoolExecutor(
            mp_context=multiprocessing.get_context("spawn"), initializer=end_with_parent
        ) as pool:
            rows = collect(paths, pool.map(attempt, paths))
        check(bool(rows), f"{options.folder}: no archive could be used; nothing was written")
    except EngineError as error:
        raise SystemExit(str(error)) from error
    except KeyboardInterrupt:
        raise SystemExit(f"interrupted; {options.out} was not touched") from None
    write(options.out, rows)
    print(f"{options.out}: {len(rows)} crystals")


if __name__ == "__main__":
    main()
