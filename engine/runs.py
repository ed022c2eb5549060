"""A training run as a process of its own, followed through its files, so that nobody has to stay and watch.

A run's folder holds `run.json` (what was asked), `features.json` (how many frozen features are computed),
`history.jsonl` (a line an epoch), `parity.json` (validation crystals after the last epoch), `state.safetensors`
(where to resume), `status.json`, `log.txt`, and in the end the model, `weights.safetensors` and `config.json`. The
process holds a lock on `lock` while it lives.
"""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import torch
from platformdirs import user_data_path

from engine.calibration import QUANTITIES
from engine.checkpoint import (
    CONFIG,
    Checkpoint,
    read_json,
    read_tensors,
    save_checkpoint,
    write_tensors,
    write_text,
)
from engine.config import GraphConfig, ModelConfig, TrainConfig
from engine.dataset import EMBEDDED, dataset_hash, dataset_path, holdout_split, labelled, load_dataset
from engine.ensemble import with_total
from engine.errors import EngineError, check
from engine.inference import embeddings
from engine.judging import calibrated
from engine.materials import Material
from engine.members import element_counts
from engine.metrics import TargetMetrics, diagonal_mean
from engine.neighbourhood import Neighbourhood
from engine.training import (
    EpochResult,
    Training,
    restore,
    start_training,
    train,
    training_state,
    validate,
)
from engine.unseen import Unseen

State = Literal["starting", "running", "finished", "stopped", "failed"]
ROOT_VARIABLE = "DIELECTRIC_RUNS"
LOCK_PATIENCE = 1.0  # s


def runs_root() -> Path:
    """Folder of all runs: $DIELECTRIC_RUNS, or one in the user's data folder."""
    chosen = os.environ.get(ROOT_VARIABLE)
    return Path(chosen) if chosen else user_data_path("dielectric-tensors") / "runs"


