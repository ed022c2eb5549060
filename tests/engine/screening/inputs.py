"""Inputs of screenings that several tests share: a dozen small crystals, and files that no reader takes."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from pymatgen.core import Lattice, Structure

from engine.screening.parts import Settings

SMALL = Settings(model="e3nn-scratch", targets=("electronic",), device="cpu")
BAD = {
    "empty.cif": "",
    "words.cif": "data_x\nnothing of a crystal\n",
    "twice.vasp": "two on one place\n1\n4 0 0\n0 4 0\n0 0 4\nSi\n2\nDirect\n0 0 0\n0 0 0\n",
}


@cache
def crystals() -> tuple[Structure, ...]:
    """Twelve, of two to eight atoms."""
    pairs = [
        ("Na", "Cl", 5.6),
        ("K", "Br", 6.6),
        ("Mg", "O", 4.2),
        ("Li", "F", 4.0),
        ("Ca", "O", 4.8),
        ("Rb", "I", 7.3),
    ]
    salts = [
        Structure.from_spacegroup("Fm-3m", Lattice.cubic(a), [x, y], [[0, 0, 0], [0.5, 0.5, 0.5]])
        for x, y, a in pairs
    ]
    return (*(one.get_primitive_structure() for one in salts), *salts)


def write_folder(folder: Path) -> list[str]:
    """The crystals as CIF and POSCAR, some below, and `BAD` ones; the names of all files, in order."""
    (folder / "below").mkdir(parents=True)
    for number, crystal in enumerate(crystals()):
        name = f"{number:02d}.cif" if number % 2 else f"below/{number:02d}.vasp"
        (folder / name).write_text(crystal.to(fmt="cif" if number % 2 else "poscar"))
    for name, text in BAD.items():
        (folder / name).write_text(text)
    (folder / "notes.txt").write_text("no structure, and no part of the input")
    return sorted(str(path) for path in folder.rglob("*") if path.suffix in (".cif", ".vasp"))


def xyz(structures: Sequence[Structure]) -> str:
    """Extended XYZ, a frame a structure."""
    frames = []
    for one in structures:
        lattice = " ".join(f"{x:.6f}" for x in one.lattice.matrix.ravel())
        sites = "".join(f"{site.specie} {' '.join(f'{x:.6f}' for x in site.coords)}\n" for site in one)
        frames.append(f'{len(one)}\nLattice="{lattice}" Properties=species:S:1:pos:R:3 pbc="T T T"\n{sites}')
    return "".join(frames)


def json_lines(structures: Sequence[Structure]) -> str:
    """A pymatgen document a line."""
    return "".join(json.dumps(one.as_dict()) + "\n" for one in structures)
