"""A training run as a process of its own, followed through its files, so that nobody has to stay and watch."""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from engine.config import TrainConfig
from engine.data.datasets import EMBEDDED, dataset_hash, dataset_path
from engine.errors import EngineError, check
from engine.model.checkpoint import CONFIG
from engine.processes import interruptible, locked
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
from engine.runs.job import Job, whole_or_nothing
from engine.runs.worker import train_run
from engine.training.loop import EpochResult
from engine.training.team import ALONE, Team

LOCK_PATIENCE = 1.0  # s
# Of an epoch of the usual network on the embedded tensors, features not counted, measured on two cores.
SECONDS = {"scratch": 5.2, "pretrained": 2.6, "distilled": 0.8}
INDICES_TOO = 2.0  # times that, where crystals known by n alone teach too


@dataclass(frozen=True)
class Run(Job):
    """One training, running or over, as its folder tells; see folder.py."""

    ASKED = ASKED
    KIND, BUSY = "training run", "is being trained"
    AT_ONCE, HOURS = "trainings_at_once", "training_hours"

    @classmethod
    def create(cls, config: TrainConfig, data: str, folder: Path | None = None, title: str = "") -> "Run":
        """Write down what is to be trained, without starting it; `title` is what people call it.

        Raises:
            EngineError: there is no such data set, or `folder` holds a run already.
        """
        check(dataset_path(data).is_file(), f"{data}: no such data set")
        if folder is None:
            folder = cls.new_folder()
        folder = Path(folder)
        check(not (folder / ASKED).exists(), f"{folder} holds a run already; resume it, or choose another folder")
        name = data if data in EMBEDDED else str(dataset_path(data).resolve())
        asked = Asked(config=config, data=name, data_sha256=dataset_hash(data), title=title)
        with whole_or_nothing(folder, ours=not folder.exists()):
            folder.mkdir(parents=True, exist_ok=True)
            write_asked(folder, asked)
        return cls(folder)

    def is_sound(self) -> bool:
        """Whether what was asked for can be read."""
        with suppress(EngineError, KeyError, TypeError):
            return bool(read_asked(self.folder))
        return False

    @classmethod
    def start(
        cls, config: TrainConfig, data: str, folder: Path | None = None, title: str = "", visitor: str = ""
    ) -> "Run":
        """Create a run and train it in a new process, which outlives this one; nothing is left of a refused one.

        Raises:
            EngineError: there is no such data set, `folder` holds a run, or a limit in force forbids another.
        """
        run = cls.create(config, data, folder, title)
        run.begin(visitor)
        return run

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

    def error(self) -> str | None:
        """Why the run failed, or None."""
        if self.state() != "failed":
            return None
        otherwise = "the training process ended without a word; resume it to go on"
        return self.last_words(read_status(self.folder).get("error", ""), otherwise)

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
    def seconds_expected(cls, config: TrainConfig, data: str) -> tuple[float, bool] | None:
        """What the epochs of a training would take, and whether the last one here of its network and data told so.

        Else it is very rough, by what the backbone's usual network takes on two cores; None of another network.
        """
        for run in cls.all():
            like, history = run.config, run.history()
            same = (like.model, like.graph, like.index_data) == (config.model, config.graph, config.index_data)
            if history and same and Path(run.data).stem == Path(data).stem:
                return float(np.median([epoch.seconds for epoch in history])) * config.epochs, True
        usual = TrainConfig.for_backbone(config.model.backbone)
        network = replace(config.model, targets=usual.model.targets)
        if (network, config.graph, Path(data).stem) == (usual.model, usual.graph, EMBEDDED[0]):
            more = INDICES_TOO if config.index_data else 1.0
            return SECONDS[config.model.backbone] * more * config.epochs, False
        return None

    def command(self) -> Sequence[str]:
        """Trains from wherever the run stands."""
        return [sys.executable, "-m", "engine", "train", "--resume", str(self.folder.resolve())]

    def work(self, show: Callable[[EpochResult], None], team: Team = ALONE) -> State:
        """Train in this process from wherever the run stands, until it is done or interrupted.

        SIGTERM and Ctrl-C end it after saving; every epoch is on disk before `show` is called with it. Of a team
        the leader is the process at work, and the others help it.

        Raises:
            EngineError: another process is at it, the data changed, or the training cannot start.
        """
        if not team.leads:
            return "finished" if train_run(self.folder, show, team) else "stopped"
        with locked(self.folder, patience=LOCK_PATIENCE), interruptible():
            try:
                write_status(self.folder, "running", pid=os.getpid())
                finished = train_run(self.folder, show, team)
            except KeyboardInterrupt:
                finished = False
            except Exception as error:
                write_status(self.folder, "failed", error=str(error))
                raise
            write_status(self.folder, "finished" if finished else "stopped")
        return "finished" if finished else "stopped"
