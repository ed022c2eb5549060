"""A training run as a process of its own, followed through its files, so that nobody has to stay and watch."""

import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from platformdirs import user_data_path

from engine.config import TrainConfig
from engine.data.datasets import EMBEDDED, dataset_hash, dataset_path
from engine.errors import check
from engine.model.checkpoint import CONFIG
from engine.processes import interruptible, is_alive, is_locked, locked
from engine.runs.folder import (
    ASKED,
    Asked,
    State,
    read_asked,
    read_features,
    read_history,
    read_parity,
    read_status,
    write_asked,
    write_status,
)
from engine.runs.process import spawn
from engine.runs.worker import train_run
from engine.training.loop import EpochResult

ROOT_VARIABLE = "DIELECTRIC_RUNS"
LOCK_PATIENCE = 1.0  # s
LIVE = ("starting", "running", "stopping")  # states of a run that a process is at


def runs_root() -> Path:
    """Folder of all runs: $DIELECTRIC_RUNS, or one in the user's data folder."""
    chosen = os.environ.get(ROOT_VARIABLE)
    return Path(chosen) if chosen else user_data_path("dielectric-tensors") / "runs"


@dataclass(frozen=True)
class Run:
    """One training, running or over, as its folder tells; see folder.py."""

    folder: Path

    @classmethod
    def create(cls, config: TrainConfig, data: str, folder: Path | None = None, title: str = "") -> "Run":
        """Write down what is to be trained, without starting it; `title` is what people call it.

        Raises:
            EngineError: there is no such data set, or `folder` holds a run already.
        """
        check(dataset_path(data).is_file(), f"{data}: no such data set")
        if folder is None:
            folder = runs_root() / datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
        folder = Path(folder)
        check(not (folder / ASKED).exists(), f"{folder} holds a run already; resume it, or choose another folder")
        folder.mkdir(parents=True, exist_ok=True)
        name = data if data in EMBEDDED else str(dataset_path(data).resolve())
        write_asked(folder, Asked(config=config, data=name, data_sha256=dataset_hash(data), title=title))
        return cls(folder)

    @classmethod
    def start(cls, config: TrainConfig, data: str, folder: Path | None = None, title: str = "") -> "Run":
        """Create a run and train it in a new process, which outlives this one."""
        run = cls.create(config, data, folder, title)
        run.resume()
        return run

    @classmethod
    def open(cls, folder: Path | str) -> "Run":
        """An existing run; raises EngineError where the folder holds none."""
        run = cls(Path(folder))
        check((run.folder / ASKED).is_file(), f"{folder}: holds no training run")
        return run

    @classmethod
    def all(cls) -> list["Run"]:
        """Every run below `runs_root()`, newest first."""
        found = sorted(runs_root().glob(f"*/{ASKED}"), key=lambda path: path.stat().st_mtime, reverse=True)
        return [cls(path.parent) for path in found]

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.folder.name

    @property
    def title(self) -> str:
        """What people call the run; empty where it was given no title."""
        return read_asked(self.folder).title

    @property
    def data(self) -> str:
        """Data set that the run learns from."""
        return read_asked(self.folder).data

    @property
    def config(self) -> TrainConfig:
        """What was asked for."""
        return read_asked(self.folder).config

    @property
    def has_model(self) -> bool:
        """Whether the run has left a model that `Predictor.load` takes."""
        return (self.folder / CONFIG).is_file()

    def state(self) -> State:
        """How the run is doing; a process that died without a word has failed."""
        status = read_status(self.folder)
        if status["state"] in ("finished", "stopped", "failed"):
            return status["state"]
        if is_locked(self.folder):
            return "stopping" if status["state"] == "stopping" else "running"
        if status["state"] == "stopping":  # it ended before it could say so
            return "stopped"
        return "starting" if status["state"] == "starting" and is_alive(status.get("pid")) else "failed"

    def error(self) -> str | None:
        """Why the run failed, or None."""
        if self.state() != "failed":
            return None
        told = read_status(self.folder).get("error")
        return told or "the training process ended without a word; resume it to go on"

    def history(self) -> list[EpochResult]:
        """What happened in each epoch so far."""
        return read_history(self.folder)

    def parity(self) -> pd.DataFrame | None:
        """Validation crystals after the last epoch: material_id, formula, target, means of the diagonal."""
        return read_parity(self.folder)

    def features(self) -> tuple[int, int] | None:
        """Crystals whose frozen features are computed, and all that need them; None where none did."""
        return read_features(self.folder)

    def seconds_left(self) -> float | None:
        """Estimate from the last epochs; None before the first."""
        history = self.history()
        if not history:
            return None
        last = [result.seconds for result in history[-5:]]
        return float(np.median(last)) * (history[-1].epochs - history[-1].epoch)

    @classmethod
    def seconds_expected(cls, config: TrainConfig, data: str) -> float | None:
        """What a training would take by the epochs of the last run here of the same network and data; or None."""
        for run in cls.all():
            like, history = run.config, run.history()
            same = (like.model, like.graph, like.index_data) == (config.model, config.graph, config.index_data)
            if history and same and Path(run.data).stem == Path(data).stem:
                return float(np.median([epoch.seconds for epoch in history])) * config.epochs
        return None

    def stop(self) -> None:
        """Ask the process to stop; what its finished epochs learnt is kept as a model."""
        pid, state = read_status(self.folder).get("pid"), self.state()
        if pid and state in ("starting", "running"):
            # Said before the signal: a process that has not begun to listen ends by it without a word.
            write_status(self.folder, "stopped" if state == "starting" else "stopping", pid=pid)
            os.kill(pid, signal.SIGTERM)

    def resume(self) -> None:
        """Train on in a new process from where the run stands.

        Raises:
            EngineError: it is being trained.
        """
        check(self.state() not in LIVE, f"{self.name} is being trained already")
        write_status(self.folder, "starting", pid=spawn(self.folder))

    def delete(self) -> None:
        """Delete the run with its model.

        Raises:
            EngineError: it is being trained; stop it first.
        """
        check(self.state() not in LIVE, f"{self.name} is being trained; stop it before deleting it")
        shutil.rmtree(self.folder)

    def work(self, show: Callable[[EpochResult], None]) -> State:
        """Train in this process from wherever the run stands, until it is done or interrupted.

        SIGTERM and Ctrl-C end it after saving; every epoch is on disk before `show` is called with it.

        Raises:
            EngineError: another process is at it, the data changed, or the training cannot start.
        """
        with locked(self.folder, patience=LOCK_PATIENCE), interruptible():
            try:
                write_status(self.folder, "running", pid=os.getpid())
                finished = train_run(self.folder, show)
            except KeyboardInterrupt:
                finished = False
            except Exception as error:
                write_status(self.folder, "failed", error=str(error))
                raise
            write_status(self.folder, "finished" if finished else "stopped")
        return "finished" if finished else "stopped"
