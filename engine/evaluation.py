"""Out-of-fold figures: retrain on each formula-grouped fold, predict what was left out, keep the networks.

The networks of all folds together are a model: an ensemble in which, for every crystal of the data set, one
member never saw its formula.
"""

import json
import multiprocessing
import os
import platform
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch

from engine.calibration import conformal_scores
from engine.checkpoint import CONFIG, Checkpoint, load_checkpoint, save_checkpoint
from engine.config import TrainConfig
from engine.dataset import dataset_hash, formula_folds, label, labelled, load_dataset
from engine.errors import EngineError
from engine.materials import Material
from engine.metrics import TargetMetrics, diagonal_mean, entries_in_range, target_metrics
from engine.network import physical
from engine.training import labelled_graphs, predict_latent, resolve_device, start_training, train


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Out-of-fold errors of one configuration.

    Attributes:
        metrics: errors over all crystals, for each target and the total.
        metrics_in_range: the same over the crystals with every DFT entry below 100, as published tables have it.
        by_fold: `metrics_in_range` of each fold.
        about: data set, hash, folds, seed, machine and seconds.
        config: the training configuration.
    """

    metrics: tuple[TargetMetrics, ...]
    metrics_in_range: tuple[TargetMetrics, ...]
    by_fold: tuple[tuple[TargetMetrics, ...], ...]
    about: dict[str, str]
    config: TrainConfig


def cross_validate(
    data: str,
    config: TrainConfig,
    folds: int,
    folder: Path,
    workers: int | None = None,
) -> Evaluation:
    """Train on all folds but one, for each, and judge every crystal by the network that never saw its formula.

    No fold under test is looked at before its network is done. Folds found finished in `folder`, with the same
    data and configuration, are taken from there. The ensemble, calibrated on the out-of-fold residuals, is
    written to `folder`.

    Args:
        workers: processes that train at once; by default one a core on a CPU, one on a GPU.

    Raises:
        EngineError: the data set is missing, or has fewer formulas than folds.
    """
    started = time.perf_counter()
    materials = labelled(load_dataset(data), config.model.targets)
    indices = formula_folds(materials, folds, config.seed)
    jobs = [(data, config, folds, number, folder / f"fold-{number}") for number in range(folds)]
    todo = [job for job in jobs if not _is_done(job[-1], _fingerprint(data, config, folds))]
    _say(f"{folds} folds of {len(materials)} crystals, {folds - len(todo)} finished before")
    if todo:
        workers = min(len(todo), workers or _default_workers(config))
        threads = max(1, (os.cpu_count() or 1) // workers)
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, spawn, torch.set_num_threads, (threads,)) as pool:
            list(pool.map(_train_fold, *zip(*todo, strict=True)))
    members = [load_checkpoint(job[-1]) for job in jobs]
    predicted = _out_of_fold(members, materials, indices, config)
    save_checkpoint(folder, _ensemble(members, materials, predicted, data, folds))
    return Evaluation(
        metrics=_errors(materials, predicted, range(len(materials))),
        metrics_in_range=_errors(materials, predicted, range(len(materials)), in_range=True),
        by_fold=tuple(_errors(materials, predicted, fold, in_range=True) for fold in indices),
        about={
            "data": data,
            "data_sha256": dataset_hash(data),
            "crystals": str(len(materials)),
            "folds": f"{folds}, grouped by reduced formula",
            "seed": str(config.seed),
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}",
            "seconds": f"{time.perf_counter() - started:.0f}",
        },
        config=config,
    )


def to_json(evaluation: Evaluation) -> str:
    """The evaluation as a JSON document."""
    return json.dumps(asdict(evaluation), indent=1)


def to_table(evaluation: Evaluation) -> str:
    """The evaluation as a table to read, crystals with entries under 100 and all."""
    lines = ["target      crystals        Fnorm  EwT25  EwT10   EwT5    MAE  MARD %  AR MAE"]
    for name, rows in (("under 100", evaluation.metrics_in_range), ("all", evaluation.metrics)):
        for m in rows:
            ratio = "     -" if m.ar_mae is None else f"{m.ar_mae:6.3f}"
            lines.append(
                f"{m.target:<11} {m.count:>5} {name:<9} {m.fnorm:5.2f}  {m.ewt25:5.1f}  {m.ewt10:5.1f}  "
                f"{m.ewt5:5.1f}  {m.mae:5.2f}  {m.mard:6.1f}  {ratio}"
            )
    return "\n".join(lines)


def element_counts(materials: Sequence[Material]) -> dict[str, int]:
    """Number of crystals that hold each element."""
    counts = Counter(element for material in materials for element in material.elements)
    return dict(sorted(counts.items()))


def calibrate(materials: Sequence[Material], predicted: dict[str, np.ndarray]) -> dict[str, list[float]]:
    """Conformal scores of each target from [n, 3, 3] predictions for crystals that were held out."""
    scores = {}
    for target, tensors in _with_total(predicted).items():
        known, dft = _labels(materials, target, range(len(materials)))
        if known:
            scores[target] = conformal_scores(target, diagonal_mean(tensors[known]), diagonal_mean(dft))
    return scores


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _default_workers(config: TrainConfig) -> int:
    on_gpu = config.device != "cpu" and torch.cuda.is_available()
    return 1 if on_gpu else os.cpu_count() or 1


def _fingerprint(data: str, config: TrainConfig, folds: int) -> str:
    return sha256(f"{dataset_hash(data)} {folds} {config}".encode()).hexdigest()


def _is_done(folder: Path, fingerprint: str) -> bool:
    if not (folder / CONFIG).is_file():
        return False
    try:
        return load_checkpoint(folder).about.get("fingerprint") == fingerprint
    except EngineError:
        return False


def _train_fold(data: str, config: TrainConfig, folds: int, number: int, folder: Path) -> None:
    materials = labelled(load_dataset(data), config.model.targets)
    held_out = set(formula_folds(materials, folds, config.seed)[number].tolist())
    kept = [m for index, m in enumerate(materials) if index not in held_out]
    training = start_training(kept, (), config, [materials[index] for index in held_out])
    for result in train(training):
        _say(
            f"fold {number + 1}/{folds}  epoch {result.epoch}/{result.epochs}  loss {result.train_loss:.3f}  "
            f"{result.seconds:.1f} s"
        )
    save_checkpoint(
        folder,
        Checkpoint(
            networks=[training.result],
            trained_on=(training.trained_on,),
            element_counts=element_counts(kept),
            about={"fingerprint": _fingerprint(data, config, folds)},
        ),
    )


def _out_of_fold(
    members: Sequence[Checkpoint],
    materials: Sequence[Material],
    indices: Sequence[np.ndarray],
    config: TrainConfig,
) -> dict[str, np.ndarray]:
    """[n, 3, 3] tensors of each target, every crystal by the member that was trained without its fold."""
    targets = config.model.targets
    predicted = {target: np.empty((len(materials), 3, 3)) for target in targets}
    for member, fold in zip(members, indices, strict=True):
        graphs = labelled_graphs([materials[i] for i in fold], config, resolve_device(config.device))
        volume = torch.cat([graph.volume_per_atom for graph in graphs])
        tensors = physical(predict_latent(member.networks[0], graphs), targets, volume)
        for target, tensor in zip(targets, tensors.double().numpy(), strict=True):
            predicted[target][fold] = tensor
    return predicted


def _with_total(predicted: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    if {"electronic", "ionic"} <= set(predicted):
        return {**predicted, "total": predicted["electronic"] + predicted["ionic"]}
    return predicted


def _labels(materials: Sequence[Material], target: str, among: Sequence[int]) -> tuple[list[int], np.ndarray]:
    """Indices of the crystals with a sound DFT tensor, and these tensors, [k, 3, 3]."""
    parts = ("electronic", "ionic") if target == "total" else (target,)
    known = [i for i in among if all(label(materials[i], part) is not None for part in parts)]
    return known, np.array([getattr(materials[i], target) for i in known]).reshape(-1, 3, 3)


def _errors(
    materials: Sequence[Material],
    predicted: dict[str, np.ndarray],
    among: Sequence[int],
    in_range: bool = False,
) -> tuple[TargetMetrics, ...]:
    rows = []
    for target, tensors in _with_total(predicted).items():
        known, dft = _labels(materials, target, among)
        keep = entries_in_range(dft) if in_range else np.ones(len(dft), dtype=bool)
        rows.append(target_metrics(target, tensors[known][keep], dft[keep]))
    return tuple(rows)


def _ensemble(
    members: Sequence[Checkpoint],
    materials: Sequence[Material],
    predicted: dict[str, np.ndarray],
    data: str,
    folds: int,
) -> Checkpoint:
    return Checkpoint(
        networks=[member.networks[0] for member in members],
        trained_on=tuple(member.trained_on[0] for member in members),
        element_counts=element_counts(materials),
        calibration=calibrate(materials, predicted),
        about={"data": data, "data_sha256": dataset_hash(data), "folds": str(folds)},
    )