@dataclass(frozen=True)
class Run:
    """One training, running or over, as its folder tells."""

    folder: Path

    @classmethod
    def create(cls, config: TrainConfig, data: str, folder: Path | None = None) -> "Run":
        """Write down what is to be trained, without starting it.

        Raises:
            EngineError: there is no such data set, or `folder` holds a run already.
        """
        check(dataset_path(data).is_file(), f"{data}: no such data set")
        if folder is None:
            folder = runs_root() / datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
        folder = Path(folder)
        check(
            not (folder / "run.json").exists(),
            f"{folder} holds a run already; resume it, or choose another folder",
        )
        folder.mkdir(parents=True, exist_ok=True)
        name = data if data in EMBEDDED else str(dataset_path(data).resolve())
        asked = {"config": asdict(config), "data": name, "data_sha256": dataset_hash(data)}
        write_text(folder / "run.json", json.dumps(asked, indent=1))
        return cls(folder)

    @classmethod
    def start(cls, config: TrainConfig, data: str, folder: Path | None = None) -> "Run":
        """Create a run and train it in a new process, which outlives this one."""
        run = cls.create(config, data, folder)
        command = [sys.executable, "-m", "engine", "train", "--resume", str(run.folder.resolve())]
        with (run.folder / "log.txt").open("w") as log:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=Path(__file__).resolve().parents[1],
                env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"},  # spinning threads would stall the dashboard
                start_new_session=True,
            )
        run._write_status("starting", pid=child.pid)
        return run

    @classmethod
    def open(cls, folder: Path | str) -> "Run":
        """An existing run; raises EngineError where the folder holds none."""
        run = cls(Path(folder))
        check((run.folder / "run.json").is_file(), f"{folder}: holds no training run")
        return run

    @classmethod
    def all(cls) -> list["Run"]:
        """Every run below `runs_root()`, newest first."""
        found = sorted(runs_root().glob("*/run.json"), key=lambda path: path.stat().st_mtime, reverse=True)
        return [cls(path.parent) for path in found]

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.folder.name

    @property
    def data(self) -> str:
        """Data set that the run learns from."""
        return read_json(self.folder / "run.json")["data"]

    @property
    def config(self) -> TrainConfig:
        """What was asked for."""
        asked = read_json(self.folder / "run.json")["config"]
        return TrainConfig(
            **{**asked, "graph": GraphConfig(**asked["graph"]), "model": ModelConfig(**asked["model"])}
        )

    @property
    def has_model(self) -> bool:
        """Whether the run has left a model that `Predictor.load` takes."""
        return (self.folder / CONFIG).is_file()

    def state(self) -> State:
        """How the run is doing; a process that died without a word has failed."""
        status = self._status()
        if status["state"] in ("finished", "stopped", "failed"):
            return status["state"]
        if self._is_locked():
            return "running"
        return "starting" if status["state"] == "starting" and _alive(status.get("pid")) else "failed"

    def error(self) -> str | None:
        """Why the run failed, or None."""
        if self.state() != "failed":
            return None
        return self._status().get("error") or "the training process ended without a word; resume it to go on"

    def history(self) -> list[EpochResult]:
        """What happened in each epoch so far."""
        path = self.folder / "history.jsonl"
        lines = path.read_text().splitlines() if path.is_file() else []
        return [_epoch_result(json.loads(line)) for line in lines if line.endswith("}")]

    def parity(self) -> pd.DataFrame | None:
        """Validation crystals after the last epoch: material_id, formula, target, means of the diagonal."""
        path = self.folder / "parity.json"
        return pd.DataFrame(json.loads(path.read_text())) if path.is_file() else None

    def features(self) -> tuple[int, int] | None:
        """Crystals whose frozen features are computed, and all that need them; None where none did."""
        path = self.folder / "features.json"
        return tuple(json.loads(path.read_text())) if path.is_file() else None

    def seconds_left(self) -> float | None:
        """Estimate from the last epochs; None before the first."""
        history = self.history()
        if not history:
            return None
        last = [result.seconds for result in history[-5:]]
        return float(np.median(last)) * (history[-1].epochs - history[-1].epoch)

    def stop(self) -> None:
        """Ask the process to stop; what its finished epochs learnt is kept as a model."""
        pid = self._status().get("pid")
        if pid and self.state() in ("starting", "running"):
            os.kill(pid, signal.SIGTERM)

    def work(self, show: Callable[[EpochResult], None]) -> State:
        """Train in this process from wherever the run stands, until it is done or interrupted.

        SIGTERM and Ctrl-C end it after saving; every epoch is on disk before `show` is called with it.

        Raises:
            EngineError: another process is at it, the data changed, or the training cannot start.
        """
        with self._lock(patience=LOCK_PATIENCE):
            self._write_status("running", pid=os.getpid())
            try:
                finished = self._train(show)
            except KeyboardInterrupt:
                finished = False
            except Exception as error:
                self._write_status("failed", error=str(error))
                raise
            self._write_status("finished" if finished else "stopped")
        return "finished" if finished else "stopped"

    def _train(self, show: Callable[[EpochResult], None]) -> bool:
        asked = read_json(self.folder / "run.json")
        check(
            dataset_hash(asked["data"]) == asked["data_sha256"],
            f"{asked['data']} has changed since this run began; start a new run",
        )
        kept, held_out = self._split()
        training = start_training(kept, held_out, self.config, progress=self._record_features)
        state = self.folder / "state.safetensors"
        if state.is_file():
            restore(training, read_tensors(state))
        previous = signal.signal(signal.SIGTERM, _interrupt)
        try:
            for result in train(training):
                self._record(training, held_out, result)
                show(result)
        except KeyboardInterrupt:
            if state.is_file():
                restore(training, read_tensors(state))
                self._save_model(training, kept, held_out)
            return False
        finally:
            signal.signal(signal.SIGTERM, previous)
        self._save_model(training, kept, held_out)
        return True

    def _split(self) -> tuple[list[Material], list[Material]]:
        config = self.config
        materials = labelled(load_dataset(self.data), config.model.targets)
        return holdout_split(materials, config.validation_share, config.seed)

    def _record_features(self, done: int, total: int) -> None:
        write_text(self.folder / "features.json", json.dumps([done, total]))

    def _record(self, training: Training, held_out: list[Material], result: EpochResult) -> None:
        lines = [json.dumps(asdict(one)) for one in self.history() if one.epoch < result.epoch]
        write_text(self.folder / "history.jsonl", "\n".join([*lines, json.dumps(asdict(result))]) + "\n")
        write_text(self.folder / "parity.json", json.dumps(_parity(training, held_out)))
        write_tensors(self.folder / "state.safetensors", training_state(training))

    def _save_model(self, training: Training, kept: list[Material], held_out: list[Material]) -> None:
        validate(training)
        near = training.neighbourhood()
        unseen = _unseen(training, held_out, near)
        save_checkpoint(
            self.folder,
            Checkpoint(
                networks=[training.result],
                trained_on=(training.trained_on,),
                element_counts=element_counts(kept),
                calibration=calibrated(held_out, unseen, unseen.fold >= 0),
                neighbourhood=near,
                about={
                    "data": self.data,
                    "data_sha256": dataset_hash(self.data),
                    "seed": str(self.config.seed),
                },
            ),
        )

    def _status(self) -> dict[str, str | int]:
        path = self.folder / "status.json"
        return read_json(path) if path.is_file() else {"state": "starting"}

    def _write_status(self, state: State, **more: str | int) -> None:
        write_text(self.folder / "status.json", json.dumps({"state": state, **more}))

    def _is_locked(self) -> bool:
        try:
            with self._lock():
                return False
        except EngineError:
            return True

    @contextmanager
    def _lock(self, patience: float = 0.0) -> Iterator[None]:
        """Hold the run; `patience` (s) outlasts those who only look whether it is held."""
        give_up = time.monotonic() + patience
        with (self.folder / "lock").open("w") as handle:
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError as error:
                    if time.monotonic() >= give_up:
                        raise EngineError(f"{self.folder}: another process is training this run") from error
                    time.sleep(0.02)
            yield


