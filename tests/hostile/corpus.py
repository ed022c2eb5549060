"""All hostile files."""

from functools import cache

from tests.hostile.bombs import bombs
from tests.hostile.bytes_and_archives import encodings, polyglots, tables
from tests.hostile.case import Case
from tests.hostile.crystals import crystals
from tests.hostile.words import words


@cache
def corpus() -> tuple[Case, ...]:
    """The same on every run."""
    return (*bombs(), *crystals(), *encodings(), *polyglots(), *tables(), *words())
