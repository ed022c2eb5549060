"""The script that reads untrusted structure files, in processes that can be killed.

`engine.crystals.warm_readers` starts it. A request is a line of JSON and the file; those up to one that has not
`"more": true` are read by one fork, within limits of their own each, and where a file is the fork's end, another
fork reads on behind it. For each file there is one line of JSON: `{"structures": [...]}`, each with `cell` (3x3,
Å, rows are lattice vectors), `atomic_numbers` (N), `frac_coords` (Nx3), `notes`, sentences of what was assumed,
and `tensors` that the file holds, or `{"refused": reason}`; or an empty line where it came to its limits. A file's
kind is one of `READERS`; a disordered crystal as JSON is answered by ordered ones that stand for it. Comments and
properties of the file stay behind. It imports what a format needs when that is first asked for, so that it starts
in a fraction of a second.
"""

import contextlib
import importlib.util
import io
import json
import os
import re
import resource
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType, ModuleType
from typing import Any, BinaryIO, NamedTuple, TypedDict

import numpy as np

from engine.crystals.castep import read_castep
from engine.crystals.cif import Undecided, read_cif
from engine.crystals.disorder import Mixed
from engine.crystals.espresso import read_espresso
from engine.crystals.json_documents import read_documents
from engine.crystals.poscar import read_poscar
from engine.crystals.refusal import (
    MAX_LENGTH,
    MAX_STRUCTURES,
    MIN_DISTANCE,
    MOST_ATOMS,
    Refused,
    check,
    check_count,
)
from engine.crystals.vasprun import read_vasprun

CPU_SECONDS = 9
MEMORY = 2 * 1024**3  # bytes


class Crystal(NamedTuple):
    """Cell [3, 3] Å, atomic numbers [N], fractional coordinates [N, 3], what was assumed, the file's tensors."""

    cell: np.ndarray
    numbers: np.ndarray
    positions: np.ndarray
    notes: tuple[str, ...] = ()
    tensors: Mapping[str, np.ndarray] = MappingProxyType({})


class Parsed(TypedDict):
    """One structure as it is written."""

    cell: list[list[float]]
    atomic_numbers: list[int]
    frac_coords: list[list[float]]
    notes: list[str]
    tensors: dict[str, list[list[float]]]  # [3, 3] "electronic" and "ionic", of a calculation's output


class Answer(TypedDict, total=False):
    """All that is written: structures, or why there are none."""

    structures: list[Parsed]
    refused: str
    choices: dict[str, Parsed]  # by setting, where the file leaves it open
    disordered: dict[str, Any]  # as pymatgen writes it, where disorder is all that is wrong


def _pass_over(package: str) -> None:
    """Import modules of a package without what its `__init__` imports: a second of scipy that no file needs."""
    found = None if package in sys.modules else importlib.util.find_spec(package)
    if found:
        sys.modules[package] = ModuleType(package)
        sys.modules[package].__path__ = list(found.submodule_search_locations or ())


def crystals_of_cif(text: str) -> list[Crystal]:
    """Every crystal of a CIF; raises as `cif.read_cif` does."""
    return [Crystal(one.cell, one.numbers, one.positions, one.notes) for one in read_cif(text)]


def crystals_of_poscar(text: str) -> list[Crystal]:
    """The crystal of a POSCAR or CONTCAR; raises as `poscar.read_poscar` does."""
    return [Crystal(*read_poscar(text))]


def crystals_of_castep(text: str) -> list[Crystal]:
    """The crystal of a CASTEP cell file; raises as `castep.read_castep` does."""
    return [Crystal(*read_castep(text))]


def crystals_of_espresso(text: str) -> list[Crystal]:
    """The crystal of an input of Quantum ESPRESSO's pw.x; raises as `espresso.read_espresso` does."""
    return [Crystal(*read_espresso(text))]


def crystals_of_vasprun(text: str) -> list[Crystal]:
    """The last structure of a run of VASP; raises as `vasprun.read_vasprun` does."""
    run = read_vasprun(text)
    return [Crystal(run.cell, run.numbers, run.positions, run.notes, run.tensors)]


LONGEST_COUNT = 9  # digits
_COLUMNS = re.compile(r"Properties=\S*:\d{4}")
_LATTICE = re.compile(r'Lattice=("[^"]*,[^"]*"|\[[-+.\deE,\s\[\]]*\])')


