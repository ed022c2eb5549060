"""What the process of a training run does: train from where the run stands, record every epoch, leave a model."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch

from engine.crystals.material import Material
from engine.data.datasets import dataset_hash, labelled, load_dataset
from engine.data.folds import holdout_split
from engine.errors import check, required
from engine.evaluation.held_out import Unseen
from engine.evaluation.judging import calibrated
from engine.model.checkpoint import Checkpoint, save_checkpoint
from engine.model.ensemble import with_total
from engine.model.inference import embeddings
from engine.model.intervals import QUANTITIES
from engine.model.neighbourhood import Neighbourhood
from engine.runs.folder import (
    Asked,
    ParityRow,
    add_epoch,
    read_asked,
    read_resume,
    write_features,
    write_parity,
    write_resume,
)
from engine.tensors.metrics import diagonal_mean
from engine.training.fold_training import element_counts
from engine.training.loop import EpochResult, Training, restore, start_training, train, training_state, validate
from engine.training.team import ALONE, Team


def train_run(folder: Path, show: Callable[[EpochResult], None], team: Team = ALONE) -> bool:
    """Train the run in `folder` until it is done or interrupted, and leave a model; whether it was done.

    A KeyboardInterrupt interrupts it once it trains; every epoch is on disk before `show` is called with it. Of a
    team the leader alone writes, and shows.

    Raises:
        EngineError: the data changed, or the training cannot start.
    """
    asked = read_asked(folder)
    check(
        dataset_hash(asked.data) == asked.data_sha256,
        f"{asked.data} has changed since this run began; start a new run",
    )
    kept, held_out = _split(asked)
    progress = partial(write_features, folder) if team.leads else None
    training = start_training(kept, held_out, asked.config, progress=progress, team=team)
    with team.leader_first():  # none reads where the run stands once the leader goes on
        _go_on(training, folder)
    try:
        for result in train(training):
            if team.leads:
                _record(folder, training, held_out, result)
                show(result)
    except KeyboardInterrupt:
        if _go_on(training, folder):
            _save_model(folder, asked, training, kept, held_out)
        return False
    if team.leads:
        _save_model(folder, asked, training, kept, held_out)
    return True


def _split(asked: Asked) -> tuple[list[Material], list[Material]]:
    config = asked.config
    materials = labelled(load_dataset(asked.data), config.model.targets)
    return holdout_split(materials, config.validation_share, config.seed)


def _go_on(training: Training, folder: Path) -> bool:
    """Bring the training to the end of the run's last epoch, if it has finished one."""
    state = read_resume(folder)
    if state is not None:
        restore(training, state)
    return state is not None


def _record(folder: Path, training: Training, held_out: list[Material], result: EpochResult) -> None:
    add_epoch(folder, result)
    write_parity(folder, _parity(training, held_out))
    write_resume(folder, training_state(training))


def _save_model(
    folder: Path, asked: Asked, training: Training, kept: list[Material], held_out: list[Material]
) -> None:
    validate(training)
    near = training.neighbourhood()
    unseen = _unseen(training, held_out, near)
    save_checkpoint(
        folder,
        Checkpoint(
            networks=[training.result],
            trained_on=(training.trained_on,),
            element_counts=element_counts(kept),
            calibration=calibrated(held_out, unseen, unseen.fold >= 0),
            neighbourhood=near,
            about={
                "data": asked.data,
                "data_sha256": dataset_hash(asked.data),
                "seed": str(asked.config.seed),
            },
        ),
    )


def _parity(training: Training, held_out: list[Material]) -> list[ParityRow]:
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
    tensors = required(training.validation_tensors, "the validation crystals must be predicted first")
    predicted = dict(zip(training.config.model.targets, tensors.numpy(), strict=True))
    predicted = with_total(predicted)
    formulas = [material.formula for material in held_out]
    return Unseen(
        fold=np.zeros(len(held_out), int),
        tensors=predicted,
        spread={target: np.zeros((len(held_out), len(QUANTITIES))) for target in predicted},
        distance=near.distances(embedded, formulas).cpu().numpy(),
        gap=near.gap(embedded, formulas).cpu().numpy(),
    )
