"""The crystal of a POSCAR or CONTCAR, of VASP 4, 5 or 6.

Source of the format: VASP wiki, POSCAR, https://www.vasp.at/wiki/index.php/POSCAR.
"""

import re
from collections.abc import Sequence

import gemmi
import numpy as np

from engine.crystals.refusal import check, check_count

_FLAGS = {"T", "F", ".T.", ".F.", ".TRUE.", ".FALSE."}


def read_poscar(text: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[str, ...]]:
    """Cell [3, 3] Å, atomic numbers [N], fractional coordinates [N, 3] and what was assumed.

    Raises:
        Refused: lines are missing or contradict each other, or the elements are not named.
    """
    lines = text.splitlines()
    check(len(lines) > 7, "it ends before its positions")
    cell = np.array([_numbers(line, 3, "a lattice vector") for line in lines[2:5]])
    factors = _factors(lines[1], cell)
    cell = cell * factors
    named: tuple[str, ...] = ()
    rest = 5
    if not _counts(lines[5]):
        named, rest = tuple(_element(word) for word in _words(lines[5])), 6
    counts = _counts(lines[rest])
    check(bool(counts), "it does not say how many atoms there are (line 6 or 7 of a POSCAR)")
    check(not named or len(named) == len(counts), "its elements and their numbers are not equally many")
    check_count(sum(counts))
    rest += 1
    if lines[rest].strip()[:1] in ("S", "s"):  # selective dynamics
        rest += 1
    check(len(lines) > rest + sum(counts), "it lists fewer positions than its numbers of atoms say")
    cartesian = lines[rest].strip()[:1] in ("C", "c", "K", "k")
    own = lines[rest + 1 : rest + 1 + sum(counts)]
    after = "\n".join(lines[rest + 1 + sum(counts) :])
    check(
        not re.search(r"^\s*direct configuration", after, re.IGNORECASE | re.MULTILINE),
        "it holds several frames (XDATCAR); export the one that you mean as a POSCAR, or all as extended XYZ",
    )
    positions = np.array([_numbers(line, 3, "a position") for line in own])
    symbols, notes = _symbols(named, counts, lines[0], own)
    if cartesian:
        positions = np.linalg.solve(cell.T, (positions * factors).T).T
    return cell, np.array([gemmi.Element(one).atomic_number for one in symbols]), positions, notes


def _words(line: str) -> list[str]:
    return re.split(r"[!#]", line)[0].split()


def _numbers(line: str, count: int, what: str) -> list[float]:
    words = line.replace(",", " ").split()[:count]
    try:
        found = [float(re.sub(r"[dD]", "e", word)) for word in words if "_" not in word]  # 1_0 is 10 to Python
    except ValueError:
        found = []
    check(len(found) == count, f"{what} is not {count} numbers")
    return found


def _factors(line: str, cell: np.ndarray) -> np.ndarray:
    """[3] what x, y and z are multiplied by; a negative one is the cell's volume."""
    words = []
    for word in line.split():
        if not re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eEdD][-+]?\d+)?", word):
            break
        words.append(float(re.sub(r"[dD]", "e", word)))
    check(len(words) in (1, 3), "its second line must be one scale factor, or three")
    if len(words) == 3:
        check(min(words) > 0, "its three scale factors must be positive")
        return np.array(words)
    scale = words[0]
    check(scale != 0, "its scale factor is zero")
    if scale < 0:
        volume = abs(np.linalg.det(cell))
        check(volume > 0, "its cell has no volume")
        scale = (-scale / volume) ** (1 / 3)
    return np.full(3, scale)


def _counts(line: str) -> list[int]:
    words = _words(line)
    return [int(word) for word in words] if words and all(word.isdigit() for word in words) else []


def _element(word: str) -> str:
    """Of a potential's name, as VASP 6 writes it with a hash: Ti_pv/1a2b3c."""
    name = re.split(r"[_/]", word)[0]
    known = gemmi.Element(name)
    check(known.atomic_number > 0 and known.name.upper() == name.upper(), f"{_plain(word)} is no element")
    return "H" if known.name == "D" else known.name


def _plain(word: str) -> str:
    return re.sub(r"[^\w+-]", "_", word)[:20]


def _symbols(
    named: Sequence[str], counts: Sequence[int], title: str, lines: Sequence[str]
) -> tuple[list[str], tuple[str, ...]]:
    """Each atom's element: of the line above the numbers, else behind the positions, else of the title."""
    behind = [_behind(line) for line in lines]
    notes: tuple[str, ...] = ()
    if not named and all(behind):
        return [one for one in behind if one], notes
    if not named:
        words = title.split()
        known = len(words) == len(counts) and all(gemmi.Element(word).name == word for word in words)
        check(known, "it does not name its elements; add a line with their symbols before the numbers of atoms")
        named, notes = tuple(words), ("The elements are those of the first line.",)
    found = [name for name, count in zip(named, counts, strict=True) for _ in range(count)]
    for name, other in zip(found, behind, strict=True):
        check(other in (None, name), f"a position is marked {other}, and by the line of elements it is {name}")
    return found, notes


def _behind(line: str) -> str | None:
    """The element behind a position, if there is one."""
    words = [word for word in _words(line)[3:] if word.upper() not in _FLAGS]
    if not words or not re.fullmatch(r"[A-Z][a-z]?\d*", words[0]):
        return None
    name = words[0].rstrip("0123456789")
    return name if gemmi.Element(name).atomic_number > 0 and gemmi.Element(name).name == name else None
