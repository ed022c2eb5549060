"""What a stranger's file may hold, and the words in which it is refused."""

import os

MAX_SITES = 500  # of a cell; on one's own machine as many as this variable says
IMPOSSIBLE = 0.45  # of the sum of two covalent radii; the smallest among 5,820 calculated crystals is 0.68
MOST_ATOMS = "DIELECTRIC_MOST_ATOMS"
MAX_STRUCTURES = 1000
MAX_OPERATIONS = 192  # of Fm-3m, the largest space group in its conventional cell
MAX_LENGTH = 500.0  # Å, of a lattice vector
MIN_DISTANCE = 0.5  # Å, between two atoms; H2 has 0.74


class Refused(ValueError):
    """The file will not be read; the message says why, in a scientist's words."""


def check(condition: bool, reason: str) -> None:
    """Refuse the file unless `condition` holds."""
    if not condition:
        raise Refused(reason)


def most_atoms() -> int:
    """How many a cell may hold: `MAX_SITES`, or `DIELECTRIC_MOST_ATOMS` where that is set."""
    asked = os.environ.get(MOST_ATOMS, "")
    return int(asked) if asked.isdigit() else MAX_SITES


def check_count(sites: int) -> None:
    """Refuse a cell with no atom or more than `most_atoms`."""
    most = most_atoms()
    check(sites > 0, "it holds no atoms")
    check(sites <= most, f"a cell may hold at most {most} atoms, got {sites}; give the primitive cell")
