"""The parts that an input falls into: found without reading a structure, whatever it holds of them."""

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from engine.data.datasets import SHIPPED, dataset_path
from engine.data.search import plain_material_id
from engine.errors import EngineError, check
from engine.files import write_text
from engine.screening.parts import Kind, Part, text_kind
from engine.screening.probe import (
    STRUCTURE_COLUMNS,
    TEXT_COLUMNS,
    WIDEST_GROUP,
    is_sound,
    open_table,
    regrouped,
)
from engine.screening.stretches import stretches

LISTING, DOCUMENTS, ROWS = "listing.txt", "documents.jsonl", "rows.parquet"
SMALL = 1024**2  # bytes of a file that the reader takes whole, whatever its format
MOST_JSON = 1024**3  # bytes of a JSON file, which is taken apart in memory
MOST_IDS = 64 * 1024**2  # bytes of a list of them
_FRAMES, _TABLE = (".xyz", ".extxyz"), ".parquet"
_NAMES = ("POSCAR", "CONTCAR")
_SUFFIXES = frozenset(
    [
        ".cif",
        ".mcif",
        ".vasp",
        ".poscar",
        ".contcar",
        ".json",
        ".xsf",
        ".xml",
        ".gz",
        ".yaml",
        ".in",
        ".pwi",
        ".cell",
    ]
)


