"""Out-of-fold figures: retrain without each formula-grouped fold, predict what was left out, keep the networks.

The networks of all folds together are a model: an ensemble in which, for every crystal of the data set, some
members never saw its formula. Their residuals calibrate its intervals.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

from engine.calibration import (
    QUANTITIES,
    Calibration,
    Signs,
    calibrate,
    coarse_name,
    intervals,
    levels,
    quantities,
)
from engine.checkpoint import Checkpoint, save_checkpoint
from engine.config import TrainConfig
from engine.dataset import dataset_hash, formula_folds, label, labelled, load_dataset
from engine.ensemble import combine, with_total
from engine.inference import embeddings, predict_latent
from engine.labelled_graphs import labelled_graphs
from engine.materials import CRYSTAL_SYSTEMS, Material
from engine.members import Job, element_counts, train_members
from engine.metrics import TargetMetrics, entries_in_range, target_metrics
from engine.neighbourhood import Neighbourhood
from engine.out_of_fold import LEVEL, OutOfFold, write_out_of_fold
from engine.provenance import code_version, machine
from engine.training import resolve_device


@dataclass(frozen=True, kw_only=True)
class Unseen:
    """Predictions for n crystals, each by networks that never saw its formula.

    Attributes:
        fold: [n] number of the fold that a crystal was tested in.
        tensors: target -> [n, 3, 3].
        spread: target -> [n, 4], see `calibration.Signs`.
        distance: [n], see neighbourhood.py.
    """

    fold: np.ndarray
    tensors: dict[str, np.ndarray]
    spread: dict[str, np.ndarray]
    distance: np.ndarray

    def signs(self, target: str, chosen: np.ndarray) -> Signs:
        """What the predictions for the chosen crystals show of one target."""
        return Signs(
            values=quantities(self.tensors[target][chosen]),
            spread=self.spread[target][chosen],
            distance=self.distance[chosen],
        )


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """Percent of the DFT values that the intervals at `out_of_fold.LEVEL` hold, in crystals of other folds."""

    target: str
    quantity: str
    crystal_system: str
    count: int
    percent: float


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Out-of-fold errors of one configuration.

    Attributes:
        metrics: errors over all crystals, for each target and the total.
        metrics_in_range: the same over the crystals with every DFT entry below 100, as published tables have it.
        by_fold: `metrics_in_range` of each fold.
        coverage: of every quantity over all crystals, and of the means in each crystal system.
        about: data set, hash, code, folds, seeds, machine and seconds.
        config: the training configuration.
    """

    metrics: tuple[TargetMetrics, ...]
    metrics_in_range: tuple[TargetMetrics, ...]
    by_fold: tuple[tuple[TargetMetrics, ...], ...]
    coverage: tuple[Coverage, ...]
    about: dict[str, str]
    config: TrainConfig


def cross_validate(
    data: str,
    config: TrainConfig,
    folds: int,
    folder: Path,
    seeds: int = 1,
    workers: int | None = None,
) -> Evaluation:
    """Train on all folds but one, for each, and judge every crystal by the networks that never saw its formula.

    No fold under test is looked at before its networks are done. Networks found finished in `folder`, from the
    same data and configuration, are taken from there. The ensemble, calibrated on the out-of-fold residuals, and
    its predictions are written to `folder`.

    Args:
        seeds: networks a fold; they differ by the seed, which counts up from the config's.
        workers: see `members.train_members`.

    Raises:
        EngineError: the data set is missing, or has fewer formulas than folds.
    """
    started = time.perf_counter()
    materials = labelled(load_dataset(data), config.model.targets)
    parts = formula_folds(materials, folds)
    members = train_members(fold_jobs(data, config, materials, parts, folder, seeds), workers)
    unseen = predict_unseen(members, materials, parts, config)
    calibrations = {fold: calibrated(materials, unseen, unseen.fold != fold) for fold in range(folds)}
    ensemble = _ensemble(members, materials, config, data)
    ensemble.calibration.update(calibrated(materials, unseen, unseen.fold >= 0))
    if config.model.ionic_readout == "springs" and "ionic" in config.model.targets:
        coarse = predict_unseen(members, materials, parts, config, coarse=True)
        rough = calibrated(materials, coarse, coarse.fold >= 0)
        ensemble.calibration.update({coarse_name(target): rough[target] for target in ("ionic", "total")})
    save_checkpoint(folder, ensemble, half=True)
    write_out_of_fold(folder, _out_of_fold(materials, unseen, calibrations))
    everything = np.arange(len(materials))
    return Evaluation(
        metrics=errors(materials, unseen.tensors, everything),
        metrics_in_range=errors(materials, unseen.tensors, everything, in_range=True),
        by_fold=tuple(errors(materials, unseen.tensors, part, in_range=True) for part in parts),
        coverage=_coverage(materials, unseen, calibrations),
        about=about(data, config, seeds, started)
        | {"crystals": str(len(materials)), "folds": f"{folds}, grouped by reduced formula"},
        config=config,
    )


