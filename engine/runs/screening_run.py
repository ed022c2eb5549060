"""A screening as a process of its own: `python -m engine screen`, started, followed, stopped and gone on with.

A folder of a screening, below `Screening.root()`, holds `screening.json` (what was asked), `structures/` (what was
brought) or `ids.txt`, `status.json` and `log.txt` as that of a training run, and in the end `result.parquet`.
Until then parts of it and the progress lie in `result.parquet.parts/`, see engine/screening/.
"""

import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from engine.data.datasets import SHIPPED, dataset_path
from engine.errors import EngineError, check
from engine.files import read_json, write_text
from engine.processes import is_locked
from engine.runs.folder import LOG, Status, read_status
from engine.runs.job import Job, whole_or_nothing
from engine.runs.process import ENTRUSTED
from engine.runs.uploads import File, unpacked, write_files
from engine.screening.parts import Method, Settings
from engine.screening.screening import PROGRESS, Progress, folder_of, outcome

ASKED, STRUCTURES, IDS, RESULT = "screening.json", "structures", "ids.txt", "result.parquet"
SECONDS: dict[Method, float] = {"full": 4.0, "direct": 0.25, "fast": 0.04}  # a crystal and core, about
START = 20.0  # s until the first crystal is answered, about
TELLING = 100  # structures from which on a screening tells how fast this machine is
PARTS = "part-*.parquet"  # in the folder of parts
LAST_WORD = re.compile(r"^error: (.+)$", re.MULTILINE)  # how the command line ends, see cli.py


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a screening is to do.

    Attributes:
        title: what people call it.
        source: see `Stock.parts`; relative to the folder where it lies in it.
        settings: how crystals are predicted.
        structures: about how many, 0 where it is not known.
        workers: processes.
    """

    title: str
    source: str
    settings: Settings
    structures: int
    workers: int


@dataclass(frozen=True)
class Screening(Job):
    """One screening, running or over, as its folder tells."""

    ASKED = ASKED
    KIND, BUSY = "screening", "is at work"
    AT_ONCE, HOURS = "screenings_at_once", "screening_hours"

    @classmethod
    def root(cls) -> Path:
        """Folder of all screenings, in that of all runs."""
        return super().root() / "screenings"

    @classmethod
    def of_set(cls, name: str, settings: Settings, title: str = "", workers: int | None = None) -> "Screening":
        """Write down the screening of an embedded data set or a Parquet file, without starting it.

        Raises:
            EngineError: there is no such set.
        """
        source = name if name in SHIPPED else str(Path(name).resolve())
        return cls._create(source, settings, title or Path(name).stem, count_of(name), workers)

    @classmethod
    def of_ids(cls, text: str, settings: Settings, title: str = "", workers: int | None = None) -> "Screening":
        """Write down the screening of materials by their IDs, with spaces, lines or commas between."""
        words = text.replace(",", " ").split()
        screening = cls._create(IDS, settings, title or f"{len(words):,} IDs", len(words), workers)
        with whole_or_nothing(screening.folder):
            write_text(screening.folder / IDS, "\n".join(words))
        return screening

    @classmethod
    def of_files(
        cls, files: Iterable[File], settings: Settings, title: str = "", workers: int | None = None
    ) -> "Screening":
        """Write down the screening of files (name, content), ZIP archives among them, and keep them.

        Raises:
            EngineError: an archive cannot be unpacked; nothing is left of the screening then.
        """
        files = list(unpacked(files))
        check(bool(files), "no structure was brought; choose files")
        what = f"{len(files):,} files" if len(files) > 1 else files[0][0] or "pasted text"
        screening = cls._create(STRUCTURES, settings, title or what, len(files), workers)
        with whole_or_nothing(screening.folder):
            write_files(files, screening.folder / STRUCTURES)
        return screening

    @classmethod
    def _create(
        cls, source: str, settings: Settings, title: str, structures: int, workers: int | None
    ) -> "Screening":
        folder = cls.new_folder()
        asked = Asked(
            title=title.strip(),
            source=source,
            settings=settings,
            structures=structures,
            workers=workers or os.cpu_count() or 1,
        )
        with whole_or_nothing(folder):
            folder.mkdir(parents=True)
            write_text(folder / ASKED, json.dumps(asdict(asked), indent=1))
        return cls(folder)

    def is_sound(self) -> bool:
        """Whether what was asked for can be read."""
        with suppress(EngineError, KeyError, TypeError):
            return bool(self.asked)
        return False

    @property
    def asked(self) -> Asked:
        """What it is to do."""
        kept = read_json(self.folder / ASKED)
        return Asked(**{**kept, "settings": Settings(**kept["settings"])})

    @property
    def result(self) -> Path:
        """The table, there when it has finished."""
        return self.folder / RESULT

    def told(self) -> Status:
        """What was said last; the command itself writes no status, but its progress and its result."""
        status = read_status(self.folder)
        if self.result.is_file() and not is_locked(self.folder, ENTRUSTED):
            return {"state": "finished"}
        if status["state"] == "starting" and self.progress().state != "stopped":
            return {**status, "state": "running"}
        return status

    def is_worked_on(self) -> bool:
        """Nobody but `resume` starts it: a look at the lock of its parts could keep the process from them."""
        return False

    def error(self) -> str | None:
        """Why it failed, or None."""
        if self.state() != "failed":
            return None
        log = self.folder / LOG
        words = LAST_WORD.findall(log.read_text(errors="replace")) if log.is_file() else []
        otherwise = "the process ended without a word; go on, and what is done is kept"
        return self.last_words(words[-1] if words else "", otherwise)

    def progress(self) -> Progress:
        """How far it is; "reading" before it has begun."""
        if self.result.is_file():
            return outcome(self.result)
        with suppress(EngineError):  # not begun
            return Progress(**read_json(folder_of(self.result) / PROGRESS))
        return Progress(state="stopped")

    def tables(self) -> list[Path]:
        """Parquet files of all rows so far: the result, or the parts that are done."""
        if self.result.is_file():
            return [self.result]
        return sorted(folder_of(self.result).glob(PARTS))

    def command(self) -> Sequence[str]:
        """Screens from wherever it stands."""
        asked = self.asked
        settings = asked.settings
        target = "total" if len(settings.targets) > 1 else settings.targets[0]
        options = {
            "--method": settings.method,
            "--target": target,
            "--functional": settings.functional,
            "--device": settings.device,
            "--workers": str(asked.workers),
            "--model": settings.model,
        }
        words = [word for name, value in options.items() if value for word in (name, value)]
        return [sys.executable, "-m", "engine", "screen", asked.source, "--out", RESULT, "--resume", *words]

    def working_folder(self) -> Path:
        """Its own, so that what was brought goes by names that begin there."""
        return self.folder.resolve()


def count_of(name: str) -> int:
    """Structures in an embedded data set or a Parquet file; raises EngineError where there is none."""
    try:
        return pq.read_metadata(dataset_path(name)).num_rows
    except (OSError, pa.ArrowInvalid) as error:
        raise EngineError(f"{name}: no such data set") from error


def seconds_expected(structures: int, settings: Settings, workers: int | None = None) -> tuple[float, bool]:
    """About how long a screening takes, s, and whether one of the same kind on this machine told so."""
    workers = workers or os.cpu_count() or 1
    for screening in Screening.all():
        asked, done = screening.asked, screening.progress()
        like = (asked.settings.model, asked.settings.method, asked.settings.targets, asked.workers)
        same = like == (settings.model, settings.method, settings.targets, workers)
        if same and done.state == "finished" and done.rate and done.structures >= TELLING:
            return structures / done.rate, True
    method = "direct" if settings.method == "full" and "ionic" not in settings.targets else settings.method
    return START + structures * SECONDS[method] / workers, False
