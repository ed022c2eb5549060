"""Ordered crystals that stand for a disordered one, each marked as an approximation of it."""

from collections import Counter
from math import gcd
from typing import TypedDict

from pymatgen.core import Structure

from engine.crystals.reader import parse
from engine.errors import check


class Approximation(TypedDict):
    """Which ordering this is: the disordered crystal's formula, and its number among `count` of them."""

    of: str
    number: int
    count: int


def ordered_approximations(structure: Structure) -> list[Structure]:
    """At most ten ordered crystals that stand for a disordered one, the most symmetric first.

    They fill the smallest supercell, in all its shapes, that has the occupancies, or nearly; what was rounded is
    among their properties as "notes", and which of them each is as "approximation". All lie in space as the
    disordered crystal does, so that their tensors share its axes. They are found in a process of its own, which is
    killed when it takes too long or too much memory.

    Raises:
        EngineError: it is ordered, no small supercell has its occupancies, or there are too many ways to fill one.
    """
    of = formula_of(structure)
    check(not structure.is_ordered, f"{of}: it is ordered, and needs no approximation")
    found = parse(of, "disordered", structure.to_json())
    for number, one in enumerate(found, start=1):
        said = f"This is an ordered approximation of {of}, {number} of {len(found)}."
        one.properties["notes"] = [said, *structure.properties.get("notes", ()), *one.properties["notes"]]
        one.properties["approximation"] = Approximation(of=of, number=number, count=len(found))
    return found


def approximation_of(structure: Structure) -> Approximation | None:
    """Which ordered approximation a structure is; None for any other."""
    return structure.properties.get("approximation")


def formula_of(structure: Structure) -> str:
    """Formula of a disordered crystal, as small as whole numbers of its sites allow: Ba0.5Sr0.5TiO3."""
    units = gcd(*Counter(site.species for site in structure).values())
    counts = (structure.composition.element_composition / units).items()
    return "".join(f"{element}{n:.3g}" if abs(n - 1) > 1e-6 else f"{element}" for element, n in counts)