def fold_jobs(
    data: str,
    config: TrainConfig,
    materials: Sequence[Material],
    parts: Sequence[np.ndarray],
    folder: Path,
    seeds: int,
) -> list[Job]:
    """A network for each part to leave out and each seed, all seeds of a part together."""
    return [
        Job(
            data=data,
            config=replace(config, seed=config.seed + seed),
            held_out=frozenset(materials[index].formula for index in part),
            folder=folder / f"fold-{number}-{seed}",
            name=f"fold {number + 1}/{len(parts)} seed {seed + 1}/{seeds}",
        )
        for number, part in enumerate(parts)
        for seed in range(seeds)
    ]


def predict_unseen(
    members: Sequence[Checkpoint],
    materials: Sequence[Material],
    parts: Sequence[np.ndarray],
    config: TrainConfig,
    coarse: bool = False,
) -> Unseen:
    """The crystals of each part by the networks of `fold_jobs` that were trained without it.

    Crystals in no part get the fold -1 and nan; `coarse` predictions do without force constants.
    """
    if coarse:
        config = replace(config, model=replace(config.model, ionic_readout="mean"))
    count, seeds = len(materials), len(members) // len(parts)
    fold, distance = np.full(count, -1), np.full(count, np.nan)
    targets = config.model.targets
    names = [*targets, "total"] if len(targets) == 2 else targets
    tensors = {name: np.full((count, 3, 3), np.nan) for name in names}
    spread = {name: np.full((count, len(QUANTITIES)), np.nan) for name in names}
    graphs = labelled_graphs(materials, config, resolve_device(config.device))
    formulas = [material.formula for material in materials]
    for number, part in enumerate(parts):
        networks = [member.networks[0] for member in members[number * seeds : (number + 1) * seeds]]
        chosen = [graphs[index] for index in part]
        latents = torch.stack([predict_latent(network, chosen) for network in networks])
        volume = torch.cat([graph.volume_per_atom for graph in chosen])
        asked = torch.ones(latents.shape[0], latents.shape[2], dtype=torch.bool)
        found, differing = combine(latents, asked, [0] * len(networks), targets, volume)
        for name in names:
            tensors[name][part], spread[name][part] = found[name], differing[name]
        taught = np.setdiff1d(np.arange(count), part)
        embedded = embeddings(networks[0], graphs)
        near = Neighbourhood.of(embedded[taught], [formulas[i] for i in taught])
        distance[part] = near.distances(embedded[part], [formulas[i] for i in part]).numpy()
        fold[part] = number
    return Unseen(fold=fold, tensors=tensors, spread=spread, distance=distance)


def calibrated(materials: Sequence[Material], unseen: Unseen, chosen: np.ndarray) -> dict[str, Calibration]:
    """Calibration of each target from the chosen [n] crystals, as far as they have a label."""
    found = {}
    for target in unseen.tensors:
        known, dft = labels(materials, target, np.flatnonzero(chosen))
        if len(known):
            found[target] = calibrate(target, unseen.signs(target, known), quantities(dft))
    return found


