"""A job as a process of its own, followed through its folder: what trainings and screenings have in common."""

import os
import shutil
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, Self

from platformdirs import user_data_path

from engine.errors import EngineError, check, in_words
from engine.files import ROOT, clear_parts
from engine.limits import GIB, Grant, in_force
from engine.processes import is_locked, locked
from engine.runs import spent
from engine.runs.folder import State, Status, read_status, write_status
from engine.runs.process import ENTRUSTED, PATIENCE, spawn

ROOT_VARIABLE = "DIELECTRIC_RUNS"
LIVE = ("starting", "running", "stopping")  # states of a job that a process is at
ROOM = 8 * 1024**2  # bytes; with less, a disk is full
ADMISSION, USAGE = "admission.lock", "usage.json"  # in the folder of all runs


def runs_root() -> Path:
    """Folder of all runs: $DIELECTRIC_RUNS, or one in the user's data folder."""
    chosen = os.environ.get(ROOT_VARIABLE)
    return Path(chosen) if chosen else user_data_path("dielectric-tensors") / "runs"


def usage_file() -> Path:
    """Where the structures that visitors asked for are counted, see engine/usage.py."""
    return runs_root() / USAGE


def _written(path: Path) -> float:
    """When; long ago for a file that has vanished meanwhile."""
    with suppress(OSError):
        return path.stat().st_mtime
    return 0.0


@contextmanager
def whole_or_nothing(folder: Path, *, ours: bool = True) -> Iterator[None]:
    """Delete a new folder again where what is done with it fails, unless somebody else made it.

    Raises:
        EngineError: it was not done; of the disk, in words.
    """
    try:
        yield
    except (EngineError, OSError) as error:
        if ours:
            shutil.rmtree(folder, ignore_errors=True)
        raise error if isinstance(error, EngineError) else EngineError(in_words(error)) from error


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder; what vanishes meanwhile counts nothing."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.stat().st_size if path.is_file() else 0
    return total


@dataclass(frozen=True)
class Job:
    """One job, running or over, as its folder tells.

    Attributes:
        ASKED: file that says what is to be done, by which a folder is known to hold such a job.
        KIND, BUSY: what a job is called, and what it is while a process is at it.
        AT_ONCE, HOURS: the names of its limits, see limits.py.
    """

    ASKED: ClassVar[str]
    KIND: ClassVar[str]
    BUSY: ClassVar[str]
    AT_ONCE: ClassVar[str]
    HOURS: ClassVar[str]
    folder: Path

    @classmethod
    def root(cls) -> Path:
        """Folder of all such jobs."""
        return runs_root()

    @classmethod
    def new_folder(cls) -> Path:
        """Where a job that begins now may lie; raises EngineError where there is no room for another."""
        kept, most = size_of(runs_root()), GIB * in_force().kept_gib
        check(
            kept < most,
            f"trainings and screenings hold {kept / GIB:.1f} GiB here, and this server keeps {most / GIB:g} GiB; "
            "delete some that nobody needs",
        )
        return cls.root() / datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")

    @classmethod
    def open(cls, folder: Path | str) -> Self:
        """An existing job; raises EngineError where the folder holds none."""
        job = cls(Path(folder))
        check((job.folder / cls.ASKED).is_file(), f"{folder}: holds no {cls.KIND}")
        return job

    @classmethod
    def all(cls) -> list[Self]:
        """Every job below `root()` that can be read, newest first."""
        found = sorted(cls.root().glob(f"*/{cls.ASKED}"), key=_written, reverse=True)
        return [job for job in map(cls, (path.parent for path in found)) if job.is_sound()]

    def is_sound(self) -> bool:
        """Whether what was asked for can be read; what a failing disk has damaged cannot."""
        raise NotImplementedError

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.folder.name

    def state(self) -> State:
        """How the job is doing; a process that died without a word has failed."""
        told = self.told()["state"]
        if told in ("finished", "stopped", "failed"):
            return told
        if is_locked(self.folder, ENTRUSTED) or self.is_worked_on():
            return told
        return "stopped" if told == "stopping" else "failed"  # it may end before it can say so

    def last_words(self, said: str, otherwise: str) -> str:
        """What a failed job said, or what can be told of one that ended without a word."""
        if said:
            return said
        full = shutil.disk_usage(self.folder).free < ROOM
        return (
            f"there is no room left on the disk of {self.folder.parent}; make room, then go on"
            if full
            else otherwise
        )

    def told(self) -> Status:
        """What was said of the job last, whether or not it still holds."""
        return read_status(self.folder)

    def is_worked_on(self) -> bool:
        """Whether a process is at it that nobody started by `resume`, as from the command line."""
        return is_locked(self.folder)

    def stop(self) -> None:
        """Ask the process to stop; what it has done is kept."""
        pid, state = read_status(self.folder).get("pid"), self.state()
        if pid and state in ("starting", "running"):
            # Said before the signal: a process that has not begun to listen ends by it without a word.
            write_status(self.folder, "stopped" if state == "starting" else "stopping", pid=pid)
            os.kill(pid, signal.SIGTERM)

    def begin(self, visitor: str = "") -> None:
        """Start a job that was just written down, see `resume`; nothing is left of one that cannot start."""
        with whole_or_nothing(self.folder, ours=self.folder.parent == self.root()):
            self.resume(visitor)

    def resume(self, visitor: str = "") -> None:
        """Go on in a new process from where the job stands.

        Args:
            visitor: for whom its structures are counted where a server limits them.

        Raises:
            EngineError: a process is at it, or a limit in force does not allow it now.
        """
        self.root().mkdir(parents=True, exist_ok=True)
        with locked(self.root(), PATIENCE, ADMISSION):
            check(self.state() not in LIVE, f"{self.name} {self.BUSY} already")
            most = getattr(in_force(), self.AT_ONCE)
            busy = sum(one.state() in LIVE for one in self.all())
            check(
                busy < most,
                f"{busy} {self.KIND}{'s' if busy > 1 else ''} at work, and this server does {most:g} at once; "
                "start it when one has ended, or stop one",
            )
            clear_parts(self.folder)
            pid = spawn(self.command(), self.folder, self.working_folder(), self._grant(visitor))
            write_status(self.folder, "starting", pid=pid)
            spent.begin(self.folder)

    def seconds_granted(self) -> float:
        """Time that it may still take, s, by the limits in force."""
        return 3600 * getattr(in_force(), self.HOURS) - spent.seconds(self.folder)

    def _grant(self, visitor: str) -> Grant:
        left, limits = self.seconds_granted(), in_force()
        hours = getattr(limits, self.HOURS)
        check(left > 0, f"this {self.KIND} has had the {hours:g} hours that one may take on this server")
        return Grant(
            seconds=left,
            memory=GIB * limits.memory_gib,
            structures=limits.structures_a_day,
            usage=str(usage_file().resolve()),
            visitor=visitor,
        )

    def delete(self) -> None:
        """Delete the job with all that came of it.

        Raises:
            EngineError: a process is at it; stop it first.
        """
        check(self.state() not in LIVE, f"{self.name} {self.BUSY}; stop it before deleting it")
        shutil.rmtree(self.folder)

    def command(self) -> Sequence[str]:
        """What does the job from wherever it stands."""
        raise NotImplementedError

    def working_folder(self) -> Path:
        """Where `command` is called."""
        return ROOT
