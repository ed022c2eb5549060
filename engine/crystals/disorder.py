"""Crystals some of whose sites are shared by elements or partly occupied."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gemmi
import numpy as np

from engine.crystals.refusal import Refused, check

FULL = 0.999  # occupancy
ROUNDED = 1.02  # three thirds of 0.34
ADVICE = "give an ordered cell"

Shares = Mapping[int, float]  # atomic number -> occupancy, at most 1 in all; the rest of the site is empty


@dataclass(frozen=True, kw_only=True)
class MixedCrystal:
    """A crystal and the occupancies of its sites.

    Attributes:
        cell: [3, 3] Å.
        positions: [N, 3] fractional coordinates.
        shares: of each of the N sites.
        notes: what was assumed or left out, a sentence each.
    """

    cell: np.ndarray
    positions: np.ndarray
    shares: tuple[Shares, ...]
    notes: tuple[str, ...] = ()

    @property
    def is_ordered(self) -> bool:
        """Whether each site holds one whole atom."""
        return all(is_whole(one) for one in self.shares)

    @property
    def numbers(self) -> np.ndarray:
        """[N] atomic numbers, of the element that holds most of each site."""
        return np.array([max(one, key=one.__getitem__) for one in self.shares])

    def document(self) -> dict[str, Any]:
        """As pymatgen's `Structure.as_dict` writes it."""
        sites = [
            {
                "species": [{"element": gemmi.Element(z).name, "occu": share} for z, share in one.items()],
                "abc": position.tolist(),
            }
            for one, position in zip(self.shares, self.positions, strict=True)
        ]
        return {"lattice": {"matrix": self.cell.tolist()}, "sites": sites, "properties": {"notes": [*self.notes]}}


class Mixed(Refused):
    """Nothing is wrong with the file but that its crystal is disordered: `crystal`."""

    def __init__(self, reason: str, crystal: MixedCrystal) -> None:
        super().__init__(reason)
        self.crystal = crystal


def is_whole(shares: Shares) -> bool:
    """Whether a site holds one whole atom."""
    return len(shares) == 1 and min(shares.values()) >= FULL


def written(shares: Shares) -> str:
    """The site's elements and occupancies: Ba0.5Sr0.5."""
    return "".join(f"{gemmi.Element(z).name}{share:.3g}" if share < FULL else gemmi.Element(z).name
                   for z, share in shares.items())  # fmt: skip


def added_up(found: Iterable[tuple[int, float]]) -> Shares:
    """Occupancies of one place, those of each element added up.

    Raises:
        Refused: one is not positive, or together they are more than 1 by more than rounding.
    """
    shares: dict[int, float] = {}
    for number, share in found:
        check(share > 0, "the occupancy of a site must be above 0; leave out what is not there")
        shares[number] = shares.get(number, 0.0) + share
    total = sum(shares.values())
    check(
        total <= ROUNDED, f"the occupancies of one place add up to {total:.3g} ({written(shares)}); 1 is the most"
    )
    return {number: share / total if total >= FULL else share for number, share in shares.items()}


def places(numbers: np.ndarray, occupancies: np.ndarray, near: np.ndarray) -> list[tuple[int, Shares]]:
    """The first atom of each place and what the place holds; `near` [N, N] tells which atoms lie on one place."""
    left, found = np.ones(len(numbers), dtype=bool), []
    for first in range(len(numbers)):
        if left[first]:
            here = np.flatnonzero((near[first] & left) | (np.arange(len(numbers)) == first))
            left[here] = False
            found.append((first, added_up((int(numbers[i]), float(occupancies[i])) for i in here)))
    return found


def check_order(crystal: MixedCrystal) -> None:
    """Refuse a disordered crystal, its sites named by what they hold; raises Mixed."""
    mixed: Sequence[str] = sorted({written(one) for one in crystal.shares if not is_whole(one)})
    if mixed:
        named = ", ".join(mixed[:6])
        raise Mixed(f"it is disordered (a site is partly occupied or shared: {named}); {ADVICE}", crystal)
