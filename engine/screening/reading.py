"""The structures of a part, some at a time: what could not be read keeps its place, with the reason."""

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from pymatgen.core import Structure

from engine.crystals.material import Material
from engine.crystals.reader import MAX_FILE, read_each
from engine.data.catalogue import catalogued, indexed
from engine.data.datasets import EMBEDDED, available_datasets, load_dataset
from engine.errors import EngineError
from engine.materials_project.store import MaterialStore
from engine.screening.item import AT_ONCE, Item, checked
from engine.screening.parts import Kind, Part, text_kind
from engine.screening.stretches import stretches
from engine.screening.tables import from_rows

MOST_BYTES = 8 * 1024**2  # of files that are handed to a reader at once

Value = TypeVar("Value")


def items(part: Part) -> Iterator[list[Item]]:
    """The structures of a part in order, about `AT_ONCE` at a time; the next ones are read meanwhile.

    Raises:
        OSError: the file that holds them is not there, or cannot be read.
    """
    return _ahead(_READERS[part.kind](part))


def sources(part: Part) -> list[str]:
    """What the structures of a part are called, none of which is read; files, where each may hold several."""
    if part.kind in ("files", "ids"):
        return [line if part.kind == "ids" else _shown(part, line) for line in _lines(part)]
    return [_numbered(part, number) for number in range(part.count)]


def _ahead(values: Iterator[Value]) -> Iterator[Value]:
    """The same values, each made while the one before is in use."""
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, values, None)
        while (value := coming.result()) is not None:
            coming = reader.submit(next, values, None)
            yield value


def _numbered(part: Part, number: int) -> str:
    return f"{part.shown}#{part.first + number}"


def _lines(part: Part) -> list[str]:
    """IDs, or the paths of files, each of which is written as JSON: a name may hold a line break."""
    lines = [content.decode().strip() for content in _texts(part)]
    return [json.loads(line) if line.startswith('"') else line for line in lines]


def _shown(part: Part, line: str) -> str:
    """The path of a file as it is shown: names may hold bytes that are no text."""
    return str(Path(part.shown) / line).encode(errors="replace").decode()


def _texts(part: Part) -> Iterator[bytes]:
    """What the part's file holds, a stretch for each structure; of one too large for a reader, the beginning."""
    path = Path(part.path)
    with path.open("rb") as file:
        for start, stop in stretches(text_kind(part.kind), path, part.start, part.stop):
            file.seek(start)
            yield file.read(min(stop - start, MAX_FILE + 1))


def _from_text(part: Part) -> Iterator[list[Item]]:
    named = {"xyz": "frame.xyz", "cif": "block.cif", "jsonl": "line.json"}[part.kind]
    texts = ((_numbered(part, number), named, content) for number, content in enumerate(_texts(part)))
    return _read(texts)


def _from_files(part: Part) -> Iterator[list[Item]]:
    def contents() -> Iterator[tuple[str, str, bytes]]:
        for line in _lines(part):
            try:
                with (Path(part.base) / line).open("rb") as file:
                    content = file.read(MAX_FILE + 1)
            except OSError as error:
                content = b""
                missing[_shown(part, line)] = f"it cannot be read ({error.strerror})"
            yield _shown(part, line), Path(line).name, content

    missing: dict[str, str] = {}
    for group in _read(contents()):
        yield [Item(source=one.source, crystal=missing.get(one.source, one.crystal)) for one in group]


def _read(texts: Iterator[tuple[str, str, bytes]]) -> Iterator[list[Item]]:
    """Structures of (source, name, content), by a reader of its own."""
    for group in _grouped(texts, lambda text: len(text[2])):
        found = read_each([(name, content) for _, name, content in group])
        yield [
            item for (source, _, _), answer in zip(group, found, strict=True) for item in _answered(source, answer)
        ]


def _grouped(values: Iterator[Value], size: Callable[[Value], int]) -> Iterator[list[Value]]:
    """At most `AT_ONCE` values at a time, or `MOST_BYTES` of them."""
    group: list[Value] = []
    filled = 0
    for value in values:
        if group and (len(group) == AT_ONCE or filled + size(value) > MOST_BYTES):
            yield group
            group, filled = [], 0
        group.append(value)
        filled += size(value)
    if group:
        yield group


def _answered(source: str, answer: Sequence[Structure] | EngineError) -> list[Item]:
    if isinstance(answer, EngineError):
        return [Item(source=source, crystal=str(answer))]
    names = [source] if len(answer) == 1 else [f"{source}#{number}" for number in range(1, len(answer) + 1)]
    return [Item(source=name, crystal=checked(structure)) for name, structure in zip(names, answer, strict=True)]


def _from_ids(part: Part) -> Iterator[list[Item]]:
    known, store, ids = _embedded(), MaterialStore(), _lines(part)
    for start in range(0, len(ids), AT_ONCE):
        yield [_of_material(one, known.get(one) or store.get(one)) for one in ids[start : start + AT_ONCE]]


@lru_cache(maxsize=1)
def _embedded() -> dict[str, Material]:
    """Materials on this machine by their IDs, those with tensors first."""
    found: list[Material] = []
    for name in available_datasets():
        with suppress(EngineError):  # a file of another kind in the user's folder
            found += indexed() if name == EMBEDDED[1] else load_dataset(name)
    return {one.material_id: one for one in reversed([*found, *catalogued(found)]) if one.material_id}


def _of_material(material_id: str, material: Material | None) -> Item:
    if material is None:
        return Item(source=material_id, crystal=f"{material_id}: not on this machine; fetch it first")
    return Item(source=material_id, crystal=material, material_id=material_id, band_gap=material.band_gap)


_READERS: dict[Kind, Callable[[Part], Iterator[list[Item]]]] = {
    "files": _from_files,
    "ids": _from_ids,
    "rows": from_rows,
    "xyz": _from_text,
    "cif": _from_text,
    "jsonl": _from_text,
}
