"""Which crystals a visitor asks for: a filter over a table of facts, and the filter in words."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from engine.crystals.material import CRYSTAL_SYSTEMS

Range = tuple[float | None, float | None]  # low and high, both inclusive; None leaves that side open
WORDS = {
    "n": "n",
    "electronic": "electronic permittivity",
    "ionic": "ionic permittivity",
    "total": "total permittivity",
    "anisotropy": "electronic anisotropy ratio",
    "birefringence": "birefringence",
    "band_gap": "PBE band gap",
    "natoms": "number of atoms",
}
UNITS = {"band_gap": " eV"}
OPEN: Range = (None, None)


@dataclass(frozen=True, kw_only=True)
class Filter:
    """What a crystal must be to pass; an empty field asks for nothing.

    Attributes:
        sources: names of data sets, one of which it must come from.
        crystal_systems: one of which it must have.
        holds: symbols of elements, all of which it must hold.
        without: symbols of elements, none of which it may hold.
        only: symbols of elements besides which it may hold no other.
        space_groups: symbols, one of which it must have.
        tensor: whether it must have a DFT tensor, not its mean alone.
        ranges: column of the table -> range of its value; a crystal whose value is unknown does not pass. An
            open range asks for nothing.
    """

    sources: tuple[str, ...] = ()
    crystal_systems: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    space_groups: tuple[str, ...] = ()
    tensor: bool = False
    ranges: dict[str, Range] = field(default_factory=dict)

    @property
    def asks(self) -> bool:
        """Whether it asks for anything at all."""
        return self != Filter(ranges=dict.fromkeys(self.ranges, OPEN))

    def keep(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Those rows that pass, of a table with the columns that are asked for, named as in `cached.table`."""
        passing = pd.Series(True, index=rows.index)
        lists = {"source": self.sources, "crystal_system": self.crystal_systems, "space_group": self.space_groups}
        for column, chosen in lists.items():
            if chosen:
                passing &= rows[column].isin(chosen)
        if self.tensor:
            passing &= rows["electronic"].notna()
        if self.holds or self.without or self.only:
            passing &= rows["elements"].map(self._has_the_elements)
        for column, limits in self.ranges.items():
            passing &= _within(rows[column], limits)
        return rows[passing]

    def _has_the_elements(self, held: Sequence[str]) -> bool:
        allowed = set(self.only) or set(held)
        return set(self.holds) <= set(held) <= allowed and not set(self.without) & set(held)


def one_a_crystal(rows: pd.DataFrame) -> pd.DataFrame:
    """Those rows whose ID, where they have one, no earlier row has: two data sets may hold one crystal."""
    return rows[rows["id"].isna() | ~rows["id"].duplicated()]


def sentence(wanted: Filter, count: int, of: int) -> str:
    """The filter in words: "312 of 5,820 crystals: hold O and Ti, n from 2 to 2.6, tetragonal"."""
    noun = "crystal" if of == 1 else "crystals"
    if not wanted.asks:
        return f"All {of:,} {noun}"
    verb = "holds" if count == 1 else "hold"
    parts = []
    if wanted.holds:
        parts.append(f"{verb} {_list(wanted.holds, 'and')}")
    if wanted.without:
        parts.append(f"{verb} no {_list(wanted.without, 'or')}")
    if wanted.only:
        parts.append(f"{verb} nothing but {_list(wanted.only, 'and')}")
    parts += [
        range_in_words(WORDS[column], limits, UNITS.get(column, "")) for column, limits in wanted.ranges.items()
    ]
    if wanted.crystal_systems:
        in_order = [system for system in reversed(CRYSTAL_SYSTEMS) if system in wanted.crystal_systems]
        parts.append(_list(in_order, "or"))
    if wanted.space_groups:
        parts.append(f"space group {_list(wanted.space_groups, 'or')}")
    if wanted.tensor:
        parts.append("with a DFT tensor")
    if wanted.sources:
        parts.append(f"from {_list(wanted.sources, 'or')}")
    return f"{count:,} of {of:,} {noun}: {', '.join(filter(None, parts))}"


def without_value(wanted: Filter, rows: pd.DataFrame) -> dict[str, int]:
    """Quantity in words -> how many crystals pass all that does not hang on it, and have no value of it."""
    found: dict[str, int] = {}
    for column, limits in wanted.ranges.items():
        if limits == OPEN:
            continue
        others = replace(wanted, ranges={name: one for name, one in wanted.ranges.items() if name != column})
        unknown = int(one_a_crystal(others.keep(rows))[column].isna().sum())
        found |= {WORDS[column]: unknown} if unknown else {}
    return found


def _within(values: pd.Series, limits: Range) -> pd.Series:
    low, high = limits
    passing = pd.Series(True, index=values.index)
    if low is not None:
        passing &= values >= low
    if high is not None:
        passing &= values <= high
    return passing


def range_in_words(name: str, limits: Range, unit: str) -> str:
    """ "n from 2 to 2.6", "gap at least 3 eV"; empty for an open range."""
    low, high = limits
    if low is None:
        return "" if high is None else f"{name} at most {high:g}{unit}"
    return f"{name} at least {low:g}{unit}" if high is None else f"{name} from {low:g} to {high:g}{unit}"


def _list(words: Sequence[str], conjunction: str) -> str:
    """ "O", "O and Ti" or "Ba, O and Ti"."""
    *first, last = words
    return f"{', '.join(first)} {conjunction} {last}" if first else last
