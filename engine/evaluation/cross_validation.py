"""Out-of-fold figures: retrain without each formula-grouped fold, predict what was left out, keep the networks.

The networks of all folds together are a model: an ensemble in which, for every crystal of the data set and every
other that taught, some members never saw its formula. Residuals on the data set calibrate its intervals.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.config import PhononConfig, PotentialConfig, TrainConfig
from engine.crystals.material import Material
from engine.data.datasets import dataset_hash, index_materials, labelled, load_dataset
from engine.data.folds import formula_folds, formulas_of_folds
from engine.data.phonons import teaching_phonons
from engine.errors import check
from engine.evaluation.held_out import fold_jobs, predict_unseen
from engine.evaluation.judging import Coverage, calibrated, coverage, errors, with_intervals
from engine.evaluation.phonon_errors import PhononErrors, phonon_errors
from engine.evaluation.provenance import about, code_version
from engine.model.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from engine.model.inference import embeddings
from engine.model.intervals import name_of
from engine.model.neighbourhood import Neighbourhood
from engine.model.out_of_fold import LEVEL, write_out_of_fold
from engine.network.device import resolve_device
from engine.tensors.metrics import TargetMetrics
from engine.training.fold_training import NetworkJob, element_counts, train_networks
from engine.training.jobs import Workers
from engine.training.labelled_graphs import labelled_graphs
from engine.training.phonon_training import train_with_phonons
from engine.training.potential_training import networks_of, train_potential_corrections

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Out-of-fold errors of one configuration.

    Attributes:
        metrics: errors over all crystals, for each target and the total.
        metrics_in_range: the same over the crystals with every DFT entry below 100, as published tables have it.
        by_fold: `metrics_in_range` of each fold.
        coverage: of every quantity over all crystals, and of the means in each crystal system.
        without_potential: as `metrics_in_range`, the ionic part without the potential's force constants; empty
            where it never has any.
        phonons: errors against phonon data on formulas left out; None where none taught.
        about: data set, hash, code, folds, seeds, machine, seconds of the call and, summed over the networks, of
            their training, which an earlier call may have done; the code of that.
        config: the training configuration.
    """

    metrics: tuple[TargetMetrics, ...]
    metrics_in_range: tuple[TargetMetrics, ...]
    by_fold: tuple[tuple[TargetMetrics, ...], ...]
    coverage: tuple[Coverage, ...]
    without_potential: tuple[TargetMetrics, ...]
    phonons: PhononErrors | None
    about: dict[str, str]
    config: TrainConfig


def cross_validate(
    data: str,
    config: TrainConfig,
    folds: int,
    folder: Path,
    seeds: int = 1,
    workers: Workers = None,
    networks: Path | None = None,
    teach: bool = True,
) -> Evaluation:
    """Train on all folds but one, for each, and judge every crystal by the networks that never saw its formula.

    Formulas known by a refractive index or phonon calculations alone are left out by turns too, so that some
    networks never saw them either. No fold under test is looked at before its networks are done. Networks found
    finished in `folder`, from the same data and configuration, are taken from there. The ensemble, calibrated on
    the out-of-fold residuals, and its predictions are written to `folder`.

    Args:
        seeds: networks a fold; they differ by the seed, which counts up from the config's.
        workers: see `fold_training.train_networks`.
        networks: a model of the same folds and seeds, whose networks are taken.
        teach: whether these are taught the last step anew, or judged as they are, by their own configuration.

    Raises:
        EngineError: the data set is missing, or has fewer formulas than folds; `networks` is no model of these, or
            there are no phonon data for its last step.
    """
    started, code = time.perf_counter(), code_version()
    as_it_is = None if networks is None or teach else load_checkpoint(networks)
    if as_it_is is not None:
        network = as_it_is.networks[0]
        config = replace(config, graph=network.graph_config, model=network.model_config)
    materials = labelled(load_dataset(data), config.model.targets)
    parts = formula_folds(materials, folds)
    left_out = _left_out(materials, parts, config, networks)
    jobs = fold_jobs(data, config, left_out, folder, seeds)
    both = len(config.model.targets) == 2  # phonon data teach last what both tensors are made of
    has_phonons = bool(config.phonon_data) and config.model.has_charges and both
    if as_it_is is None or networks is None:
        members, trained_by = _trained(jobs, config, folder, workers, networks, has_phonons), code
    else:
        members = [as_it_is.single(place) for _, place in networks_of(networks, jobs)]
        trained_by = as_it_is.about.get("code", "unknown")
    unseen = predict_unseen(members, materials, parts, config)
    calibrations = {fold: calibrated(materials, unseen, unseen.fold != fold) for fold in range(folds)}
    ensemble = _ensemble(members, materials, config, data, trained_by)
    ensemble.calibration.update(calibrated(materials, unseen, unseen.fold >= 0))
    everything = np.arange(len(materials))
    rough_errors: tuple[TargetMetrics, ...] = ()
    if config.model.has_charges:
        asks = config.model.asks_potential
        found = predict_unseen(members, materials, parts, config, springs=False) if asks else unseen
        rough = calibrated(materials, found, found.fold >= 0)
        method = "direct" if members[0].networks[0].model_config.direct else "coarse"
        ensemble.calibration.update(
            {name_of(target, method): one for target, one in rough.items() if target != "electronic"}
        )
        rough_errors = errors(materials, found.tensors, everything, in_range=True) if asks else ()
    save_checkpoint(folder, ensemble, half=True)
    write_out_of_fold(folder, with_intervals(materials, unseen, calibrations))
    return Evaluation(
        metrics=errors(materials, unseen.tensors, everything),
        metrics_in_range=errors(materials, unseen.tensors, everything, in_range=True),
        by_fold=tuple(errors(materials, unseen.tensors, part, in_range=True) for part in parts),
        coverage=coverage(materials, unseen, calibrations),
        without_potential=tuple(one for one in rough_errors if one.target != "electronic"),
        phonons=phonon_errors(members, left_out, config) if has_phonons else None,
        about=about(data, config, seeds, started, code)
        | {
            "crystals": str(len(materials)),
            "folds": f"{folds}, grouped by reduced formula",
        }
        | _training(members, trained_by),
        config=replace(config, phonon_data=Path(config.phonon_data).name),
    )


