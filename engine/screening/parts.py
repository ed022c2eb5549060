"""What a screening is asked, and a part of its input: small, so that either travels to another process."""

import itertools
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from engine.errors import check
from engine.prediction.prediction import Functional
from engine.screening.stretches import TextKind, stretches

Method = Literal["full", "direct", "fast"]
Kind = Literal["files", "ids", "rows", "xyz", "cif", "jsonl"]
FAST = "fast"  # the model that stands for a method
STRUCTURES = {"full": 16, "direct": 128, "fast": 512}  # of a part: what a killed worker loses at most


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How crystals are predicted.

    Attributes:
        model: name or folder; the default model, or `FAST` by that method, where it is empty.
        method: of the ionic part, "full" or "direct", or "fast", by the model of that name.
        targets: "electronic", "ionic" or both.
        functional: of DFT, that the tensors stand for.
        out_of_fold: ask networks that were not trained on the formula, where there are any.
        device: as in `TrainConfig.device`.
    """

    model: str = ""
    method: Method = "direct"
    targets: tuple[str, ...] = ("electronic", "ionic")
    functional: Functional = "PBE"
    out_of_fold: bool = False
    device: str = "auto"

    def __post_init__(self) -> None:
        object.__setattr__(self, "targets", tuple(self.targets))
        check(self.method in STRUCTURES, f"method must be {', '.join(STRUCTURES)}, got {self.method!r}")
        check(
            not (self.model and self.method == "fast"),
            f"the method fast is the model {FAST}; leave out the method, or the model {self.model}",
        )

    @property
    def model_name(self) -> str | None:
        """What `Predictor.load` takes."""
        return FAST if self.method == "fast" else self.model or None

    def __str__(self) -> str:
        """In words, but for the device."""
        return ("out-of-fold " if self.out_of_fold else "") + (
            f"model {self.model_name or 'default'}, {self.method}, {' and '.join(self.targets)}, {self.functional}"
        )


@dataclass(frozen=True, kw_only=True)
class Part:
    """Some structures of an input, read and answered together.

    Attributes:
        name: of the part; in the order of names, parts make up the input.
        kind: what `path` holds: files' paths or IDs in lines, rows of a Parquet file, or structures as text.
        path: of a file, from the root of the file system.
        start, stop: bytes of it; of a Parquet file, rows.
        first: number in the file of the first structure, from 1.
        count: of structures; of kind "files", of files.
        shown: what structures of it are called; of kind "files", what `base` is called.
        base: folder that the paths of files start from.
    """

    name: str = ""
    kind: Kind
    path: str
    start: int
    stop: int
    first: int
    count: int
    shown: str
    base: str = ""

    def halves(self) -> tuple["Part", "Part"]:
        """Two parts of half the structures each; there must be two."""
        half = self.count // 2
        middle = self.start + half
        if self.kind != "rows":
            found = stretches(text_kind(self.kind), Path(self.path), self.start)
            middle, _ = next(itertools.islice(found, half, None))
        before = replace(self, name=f"{self.name}a", stop=middle, count=half)
        behind = replace(
            self, name=f"{self.name}b", start=middle, first=self.first + half, count=self.count - half
        )
        return before, behind


def text_kind(kind: Kind) -> TextKind:
    """How structures of a kind of part lie in its file."""
    return kind if kind == "xyz" or kind == "cif" or kind == "jsonl" else "lines"