def read_xyz(text: str) -> list[Crystal]:
    """Every frame of an extended XYZ.

    Raises:
        Refused: a frame has no lattice, is not periodic along all three, or has too many atoms.
    """
    _pass_over("ase.dft")
    from ase.io.extxyz import read_xyz as read_frames

    _check_frames(text)
    crystals: list[Crystal] = []
    for atoms in read_frames(io.StringIO(_LATTICE.sub(_plain_lattice, text)), index=slice(None)):
        check_count(len(atoms))
        check(len(crystals) < MAX_STRUCTURES, f"a file may hold at most {MAX_STRUCTURES} structures; split it")
        check(
            atoms.cell.rank == 3,
            'it has no lattice (Lattice="..." on its second line): only crystals can be read',
        )
        check(bool(atoms.pbc.all()), "it must be periodic along all three lattice vectors (pbc)")
        cell = atoms.cell.array
        crystals.append(Crystal(cell, atoms.numbers, np.linalg.solve(cell.T, atoms.positions.T).T))
    return crystals


def _check_frames(text: str) -> None:
    """Refuse what ASE would take long to find out: more atoms, or columns, than there can be."""
    check(not _COLUMNS.search(text), "its Properties are more columns than any file has")
    lines, place = text.split("\n"), 0
    while place < len(lines) and (count := lines[place].strip()).isdecimal():
        check(len(count) <= LONGEST_COUNT, f"it gives a number of atoms of {len(count)} digits")
        check_count(int(count))
        place += int(count) + 2


def _plain_lattice(found: re.Match) -> str:
    """Nine numbers in brackets or with commas, as extended XYZ has them: with spaces between quotes."""
    return 'Lattice="' + " ".join(re.findall(r"[-+.\deE]+", found[1])) + '"'


def read_json(text: str) -> list[Crystal]:
    """Crystals of a JSON document; raises as `json_documents.read_documents` does."""
    return [Crystal(*one) for one in read_documents(json.loads(text))]


def order_json(text: str) -> list[Crystal]:
    """Ordered crystals that stand for the disordered one of a JSON document; raises as `orderings.order` does."""
    from engine.crystals.orderings import order

    try:
        return read_json(text)
    except Mixed as mixed:
        return [Crystal(*one) for one in order(mixed.crystal)]


def read_xsf(text: str) -> list[Crystal]:
    """Every frame of an XSF, of XCrySDen; raises Refused where one is no crystal."""
    _pass_over("ase.dft")
    from ase.io.xsf import read_xsf as read_frames

    frames = list(read_frames(io.StringIO(text), index=slice(None)))
    check(
        all(bool(atoms.pbc.all()) for atoms in frames),
        "it is no CRYSTAL, periodic along all three lattice vectors",
    )
    return [Crystal(one.cell.array, one.numbers, one.get_scaled_positions(wrap=False)) for one in frames]


_ALIAS = re.compile(r"(?:^|[-:,?\[{])[ \t]*\*\w", re.MULTILINE)


def read_phonopy(text: str) -> list[Crystal]:
    """The unit cell of a phonopy.yaml or phonopy_params.yaml; raises Refused where it has none."""
    import yaml

    check(not _ALIAS.search(text), "it has aliases (*name), which phonopy does not write")
    document = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  # a safe one
    cell = document.get("unit_cell") if isinstance(document, dict) else None
    if not isinstance(cell, dict) or "points" not in cell:
        raise Refused("it holds no unit_cell with points")
    sites = [{"species": [{"element": one["symbol"]}], "abc": one["coordinates"]} for one in cell["points"]]
    return [Crystal(*one) for one in read_documents({"lattice": {"matrix": cell["lattice"]}, "sites": sites})]


def check_crystal(crystal: Crystal) -> None:
    """Refuse a crystal that cannot exist.

    Raises:
        Refused: wrong shapes, numbers that are not finite, a flat or huge cell, two atoms on one place.
    """
    from pymatgen.core import Lattice

    cell, numbers, coordinates, *_ = crystal
    check_count(len(numbers))
    check(
        cell.shape == (3, 3) and coordinates.shape == (len(numbers), 3),
        "lattice or positions are not 3 numbers each",
    )
    check(bool(np.isfinite(cell).all() and np.isfinite(coordinates).all()), "a number in it is not finite")
    check(bool(((numbers >= 1) & (numbers <= 118)).all()), "an atom's symbol or number is no element")
    longest = float(np.abs(cell).max())
    check(longest <= MAX_LENGTH, f"a lattice vector may be at most {MAX_LENGTH:g} Å long, got {longest:.3g}")
    volume = abs(float(np.linalg.det(cell)))
    check(
        volume >= len(numbers),
        f"its cell is too small: {volume:.3g} Å³ for {len(numbers)} atoms; lengths are in Å",
    )
    check(float(np.abs(coordinates).max()) <= 1000, "a position lies over 1000 cells away")
    lattice = Lattice(cell)
    distances = lattice.get_all_distances(coordinates % 1, coordinates % 1)  # [N, N]
    np.fill_diagonal(distances, min(lattice.get_lll_reduced_lattice().abc))
    first, second = np.unravel_index(distances.argmin(), distances.shape)
    check(
        distances.min() >= MIN_DISTANCE,
        f"atoms {first + 1} and {second + 1} lie on one place, "
        f"{distances.min():.2f} Å apart (at least {MIN_DISTANCE} Å is needed)",
    )