def labels(materials: Sequence[Material], target: str, among: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the crystals with a sound DFT tensor, and these tensors, [k, 3, 3]."""
    known = [i for i in among if label(materials[i], target) is not None]
    return np.array(known, int), np.array([label(materials[i], target) for i in known]).reshape(-1, 3, 3)


def errors(
    materials: Sequence[Material],
    predicted: dict[str, np.ndarray],
    among: np.ndarray,
    in_range: bool = False,
) -> tuple[TargetMetrics, ...]:
    """Errors of each target over the crystals `among`; `in_range` leaves out those with large DFT entries."""
    rows = []
    for target, tensors in with_total(predicted).items():
        known, dft = labels(materials, target, among)
        keep = entries_in_range(dft) if in_range else np.ones(len(dft), dtype=bool)
        rows.append(target_metrics(target, tensors[known][keep], dft[keep]))
    return tuple(rows)


def about(data: str, config: TrainConfig, seeds: int, started: float) -> dict[str, str]:
    """What a figure was measured on; `started` is a time of `time.perf_counter`."""
    found = {
        "data": data,
        "data_sha256": dataset_hash(data),
        "code": code_version(),
        "seeds": ", ".join(str(config.seed + seed) for seed in range(seeds)),
        "machine": machine(),
        "seconds": f"{time.perf_counter() - started:.0f}",
    }
    if config.index_data:
        found |= {"index_data": config.index_data, "index_data_sha256": dataset_hash(config.index_data)}
    return found


def to_json(evaluation: object) -> str:
    """A dataclass of figures as a JSON document."""
    return json.dumps(asdict(evaluation), indent=1)


def to_table(evaluation: Evaluation) -> str:
    """The evaluation as a table to read, crystals with entries under 100 and all, and the intervals' coverage."""
    lines = [metrics_table({"under 100": evaluation.metrics_in_range, "all": evaluation.metrics})]
    lines.append(f"coverage of the {LEVEL:.0%} intervals")
    for c in evaluation.coverage:
        lines.append(f"{c.target:<11} {c.quantity:<9} {c.crystal_system:<13} {c.count:>5}  {c.percent:5.1f} %")
    return "\n".join(lines)


def metrics_table(rows: dict[str, Sequence[TargetMetrics]]) -> str:
    """Errors as a table, a block for each name."""
    lines = ["target      crystals            Fnorm  EwT25  EwT10   EwT5    MAE  MARD %  AR MAE  AR corr."]
    for name, metrics in rows.items():
        for m in metrics:
            ratio = "     -" if m.ar_mae is None else f"{m.ar_mae:6.3f}  {m.ar_correlation:8.2f}"
            lines.append(
                f"{m.target:<11} {m.count:>5} {name:<13} {m.fnorm:5.2f}  {m.ewt25:5.1f}  {m.ewt10:5.1f}  "
                f"{m.ewt5:5.1f}  {m.mae:5.2f}  {m.mard:6.1f}  {ratio}"
            )
    return "\n".join(lines)


def _coverage(
    materials: Sequence[Material], unseen: Unseen, calibrations: dict[int, dict[str, Calibration]]
) -> tuple[Coverage, ...]:
    systems = np.array([material.crystal_system for material in materials])
    rows = []
    for target in unseen.tensors:
        level = _levels(materials, unseen, calibrations, target)
        known = np.isfinite(level[:, 0])
        groups = [(number, "all", known) for number in range(len(QUANTITIES))]
        groups += [(0, system, known & (systems == system)) for system in CRYSTAL_SYSTEMS]
        rows += [
            Coverage(
                target=target,
                quantity=QUANTITIES[number],
                crystal_system=system,
                count=int(chosen.sum()),
                percent=float(100 * (level[chosen, number] <= LEVEL).mean()),
            )
            for number, system, chosen in groups
            if chosen.any()
        ]
    return tuple(rows)


def _levels(
    materials: Sequence[Material], unseen: Unseen, calibrations: dict[int, dict[str, Calibration]], target: str
) -> np.ndarray:
    """[n, 4] smallest level whose interval, calibrated on other folds, holds the DFT value; nan without."""
    found = np.full((len(materials), len(QUANTITIES)), np.nan)
    for fold, calibration in calibrations.items():
        known, dft = labels(materials, target, np.flatnonzero(unseen.fold == fold))
        found[known] = levels(target, calibration[target], unseen.signs(target, known), quantities(dft))
    return found


def _out_of_fold(
    materials: Sequence[Material], unseen: Unseen, calibrations: dict[int, dict[str, Calibration]]
) -> OutOfFold:
    interval = {target: np.empty((len(materials), 2)) for target in unseen.tensors}
    for fold, calibration in calibrations.items():
        chosen = np.flatnonzero(unseen.fold == fold)
        for target, bounds in interval.items():
            bounds[chosen] = intervals(target, calibration[target], unseen.signs(target, chosen), LEVEL)[:, 0]
    return OutOfFold(
        material_id=tuple(material.material_id for material in materials),
        fold=unseen.fold,
        tensors=unseen.tensors,
        interval=interval,
        level={target: _levels(materials, unseen, calibrations, target)[:, 0] for target in unseen.tensors},
    )


def _ensemble(
    members: Sequence[Checkpoint],
    materials: Sequence[Material],
    config: TrainConfig,
    data: str,
) -> Checkpoint:
    first = members[0].networks[0]
    embedded = embeddings(first, labelled_graphs(materials, config, resolve_device(config.device)))
    return Checkpoint(
        networks=[member.networks[0] for member in members],
        trained_on=tuple(member.trained_on[0] for member in members),
        element_counts=element_counts(materials),
        neighbourhood=Neighbourhood.of(embedded, [material.formula for material in materials]),
        about={"data": data, "data_sha256": dataset_hash(data), "code": code_version()},
    )