@dataclass(frozen=True)
class Stock:
    """Takes stock of inputs: what has to be written on the way goes into `folder`.

    Attributes:
        most: structures in a part.
        spread: parts at least, where there are as many structures.
    """

    folder: Path
    most: int
    spread: int

    def parts(self, source: str) -> Iterator[Part]:
        """Parts of an input, without names.

        Args:
            source: a folder, which is searched with all below it; an extended XYZ, CIF or JSON, however large; a
                Parquet file of structures; a text file of IDs, with a line or comma between them; such IDs
                themselves; an embedded data set by name.

        Raises:
            EngineError: there is nothing of the kind, or it cannot be taken apart.
        """
        path = Path(source)
        if source in SHIPPED:
            return self._of_table(dataset_path(source), source)
        if path.is_dir():
            return self._of_folder(path)
        return self._of_file(path, source) if path.is_file() else self._of_ids(source)

    def _of_folder(self, root: Path) -> Iterator[Part]:
        """Parts of many small files, then those of each that may hold many structures."""
        small: list[Path] = []
        large: list[Part] = []
        for path in sorted(root.rglob("*")):
            if self.folder.resolve() in path.resolve().parents or path.name.startswith(".") or not path.is_file():
                continue
            suffix = path.suffix.lower()
            if suffix in (*_FRAMES, _TABLE, ".jsonl") or (suffix in (".cif", ".json") and _is_large(path)):
                parts = self._of_many(path)
                large += parts
                small += [] if parts else [path.relative_to(root)]
            elif suffix in _SUFFIXES or path.name.upper().startswith(_NAMES):
                small.append(path.relative_to(root))
        if small:
            yield from self._listed("files", small, root)
        yield from large

    def _of_many(self, path: Path) -> list[Part]:
        """Parts of a file of a folder that may hold many structures; none where it cannot be taken apart."""
        taken = sum(1 for one in self.folder.iterdir() if one.is_dir()) if self.folder.is_dir() else 0
        own = self.folder / f"{taken}"
        own.mkdir(parents=True)  # its number is taken
        try:
            return list(Stock(own, self.most, self.spread)._of_file(path, _printable(path)))
        except (EngineError, OSError):
            return []

    def _of_file(self, path: Path, shown: str) -> Iterator[Part]:
        suffix, large = path.suffix.lower(), _is_large(path)
        if suffix == _TABLE:
            return self._of_table(path, shown)
        if suffix in _FRAMES:
            return self._cut("xyz", path, shown)
        if suffix == ".jsonl":
            return self._cut("jsonl", path, shown)
        if suffix == ".cif" and large:
            return self._cut("cif", path, shown)
        if suffix == ".json" and large:
            return self._cut("jsonl", self._documents(path), shown)
        if _holds_ids(path):
            return self._of_ids(path.read_text())
        return self._listed("files", [Path(path.name)], path.parent)

    def _of_ids(self, text: str) -> Iterator[Part]:
        words = text.replace(",", " ").split()
        ids = [plain_material_id(word) for word in words]
        wrong = [word for word, one in zip(words, ids, strict=True) if one is None]
        check(
            bool(words) and not wrong,
            f"{', '.join(wrong[:3]) or 'nothing'}: no file, folder or data set, and no ID of Materials Project",
        )
        return self._listed("ids", [one for one in ids if one])

    def _of_table(self, path: Path, shown: str) -> Iterator[Part]:
        check(
            shown in SHIPPED or is_sound(path),
            f"{path}: is no Parquet file, or a damaged one, or has longer rows than any crystal",
        )
        try:
            file = open_table(path)
        except (OSError, ValueError, pa.ArrowException) as error:
            raise EngineError(f"{path}: is no Parquet file, or a damaged one ({error})") from error
        names = set(file.schema_arrow.names)
        check(
            names >= set(STRUCTURE_COLUMNS) or bool(names & set(TEXT_COLUMNS)),
            f"{path}: needs the columns {', '.join(STRUCTURE_COLUMNS)}, or one of {', '.join(TEXT_COLUMNS)}",
        )
        groups = [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]
        if max(groups, default=0) > WIDEST_GROUP:
            self.folder.mkdir(parents=True, exist_ok=True)
            check(regrouped(path, self.folder / ROWS), f"{path}: is a damaged Parquet file; write it again")
            path = self.folder / ROWS
        rows = file.metadata.num_rows
        size = self._size(rows)
        for start in range(0, rows, size):
            stop = min(start + size, rows)
            count = stop - start
            whole = str(path.resolve())
            yield Part(kind="rows", path=whole, start=start, stop=stop, first=start + 1, count=count, shown=shown)

    def _listed(self, kind: Kind, lines: Sequence[str | Path], root: Path = Path()) -> Iterator[Part]:
        """Parts of a list of files or IDs, which is kept: what is added later is no part of it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        written = [json.dumps(str(line)) if kind == "files" else str(line) for line in lines]
        write_text(self.folder / LISTING, "\n".join(written))
        return self._cut(kind, self.folder / LISTING, str(root), str(root.resolve()))

    def _cut(self, kind: Kind, path: Path, shown: str, base: str = "") -> Iterator[Part]:
        """Parts of a text file."""
        path = path.resolve()
        size = self._size(sum(1 for _ in stretches(text_kind(kind), path)))
        found, first = stretches(text_kind(kind), path), 1
        while some := list(itertools.islice(found, size)):
            start, stop, count = some[0][0], some[-1][1], len(some)
            yield Part(
                kind=kind,
                path=str(path),
                start=start,
                stop=stop,
                first=first,
                count=count,
                shown=shown,
                base=base,
            )
            first += count

    def _size(self, structures: int) -> int:
        """Structures of a part."""
        return max(1, min(self.most, -(-structures // self.spread)))

    def _documents(self, path: Path) -> Path:
        """The structures of a large JSON file, a line each, in a file of the folder."""
        check(path.stat().st_size <= MOST_JSON, f"{path}: may have at most 1 GiB; give JSON lines, XYZ or Parquet")
        try:
            document = json.loads(path.read_bytes())
        except (ValueError, RecursionError) as error:
            raise EngineError(f"{path}: is not JSON ({error})") from error
        many = document.get("data") or document.get("structures") if isinstance(document, dict) else document
        if not isinstance(many, list):
            raise EngineError(f"{path}: is larger than 1 MiB, and must hold a list of structures then")
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / DOCUMENTS).open("w") as file:
            file.writelines(json.dumps(one) + "\n" for one in many)
        return self.folder / DOCUMENTS


def _printable(path: Path) -> str:
    """A path as it is shown: names may hold bytes that are no text."""
    return str(path).encode(errors="replace").decode()


def is_read(name: str) -> bool:
    """Whether a file of this name is taken for one of structures where it lies in a folder."""
    known = Path(name).suffix.lower() in (*_FRAMES, _TABLE, ".jsonl", *_SUFFIXES)
    return not name.startswith(".") and (known or name.upper().startswith(_NAMES))


def _is_large(path: Path) -> bool:
    return path.stat().st_size > SMALL


def _holds_ids(path: Path) -> bool:
    """Whether the first word of a file is an ID."""
    with path.open("rb") as file:
        words = file.read(1024).decode(errors="replace").replace(",", " ").split()
    return bool(words) and plain_material_id(words[0]) is not None and path.stat().st_size <= MOST_IDS