def _parity(training: Training, held_out: list[Material]) -> list[dict[str, object]]:
    """A row for each validation crystal and target that has a label."""
    if training.validation_tensors is None:
        return []
    targets = training.config.model.targets
    dft = torch.cat([graph.dft for graph in training.validation_graphs]).transpose(0, 1).numpy()
    predicted = training.validation_tensors.numpy()
    pairs = dict(zip(targets, zip(predicted, dft, strict=True), strict=True))
    if len(targets) == 2:
        pairs["total"] = (predicted.sum(0), dft.sum(0))
    return [
        {
            "material_id": material.material_id,
            "formula": material.formula,
            "target": target,
            "dft": float(true),
            "predicted": float(mean),
        }
        for target, (tensors, truth) in pairs.items()
        for material, mean, true in zip(held_out, diagonal_mean(tensors), diagonal_mean(truth), strict=True)
        if np.isfinite(true)
    ]


def _unseen(training: Training, held_out: list[Material], near: Neighbourhood) -> Unseen:
    """The validation crystals as the one network of the run predicts them."""
    embedded = embeddings(training.result, training.validation_graphs)
    predicted = dict(zip(training.config.model.targets, training.validation_tensors.numpy(), strict=True))
    predicted = with_total(predicted)
    return Unseen(
        fold=np.zeros(len(held_out), int),
        tensors=predicted,
        spread={target: np.zeros((len(held_out), len(QUANTITIES))) for target in predicted},
        distance=near.distances(embedded, [material.formula for material in held_out]).cpu().numpy(),
    )


def _epoch_result(line: dict) -> EpochResult:
    return EpochResult(**{**line, "validation": tuple(TargetMetrics(**m) for m in line["validation"])})


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _alive(pid: int | None) -> bool:
    if not pid:
        return False
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # a dead child of ours is still listed until it is waited for
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
