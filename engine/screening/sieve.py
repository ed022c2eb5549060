"""Which rows of a screening a visitor wants, and that in words."""

from dataclasses import dataclass, field

import pandas as pd

from engine.data.table_filter import Filter, Range, range_in_words
from engine.screening.rows import QUANTITIES

UNITS = {"gap": " eV", "merit": " eV"}
WORDS = {name: words.removesuffix(" (eV)") for name, words in QUANTITIES.items()}


@dataclass(frozen=True, kw_only=True)
class Sieve:
    """What a row must be to pass; refused structures never do.

    Attributes:
        holds, without: symbols of elements, all of which it must hold, none of which it may hold.
        ranges: quantity -> range of its value; a row without a value passes an open range only.
        factor: largest ratio of the ends of the 90 % interval of `part`'s mean; None asks for nothing.
        part: "electronic", "ionic" or "total".
        unwarned: whether it must be without warnings.
        useful: whether each tensor must be a prediction worth having.
    """

    holds: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    ranges: dict[str, Range] = field(default_factory=dict)
    factor: float | None = None
    part: str = "total"
    unwarned: bool = False
    useful: bool = False

    def keep(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Those rows of `read_table` that pass."""
        rows = rows[rows["error"].isna()]
        rows = Filter(holds=self.holds, without=self.without, ranges=self.ranges).keep(rows)
        passing = pd.Series(True, index=rows.index)
        if self.factor is not None:
            passing &= rows[f"width_{self.part}"] <= self.factor
        if self.unwarned:
            passing &= ~rows["warned"]
        if self.useful:
            passing &= rows["useless"] == ""
        return rows[passing]

    def sentence(self, count: int, of: int) -> str:
        """In words: "312 of 5,261 crystals pass: gap at least 3 eV, hold O"."""
        parts = [range_in_words(WORDS[name], one, UNITS.get(name, "")) for name, one in self.ranges.items()]
        parts += [f"with {' and '.join(self.holds)}"] if self.holds else []
        parts += [f"without {' and '.join(self.without)}"] if self.without else []
        parts += (
            [] if self.factor is None else [f"90 % interval of ε {self.part} within a factor of {self.factor:g}"]
        )
        parts += ["no warning"] if self.unwarned else []
        parts += ["only useful predictions"] if self.useful else []
        told = ", ".join(filter(None, parts))
        return f"{count:,} of {of:,} crystals pass" + (f": {told}" if told else "")
