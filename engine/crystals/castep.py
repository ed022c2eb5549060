"""The crystal of a CASTEP cell file.

Source of the format: CASTEP documentation, cell file, https://www.castep.org. Every atom is listed there, so the
symmetry operations that it may hold add none. The axes of a lattice by lengths and angles are CASTEP's: a along x,
b in the plane of x and y.
"""

import re
from collections.abc import Sequence

import gemmi
import numpy as np

from engine.crystals.assumed import taken
from engine.crystals.refusal import Refused, check, check_count

UNITS = {
    "ang": 1.0,
    "angstrom": 1.0,
    "bohr": 0.529177210903,
    "a0": 0.529177210903,
    "nm": 10.0,
    "cm": 1e8,
    "m": 1e10,
}

Rows = Sequence[Sequence[str]]


def read_castep(text: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[str, ...]]:
    """Cell [3, 3] Å, atomic numbers [N], fractional coordinates [N, 3] and what was assumed.

    Raises:
        Refused: lattice or positions are missing, given twice or not numbers, or an atom is a mixture.
    """
    blocks = _blocks(text)
    cell = _cell(blocks)
    fractional, absolute = blocks.get("positions_frac"), blocks.get("positions_abs")
    check(not (fractional and absolute), "it gives its positions twice, positions_frac and positions_abs")
    rows = fractional or absolute
    if not rows:
        raise Refused("it lists no atoms (no block positions_frac or positions_abs)")
    scale, atoms = _scaled(rows) if absolute else (1.0, rows)
    check_count(len(atoms))
    check(
        not any("MIXTURE" in word.upper() for atom in atoms for word in atom),
        "it is disordered (an atom is a mixture); give an ordered cell",
    )
    positions = scale * np.array([_numbers(atom[1:4], "a position") for atom in atoms])
    if absolute:
        check(abs(float(np.linalg.det(cell))) > 0, "its cell has no volume")
        positions = np.linalg.solve(cell.T, positions.T).T
    heavy = any(atom[0].partition(":")[0].upper() == "D" for atom in atoms)
    notes = taken(deuterium=heavy)
    return cell, np.array([_atomic_number(atom[0]) for atom in atoms]), positions, notes


def _blocks(text: str) -> dict[str, list[list[str]]]:
    """Words of each line of each block, without comments, by lower-case name."""
    found: dict[str, list[list[str]]] = {}
    name = ""
    for line in text.splitlines():
        words = re.split("[!#;]", line)[0].split()
        if not words or words[0].upper() == "COMMENT":
            continue
        mark = words[0].lower()
        if mark == "%block":
            check(not name and len(words) > 1, "a block begins before the last one ends (%endblock)")
            name = words[1].lower()
            check(name not in found, "two of its blocks have one name")
            found[name] = []
        elif mark == "%endblock":
            check(bool(name) and [one.lower() for one in words[1:]] == [name], "a block ends that did not begin")
            name = ""
        elif name:
            found[name].append(words)
    check(not name, "its last block is not closed (%endblock)")
    return found


def _cell(blocks: dict[str, list[list[str]]]) -> np.ndarray:
    vectors, lengths = blocks.get("lattice_cart"), blocks.get("lattice_abc")
    check(bool(vectors or lengths), "it has no lattice (no block lattice_cart or lattice_abc)")
    check(not (vectors and lengths), "it gives its lattice twice, lattice_cart and lattice_abc")
    scale, rows = _scaled(vectors or lengths or [])
    check(
        len(rows) == (3 if vectors else 2), "its lattice is not 3 numbers a line, 3 vectors or lengths and angles"
    )
    numbers = np.array([_numbers(row, "its lattice") for row in rows])
    if vectors:
        return scale * numbers
    cosine, sine = np.cos(np.radians(numbers[1])), np.sin(np.radians(numbers[1]))
    check(bool((numbers > 0).all()) and sine[2] > 1e-6, "a length or angle of its cell is not positive")
    across = (cosine[0] - cosine[1] * cosine[2]) / sine[2]
    height = 1 - cosine[1] ** 2 - across**2
    check(height > 0, "its cell has no volume; check lengths and angles")
    axes = np.array([[1, 0, 0], [cosine[2], sine[2], 0], [cosine[1], across, np.sqrt(height)]])
    return scale * numbers[0][:, None] * axes


def _scaled(rows: Rows) -> tuple[float, Rows]:
    """The unit in Å, and the lines behind it; Å where none is given."""
    if len(rows[0]) > 1:
        return 1.0, rows
    unit = UNITS.get(rows[0][0].lower())
    if unit is None:
        raise Refused("a unit of length in it is none of ang, bohr, nm, cm and m")
    return unit, rows[1:]


def _numbers(words: Sequence[str], what: str) -> list[float]:
    try:
        found = [float(re.sub("[dD]", "e", word).replace("_", "?")) for word in words]  # 1_0 is 10 to Python alone
    except ValueError:
        found = []
    check(len(found) == 3, f"{what} is not 3 numbers a line")
    return found


def _atomic_number(symbol: str) -> int:
    """Of an atomic number, or a symbol with or without a label behind a colon: Fe:up."""
    name = symbol.partition(":")[0]
    if name.isdigit():
        return int(name)
    element = gemmi.Element(name)
    known = element.atomic_number > 0 and element.name.upper() == name.upper()
    check(known, "an atom's symbol is no element")
    return element.atomic_number
