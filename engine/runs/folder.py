"""The folder of a training run: what its files hold, written whole and read back.

A run's folder holds `run.json` (what was asked), `features.json` (how many frozen features are computed),
`history.jsonl` (a line an epoch), `parity.json` (validation crystals after the last epoch), `state.safetensors`
(where to resume), `status.json`, `log.txt`, and in the end the model, `weights.safetensors` and `config.json`. The
process holds locks on `lock` while it works and on `process`, see process.py, while it lives.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict, cast, get_args

import pandas as pd
import torch

from engine.config import GraphConfig, ModelConfig, TrainConfig
from engine.errors import EngineError
from engine.files import read_json, read_tensors, write_tensors, write_text
from engine.tensors.metrics import TargetMetrics
from engine.training.loop import EpochResult

State = Literal["starting", "running", "stopping", "finished", "stopped", "failed"]
ASKED, STATUS, LOG = "run.json", "status.json", "log.txt"
FEATURES, HISTORY, PARITY, RESUME = "features.json", "history.jsonl", "parity.json", "state.safetensors"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a run is to train: configuration, name or path of the data set, SHA-256 of its file; and a title."""

    config: TrainConfig
    data: str
    data_sha256: str
    title: str = ""


def write_asked(folder: Path, asked: Asked) -> None:
    """Write down what is to be trained."""
    write_text(folder / ASKED, json.dumps(asdict(asked), indent=1))


def read_asked(folder: Path) -> Asked:
    """What `write_asked` wrote; raises EngineError where the file is missing or damaged."""
    asked = read_json(folder / ASKED)
    config = asked["config"]
    graph, model = GraphConfig(**config["graph"]), ModelConfig(**config["model"])
    return Asked(**{**asked, "config": TrainConfig(**{**config, "graph": graph, "model": model})})


class Status(TypedDict):
    """What `write_status` writes."""

    state: State
    pid: NotRequired[int]
    error: NotRequired[str]


def write_status(folder: Path, state: State, *, pid: int | None = None, error: str | None = None) -> None:
    """Say how the run is doing, with the ID of its process or the error that it failed with."""
    status: Status = {"state": state}
    if pid is not None:
        status["pid"] = pid
    if error is not None:
        status["error"] = error
    write_text(folder / STATUS, json.dumps(status))


def read_status(folder: Path) -> Status:
    """The status as written last; "starting" before that, "failed" where the file is damaged."""
    path = folder / STATUS
    if not path.is_file():
        return {"state": "starting"}
    try:
        told = read_json(path)
    except EngineError as error:
        return {"state": "failed", "error": str(error)}
    known = told.get("state") in get_args(State)
    return cast(Status, told) if known else {"state": "failed", "error": f"{path}: is damaged"}


def write_features(folder: Path, done: int, total: int) -> None:
    """Count the crystals whose frozen features are computed."""
    write_text(folder / FEATURES, json.dumps([done, total]))


def read_features(folder: Path) -> tuple[int, int] | None:
    """Crystals whose frozen features are computed, and all that need them; None where none did."""
    path = folder / FEATURES
    return tuple(json.loads(path.read_text())) if path.is_file() else None


def add_epoch(folder: Path, result: EpochResult) -> None:
    """Add an epoch to the history, in the place of what an earlier attempt wrote from there on."""
    lines = [json.dumps(asdict(one)) for one in read_history(folder) if one.epoch < result.epoch]
    write_text(folder / HISTORY, "\n".join([*lines, json.dumps(asdict(result))]) + "\n")


def read_history(folder: Path) -> list[EpochResult]:
    """What happened in each epoch so far."""
    path = folder / HISTORY
    lines = path.read_text().splitlines() if path.is_file() else []
    return [_epoch_result(json.loads(line)) for line in lines if line.endswith("}")]


class ParityRow(TypedDict):
    """A validation crystal and target: means of the diagonal."""

    material_id: str | None
    formula: str
    target: str
    dft: float
    predicted: float


def write_parity(folder: Path, rows: list[ParityRow]) -> None:
    """Replace the validation crystals of the last epoch; columns as in `read_parity`."""
    write_text(folder / PARITY, json.dumps(rows))


def read_parity(folder: Path) -> pd.DataFrame | None:
    """Validation crystals after the last epoch: material_id, formula, target, means of the diagonal."""
    path = folder / PARITY
    return pd.DataFrame(json.loads(path.read_text())) if path.is_file() else None


def write_resume(folder: Path, state: dict[str, torch.Tensor]) -> None:
    """Keep what `loop.restore` needs to go on after the last epoch."""
    write_tensors(folder / RESUME, state)


def read_resume(folder: Path) -> dict[str, torch.Tensor] | None:
    """What `write_resume` kept; None before the first epoch."""
    path = folder / RESUME
    return read_tensors(path) if path.is_file() else None


def _epoch_result(line: dict[str, Any]) -> EpochResult:
    return EpochResult(**{**line, "validation": tuple(TargetMetrics(**m) for m in line["validation"])})
