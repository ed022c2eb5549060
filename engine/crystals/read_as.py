"""What was understood of a crystal, to be looked at before its tensors are."""

from contextlib import suppress
from typing import TypedDict

from pymatgen.core import Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer, SymmetryUndeterminedError
from spglib import SpglibError

TOLERANCE = 0.01  # Å


class ReadAs(TypedDict):
    """Of the cell as it was given: formula, atoms, lengths in Å and angles in degrees, density in g/cm^3.

    `space_group` and `number` are those of the positions; `assumed` is what a file left open, a sentence each.
    """

    formula: str
    atoms: int
    space_group: str | None
    number: int | None
    lengths: list[float]
    angles: list[float]
    density: float
    assumed: list[str]


def read_as(structure: Structure) -> ReadAs:
    """The facts of an ordered crystal; its space group within 0.01 Å, None where that fails."""
    symbol: str | None = None
    number: int | None = None
    with suppress(SymmetryUndeterminedError, SpglibError):
        group = SpacegroupAnalyzer(structure, TOLERANCE)
        symbol, number = group.get_space_group_symbol(), group.get_space_group_number()
    return {
        "formula": cell_formula(structure),
        "atoms": len(structure),
        "space_group": symbol,
        "number": number,
        "lengths": list(structure.lattice.abc),
        "angles": list(structure.lattice.angles),
        "density": float(structure.density),
        "assumed": list(structure.properties.get("notes", ())),
    }


def cell_formula(structure: Structure) -> str:
    """Every atom of the cell, elements in the order of the sites: "C6H6"."""
    counts = structure.composition.element_composition
    return "".join(f"{element}{n:g}" if n > 1 else f"{element}" for element, n in counts.items())
