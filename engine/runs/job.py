"""A job as a process of its own, followed through its folder: what trainings and screenings have in common."""

import os
import shutil
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, Self

from platformdirs import user_data_path

from engine.errors import check
from engine.files import ROOT
from engine.processes import is_locked
from engine.runs.folder import State, Status, read_status, write_status
from engine.runs.process import ENTRUSTED, spawn

ROOT_VARIABLE = "DIELECTRIC_RUNS"
LIVE = ("starting", "running", "stopping")  # states of a job that a process is at


def runs_root() -> Path:
    """Folder of all runs: $DIELECTRIC_RUNS, or one in the user's data folder."""
    chosen = os.environ.get(ROOT_VARIABLE)
    return Path(chosen) if chosen else user_data_path("dielectric-tensors") / "runs"


@dataclass(frozen=True)
class Job:
    """One job, running or over, as its folder tells.

    Attributes:
        ASKED: file that says what is to be done, by which a folder is known to hold such a job.
        KIND, BUSY: what a job is called, and what it is while a process is at it.
    """

    ASKED: ClassVar[str]
    KIND: ClassVar[str]
    BUSY: ClassVar[str]
    folder: Path

    @classmethod
    def root(cls) -> Path:
        """Folder of all such jobs."""
        return runs_root()

    @classmethod
    def new_folder(cls) -> Path:
        """Where a job that begins now may lie."""
        return cls.root() / datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")

    @classmethod
    def open(cls, folder: Path | str) -> Self:
        """An existing job; raises EngineError where the folder holds none."""
        job = cls(Path(folder))
        check((job.folder / cls.ASKED).is_file(), f"{folder}: holds no {cls.KIND}")
        return job

    @classmethod
    def all(cls) -> list[Self]:
        """Every job below `root()`, newest first."""
        found = sorted(cls.root().glob(f"*/{cls.ASKED}"), key=lambda path: path.stat().st_mtime, reverse=True)
        return [cls(path.parent) for path in found]

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

    def resume(self) -> None:
        """Go on in a new process from where the job stands.

        Raises:
            EngineError: a process is at it.
        """
        check(self.state() not in LIVE, f"{self.name} {self.BUSY} already")
        pid = spawn(self.command(), self.folder, self.working_folder())
        write_status(self.folder, "starting", pid=pid)

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
