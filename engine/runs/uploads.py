"""Structures that a visitor brought, as files of a folder that a screening reads; archives are unpacked."""

import io
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.crystals.reader import shown_name
from engine.errors import EngineError, check
from engine.limits import in_force
from engine.screening.stock import is_read

MIB = 1024**2
MOST_UNPACKED = 512 * MIB  # bytes of all files of the archives; fewer where a server says so
MOST_FILES = 100_000  # of the archives
_ARCHIVE = b"PK\x03\x04"
_DAMAGES = (  # what Python raises for archives that are damaged, or made to look so
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(ValueError, RuntimeError, NotImplementedError, OSError, EOFError),
)
ALWAYS_READ = ".in"  # behind a name that says nothing, so that a folder's reader looks at the content

File = tuple[str, bytes]  # name and content


def unpacked(files: Iterable[File]) -> Iterator[File]:
    """The same files, with those that ZIP archives hold in the place of the archives.

    Raises:
        EngineError: an archive is damaged, locked, or holds more than may be unpacked, with those before it.
    """
    limits = in_force()
    room = _Room(files=min(MOST_FILES, limits.archive_files), size=min(MOST_UNPACKED, MIB * limits.uploads_mib))
    for name, content in files:
        if content.startswith(_ARCHIVE):
            yield from _members(shown_name(name), content, room)
        else:
            yield name, content


@dataclass
class _Room:
    """Number of files, and their bytes, that may still be unpacked."""

    files: float
    size: float


def write_files(files: Iterable[File], folder: Path) -> None:
    """Write files into a new folder under names that are safe and not taken."""
    folder.mkdir(parents=True)
    numbers: dict[str, int] = {}
    for name, content in files:
        (folder / _free_name(folder, _safe_name(name), numbers)).write_bytes(content)


def _members(shown: str, content: bytes, room: _Room) -> Iterator[File]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            held = [one for one in archive.infolist() if not _is_aside(one.filename)]
            check(
                len(held) <= room.files,
                f"{shown}: holds {len(held):,} files, at most {room.files:,.0f} are taken at once; split it",
            )
            size = sum(one.file_size for one in held)
            check(
                size <= room.size,
                f"{shown}: unpacks to {size / MIB:,.0f} MiB, at most {room.size / MIB:,.0f} MiB are taken at "
                "once; split it",
            )
            room.files -= len(held)
            room.size -= size
            for one in held:
                with archive.open(one) as file:  # reads no more than `file_size`, whatever the stream holds
                    yield one.filename, file.read()
    except EngineError:
        raise
    except _DAMAGES as error:
        hint = re.sub(r"[^\w .,:=+-]", " ", str(error))[:120].strip()
        raise EngineError(f"{shown}: cannot be unpacked ({hint}); unpack it first") from error


def _is_aside(name: str) -> bool:
    """Whether it is a folder, or what an operating system leaves in archives."""
    return name.endswith("/") or name.startswith("__MACOSX/") or Path(name).name.startswith(".")


def _safe_name(name: str) -> str:
    plain = shown_name(name) if name else "pasted text"
    plain = re.sub(r"^\.", "_", plain)
    return plain if is_read(plain) else plain + ALWAYS_READ


def _free_name(folder: Path, name: str, numbers: dict[str, int]) -> str:
    """A name that is not taken; `numbers` keeps how many files had each: an archive may give all the same."""
    stem, suffix = Path(name).stem, Path(name).suffix
    number = numbers.get(name, 1)
    while (folder / (free := name if number == 1 else f"{stem}-{number}{suffix}")).exists():
        number += 1
    numbers[name] = number
    return free
