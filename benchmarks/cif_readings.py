"""How a folder of CIFs is read here, by gemmi and by pymatgen: the same, refused with why, or differently."""

import argparse
import re
import signal
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import gemmi
import numpy as np
from pymatgen.core import Structure
from pymatgen.io.cif import CifParser

from engine.crystals.reader import MAX_BYTES, text_of
from engine.crystals.reader_process import answer

SECONDS = 20  # for one reading of one file
NEAR = 0.15  # Å


def name_of(number: int) -> str:
    """Of an element, or X for what another program takes as none."""
    return gemmi.Element(int(number)).name if 0 < number < 119 else "X"


class Reading(NamedTuple):
    """Cell [3, 3] Å, atomic numbers [N] and fractional coordinates [N, 3] of a crystal in the file's own cell."""

    cell: np.ndarray
    numbers: np.ndarray
    positions: np.ndarray

    def __str__(self) -> str:
        counts = Counter(self.numbers.tolist())
        formula = "".join(f"{name_of(z)}{n}" for z, n in sorted(counts.items()))
        return f"{formula} in {abs(np.linalg.det(self.cell)):.0f} Å³"


Readings = list[Reading] | str  # or why there are none


def main() -> None:
    """Count the readings of every CIF below a folder, for each of its folders, and list those that differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    warnings.simplefilter("ignore")
    table: dict[str, Counter[str]] = {}
    reasons: Counter[str] = Counter()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and ".cif" in path.name.lower()):
        text = text_of(path.read_bytes())
        if len(text) > MAX_BYTES or "\0" in text:
            continue
        found, others = ours(text), (within(by_gemmi, text), within(by_pymatgen, text))
        verdict = judged(found, *others)
        table.setdefault(path.relative_to(folder).parts[0], Counter())[verdict] += 1
        if isinstance(found, str):
            reasons[re.sub(r" \([^)]*|\d[\d.]*|(?<=site )\S+", "", found)[:50].strip()] += 1
        elif verdict not in ("same as both", "same as gemmi", "same as pymatgen"):
            print(f"{path}: {verdict}")
            for name, one in zip(("here", "gemmi", "pymatgen"), (found, *others), strict=True):
                print(f"    {name}: {one if isinstance(one, str) else '; '.join(map(str, one))}")
    show("files", table)
    show("refused", {"": reasons})


def show(title: str, table: dict[str, Counter[str]]) -> None:
    """Counts, the most frequent first, of each row and of all."""
    for name, counts in [*table.items(), ("all", sum(table.values(), Counter()))]:
        print(f"\n{title}, {name}" if name else f"\n{title}")
        print("\n".join(f"    {count:6,}  {what}" for what, count in counts.most_common()))


def judged(found: Readings, gemmi_s: Readings, pymatgen_s: Readings) -> str:
    """One of a few words for what came of a file."""
    if isinstance(found, str):
        return "refused, as by pymatgen" if isinstance(pymatgen_s, str) else "refused"
    same = {name: agree(found, other) for name, other in (("gemmi", gemmi_s), ("pymatgen", pymatgen_s))}
    if all(same.values()):
        return "same as both"
    if any(same.values()):
        return f"same as {next(name for name, yes in same.items() if yes)}"
    return "read here alone" if isinstance(pymatgen_s, str) else "different"


def agree(found: list[Reading], others: Readings) -> bool:
    """Whether each crystal is among the others, atom by atom."""
    return not isinstance(others, str) and all(any(same(one, other) for other in others) for one in found)


def same(one: Reading, other: Reading) -> bool:
    """Whether two readings put the same elements on the same places of one cell."""
    if sorted(one.numbers) != sorted(other.numbers) or not np.allclose(
        one.cell @ one.cell.T, other.cell @ other.cell.T
    ):
        return False
    difference = one.positions[:, None] - other.positions
    near = np.linalg.norm((difference - difference.round()) @ one.cell, axis=-1) < NEAR
    return bool((near & (one.numbers[:, None] == other.numbers)).any(1).all())


class TooSlow(Exception):
    """A reading took longer than it may."""


@contextmanager
def patience() -> Iterator[None]:
    """Raise TooSlow after a while."""

    def stop(*_: object) -> None:
        raise TooSlow(f"over {SECONDS} s")

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)


def within(reader: Callable[[str], list[Reading]], text: str) -> Readings:
    """What another program makes of the text; whatever it raises is a refusal."""
    try:
        with patience():
            return reader(text) or "no structure"
    except Exception as error:
        return f"{type(error).__name__}: {' '.join(str(error).split())[:100]}"


def ours(text: str) -> Readings:
    """What the engine makes of the text, in this process."""
    with suppress(TooSlow), patience():
        found = answer("cif", text)
        if "structures" not in found:
            return found["refused"]
        return [
            Reading(np.array(one["cell"]), np.array(one["atomic_numbers"]), np.array(one["frac_coords"]))
            for one in found["structures"]
        ]
    return "it took too long"


def by_gemmi(text: str) -> list[Reading]:
    """gemmi's small structures; it keeps partly occupied sites as they are."""
    found = []
    for block in gemmi.cif.read_string(text):
        small = gemmi.make_small_structure_from_block(block)
        sites = small.get_all_unit_cell_sites()
        if sites and small.cell.is_crystal():
            cell = np.array(small.cell.orth.mat.tolist()).T
            numbers = np.array([site.element.atomic_number for site in sites])
            found.append(Reading(cell, numbers, np.array([site.fract.tolist() for site in sites])))
    return found


def by_pymatgen(text: str) -> list[Reading]:
    """pymatgen's structures; raises where one is disordered."""
    structures: list[Structure] = CifParser.from_str(text).parse_structures(primitive=False)
    return [Reading(one.lattice.matrix, np.array(one.atomic_numbers), one.frac_coords) for one in structures]


if __name__ == "__main__":
    main()
