"""The crystal of an input of Quantum ESPRESSO's pw.x, by ASE's reader, which takes its cell from CELL_PARAMETERS.

Source of the format: https://www.quantum-espresso.org/Doc/INPUT_PW.html.
"""

import io
import re

import numpy as np

from engine.crystals.refusal import check, check_count

_CARDS = ("ATOMIC_SPECIES", "ATOMIC_POSITIONS", "CELL_PARAMETERS", "K_POINTS", "CONSTRAINTS", "OCCUPATIONS")
_WRITTEN = "write the vectors as CELL_PARAMETERS with ibrav = 0, or export the structure as CIF or XSF"


def read_espresso(text: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[str, ...]]:
    """Cell [3, 3] Å, atomic numbers [N], fractional coordinates [N, 3] and what was assumed.

    Raises:
        Refused: the cell is one by ibrav, the crystal not periodic, or the number of atoms not that of the list.
    """
    from ase.io.espresso import read_espresso_in

    text = _plain(text)
    lattice = re.search(r"\bibrav\s*=\s*([-+]?\d+)", text, re.IGNORECASE)
    check(not lattice or int(lattice[1]) == 0, f"its cell is given by ibrav, which is not read here; {_WRITTEN}")
    card = rf"^ATOMIC_POSITIONS(.*)\n((?:(?!{'|'.join(_CARDS)}|&).*\n?)*)"
    listed = re.search(card, text, re.MULTILINE)
    check("CELL_PARAMETERS" in text and listed is not None, "it holds no CELL_PARAMETERS or no ATOMIC_POSITIONS")
    unit, rows = (listed[1], [line for line in listed[2].split("\n") if line.strip()]) if listed else ("", [])
    check_count(len(rows))
    atoms = re.search(r"\bnat\s*=\s*(\d+)", text, re.IGNORECASE)
    check(not atoms or int(atoms[1]) == len(rows), "nat is not the number of atoms that it lists")
    check(
        not re.search(r"\bassume_isolated\s*=\s*['\"](?!none)", text, re.IGNORECASE),
        "it must be periodic along all three lattice vectors (assume_isolated)",
    )
    scaled = re.search(r"\b(celldm\(\s*1\s*\)|A)\s*=", text, re.IGNORECASE)
    by_length = re.search(r"crystal|bohr|angstrom", unit, re.IGNORECASE)
    check(
        bool(by_length or scaled), "its positions are in units of a length that it does not give (celldm(1) or A)"
    )
    found = read_espresso_in(io.StringIO(text))
    check(found.cell.rank == 3, "it has no lattice: only crystals can be read")
    return found.cell.array, found.numbers, found.get_scaled_positions(wrap=False), ()


def _plain(text: str) -> str:
    """Without comments, and with the cards in capitals, which pw.x does not need and ASE does."""
    text = re.sub(r"[!#].*", "", text)
    return re.sub(rf"^[ \t]*({'|'.join(_CARDS)})", lambda card: card[1].upper(), text, flags=re.M | re.I)
