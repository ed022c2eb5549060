"""What the locks of this folder hold: packages with version, hashes and where they are needed."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parent
RELEASED = ("build", "app", "torch", "sign-in")  # the program, as the image has it
BUILT = re.compile(r"torch$|torch-cluster$|triton$|nvidia-|cuda-")  # of torch's own step, see install_torch.py


@dataclass(frozen=True, kw_only=True)
class Locked:
    """A package in a lock; `text` are its lines there, `marker` says where it is needed, None everywhere."""

    name: str
    version: str
    marker: Marker | None
    hashes: frozenset[str]
    text: str

    @property
    def needed_here(self) -> bool:
        """Whether this machine and this Python need it."""
        return self.marker is None or self.marker.evaluate()

    @property
    def needed_by(self) -> frozenset[str]:
        """Who needs it, as uv says: names of packages, and files of requirements."""
        comments = re.findall(r"^    # (?:via)? *(.*)$", self.text, re.MULTILINE)
        return frozenset(word.removeprefix("-r ") for word in comments if word)


def path(lock: str) -> Path:
    """The file of a lock: build, app, torch, sign-in, dev or tools."""
    return FOLDER / f"{lock}.lock"


def read(*locks: str) -> list[Locked]:
    """All packages of some locks, by name; one has several entries where Pythons need several versions."""
    found = [entry for lock in locks for entry in parse(path(lock).read_text())]
    return sorted(found, key=lambda entry: (entry.name, entry.version))


def parse(text: str) -> list[Locked]:
    """The packages in the text of a lock, in its order."""
    blocks = re.findall(r"^[A-Za-z0-9].*\n(?:[ \t].*\n)*", text, re.MULTILINE)
    return [_entry(block) for block in blocks]


def versions(entries: Iterable[Locked]) -> dict[str, list[str]]:
    """The versions of each package by its name."""
    found: dict[str, list[str]] = {}
    for entry in entries:
        found.setdefault(entry.name, []).append(entry.version)
    return found


def _entry(block: str) -> Locked:
    requirement = Requirement(block.splitlines()[0].removesuffix("\\"))
    (pin,) = requirement.specifier
    return Locked(
        name=canonicalize_name(requirement.name),
        version=pin.version,
        marker=requirement.marker,
        hashes=frozenset(re.findall(r"--hash=sha256:([0-9a-f]{64})", block)),
        text=block,
    )