READERS: dict[str, Callable[[str], list[Crystal]]] = {
    "cif": crystals_of_cif,
    "poscar": crystals_of_poscar,
    "xyz": read_xyz,
    "json": read_json,
    "xsf": read_xsf,
    "phonopy": read_phonopy,
    "espresso": crystals_of_espresso,
    "castep": crystals_of_castep,
    "vasprun": crystals_of_vasprun,
    "disordered": order_json,
}


def answer(kind: str, text: str) -> Answer:
    """What this script prints for a file of that kind."""
    try:
        crystals = READERS[kind](text)
        check(bool(crystals), "it holds no structure")
        for crystal in crystals:
            check_crystal(crystal)
    except Undecided as undecided:
        read = {one.setting.name: Crystal(one.cell, one.numbers, one.positions) for one in undecided.readings}
        return {"refused": str(undecided), "choices": {name: _parsed(crystal) for name, crystal in read.items()}}
    except Mixed as mixed:
        return {"refused": str(mixed), "disordered": mixed.crystal.document()}
    except Refused as refusal:
        return {"refused": str(refusal)}
    except MemoryError:
        return {"refused": "reading it takes more memory than one file may have"}
    except Exception as error:  # whatever a parser makes of hostile text, the answer is a refusal
        hint = re.sub(r"[^\w .,:=/+-]", " ", str(error))[:120].strip()
        return {"refused": f"it is not a readable {kind.upper()} file ({type(error).__name__}: {hint})"}
    return {"structures": [_parsed(crystal) for crystal in crystals]}


def _parsed(crystal: Crystal) -> Parsed:
    return {
        "cell": crystal.cell.tolist(),
        "atomic_numbers": crystal.numbers.tolist(),
        "frac_coords": crystal.positions.tolist(),
        "notes": list(crystal.notes),
        "tensors": {part: tensor.tolist() for part, tensor in crystal.tensors.items()},
    }


_IMPORTS = {
    "xyz": "ase.io.extxyz",
    "xsf": "ase.io.xsf",
    "phonopy": "yaml",
    "disordered": "engine.crystals.orderings",
}


def main() -> None:
    """Answer the requests on standard input, until it ends."""
    import pymatgen.core  # noqa: F401  # before the forks, which all need it

    warnings.simplefilter("ignore")
    while files := _requested(sys.stdin.buffer):
        for request, _ in files:
            if request["kind"] in _IMPORTS:
                _pass_over("ase.dft")
                importlib.import_module(_IMPORTS[request["kind"]])
            os.environ[MOST_ATOMS] = request["most_atoms"]
        while files:
            files = files[_forked(files, sys.stdout.buffer) :]


def _requested(stream: BinaryIO) -> list[tuple[dict[str, Any], bytes]]:
    """Requests that one fork may answer, each with its file; none at the end of the stream."""
    files: list[tuple[dict[str, Any], bytes]] = []
    while line := stream.readline():
        request = json.loads(line)
        files.append((request, stream.read(request["bytes"])))
        if not request.get("more"):
            break
    return files


def _forked(files: Sequence[tuple[dict[str, Any], bytes]], stream: BinaryIO) -> int:
    """Write the lines of a fork that reads the files; how many were answered, the last by its end perhaps."""
    reading, writing = os.pipe()
    fork = os.fork()
    if not fork:
        try:
            os.close(reading)
            with open(writing, "wb") as pipe:
                for request, content in files:
                    _limit()
                    with contextlib.redirect_stdout(sys.stderr):
                        found = answer(request["kind"], content.decode("utf-8", errors="replace"))
                    pipe.write(json.dumps(found).encode() + b"\n")
                    pipe.flush()
        finally:
            os._exit(0)
    os.close(writing)
    answered = 0
    with open(reading, "rb") as pipe:
        for line in pipe:
            answered += 1
            _tell(stream, line)
    os.waitpid(fork, 0)
    if answered < len(files):
        answered += 1
        _tell(stream, b"\n")
    return answered


def _tell(stream: BinaryIO, line: bytes) -> None:
    stream.write(line if line.endswith(b"\n") else b"\n")  # a line that its fork did not end is no answer
    stream.flush()


def _limit() -> None:
    """Processor time for one more file, and memory of this process."""
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + CPU_SECONDS, most))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
