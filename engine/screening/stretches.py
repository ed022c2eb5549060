"""Where each structure of a large text file lies, found without reading it: extended XYZ, CIF, JSON lines."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Literal

Stretch = tuple[int, int]  # first byte, and the one behind the last
TextKind = Literal["lines", "xyz", "cif", "jsonl"]
LONGEST_COUNT = 20  # bytes of a line with a number of atoms
_BLOCK, _SITES = re.compile(rb"[ \t]*data_", re.IGNORECASE), b"_atom_site"


def stretches(kind: TextKind, path: Path, start: int = 0, stop: int | None = None) -> Iterator[Stretch]:
    """Bytes of each structure between `start` and `stop`, in order.

    Args:
        kind: "lines" has a file's name or an ID in each line, empty ones do not count; "xyz" a frame behind each
            count of atoms, a wrong count makes one structure of the rest; "cif" a data block with atoms; "jsonl"
            a document in each line.
    """
    with path.open("rb") as file:
        file.seek(start)
        for first, last in _FINDERS[kind](_Lines(file, start)):
            if stop is not None and first >= stop:
                return
            yield first, last


class _Lines:
    """Lines of a file, and how far they have been read."""

    def __init__(self, file: BinaryIO, position: int) -> None:
        self._file, self.position = file, position

    def next(self) -> bytes:
        """The next line; empty at the end of the file."""
        line = self._file.readline()
        self.position += len(line)
        return line


def _lines(lines: _Lines) -> Iterator[Stretch]:
    first = lines.position
    while line := lines.next():
        if line.strip():
            yield first, lines.position
        first = lines.position


def _frames(lines: _Lines) -> Iterator[Stretch]:
    first = lines.position
    while line := lines.next():
        if line.strip():
            count = int(line) if line.strip().isdigit() and len(line) < LONGEST_COUNT else None
            left = None if count is None else count + 1
            while left != 0 and lines.next():
                left = left if left is None else left - 1
            yield first, lines.position
        first = lines.position


def _blocks(lines: _Lines) -> Iterator[Stretch]:
    first, inside, has_sites = None, False, False
    begin = lines.position
    while line := lines.next():
        if line.startswith(b";"):
            inside = not inside
        elif not inside and _BLOCK.match(line):
            if first is not None and has_sites:
                yield first, begin
            first, has_sites = begin, False
        elif not inside:
            has_sites |= _SITES in line.lower()
        begin = lines.position
    if first is not None and has_sites:
        yield first, begin


_FINDERS: dict[TextKind, Callable[[_Lines], Iterator[Stretch]]] = {
    "lines": _lines,
    "xyz": _frames,
    "cif": _blocks,
    "jsonl": _lines,
}