def _training(members: Sequence[Checkpoint], code: str) -> dict[str, str]:
    """By what code the networks were trained, and in how many seconds where that is known."""
    seconds = [int(member.about["seconds"]) for member in members if "seconds" in member.about]
    known = {"training_seconds": str(sum(seconds))} if seconds else {}
    return {"training_code": code} | known


def _left_out(
    materials: Sequence[Material], parts: Sequence[np.ndarray], config: TrainConfig, networks: Path | None
) -> list[frozenset[str]]:
    """Formulas that each fold leaves out, or that the networks of a model did: those of earlier versions fewer."""
    beside = {material.formula for material in index_materials(config.index_data, ())}
    if config.phonon_data:
        beside |= {one.material.formula for one in teaching_phonons(config.phonon_data, config.index_data, ())}
    if networks is None:
        return formulas_of_folds(materials, parts, beside)
    trained_on, found = load_checkpoint(networks).trained_on, []
    for formulas in formulas_of_folds(materials, parts, ()):
        seen = frozenset().union(*(one for one in trained_on if one.isdisjoint(formulas)))
        found.append(formulas | (beside - seen))
    return found


def _trained(
    jobs: Sequence[NetworkJob],
    config: TrainConfig,
    folder: Path,
    workers: Workers,
    networks: Path | None,
    has_phonons: bool,
) -> list[Checkpoint]:
    """The network of each job, by all steps of its training."""
    last = has_phonons and config.model.asks_potential
    if networks is not None:
        check(last, "networks of another model are taught by phonon data, on the pretrained backbone; give these")
        return train_potential_corrections(jobs, networks_of(networks, jobs), PotentialConfig(), folder, workers)
    members = train_networks(jobs, workers)
    if has_phonons:
        members = train_with_phonons(jobs, PhononConfig.for_backbone(config.model.backbone), folder, workers)
    if last:
        sources = [(folder / f"{job.folder.name}-phonons", 0) for job in jobs]
        members = train_potential_corrections(jobs, sources, PotentialConfig(), folder, workers)
    return members


def to_json(evaluation: "DataclassInstance") -> str:
    """A dataclass of figures as a JSON document."""
    return json.dumps(asdict(evaluation), indent=1)


def to_table(evaluation: Evaluation) -> str:
    """The evaluation as a table to read, crystals with entries under 100 and all, and the intervals' coverage."""
    rows = {"under 100": evaluation.metrics_in_range, "all": evaluation.metrics}
    if evaluation.without_potential:
        rows["without it"] = evaluation.without_potential
    lines = [metrics_table(rows)]
    if evaluation.phonons:
        e = evaluation.phonons.charges
        lines.append(
            f"Born charges of {evaluation.phonons.crystals} crystals: a third of the trace {e.trace:.3f} e, "
            f"components {e.component:.3f} e, antisymmetric part {e.antisymmetric:.3f} e"
        )
    lines.append(f"coverage of the {LEVEL:.0%} intervals")
    for c in evaluation.coverage:
        lines.append(f"{c.target:<11} {c.quantity:<9} {c.group:<35} {c.count:>5}  {c.percent:5.1f} %")
    return "\n".join(lines)


def metrics_table(rows: Mapping[str, Sequence[TargetMetrics]]) -> str:
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


def _ensemble(
    members: Sequence[Checkpoint],
    materials: Sequence[Material],
    config: TrainConfig,
    data: str,
    code: str,
) -> Checkpoint:
    first = members[0].networks[0]
    embedded = embeddings(first, labelled_graphs(materials, config, resolve_device(config.device)))
    return Checkpoint(
        networks=[member.networks[0] for member in members],
        trained_on=tuple(member.trained_on[0] for member in members),
        element_counts=element_counts(materials),
        neighbourhood=Neighbourhood.of(
            embedded, [material.formula for material in materials], [material.band_gap for material in materials]
        ),
        about={"data": data, "data_sha256": dataset_hash(data), "code": code},
    )
