"""What a readout is worth outside its training set: layered and chain crystals, set aside from every training."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.config import TrainConfig
from engine.crystals.material import Material
from engine.data.datasets import labelled, load_dataset
from engine.data.dimensionality import dimensionalities
from engine.evaluation.cross_validation import metrics_table
from engine.evaluation.held_out import predict_unseen
from engine.evaluation.judging import errors
from engine.evaluation.provenance import about, code_version
from engine.tensors.metrics import TargetMetrics
from engine.training.fold_training import NetworkJob, train_networks
from engine.training.jobs import Workers, log

WIDE_GAP = 2.0  # eV


@dataclass(frozen=True, kw_only=True)
class LayeredReport:
    """Errors on the crystals that were set aside.

    Attributes:
        metrics: readout ("mean" or "dipoles") -> group of crystals -> errors of each target.
        material_ids: the crystals set aside that have a tensor.
        set_aside: number of formulas that no training saw.
        about: as in `cross_validation.Evaluation`.
    """

    metrics: dict[str, dict[str, tuple[TargetMetrics, ...]]]
    material_ids: tuple[str | None, ...]
    set_aside: int
    about: dict[str, str]
    config: TrainConfig


def set_aside_layered(
    data: str, config: TrainConfig, folder: Path, seeds: int = 1, workers: Workers = None
) -> LayeredReport:
    """Train without every crystal whose bonds run on in fewer than three directions, and judge those.

    Every formula of such a crystal, of `data` and of the config's `index_data`, is left out; both readouts are
    trained, all else being equal. Resumable as `cross_validation.cross_validate` is.
    """
    started, code = time.perf_counter(), code_version()
    materials = labelled(load_dataset(data), config.model.targets)
    found = {id(m): d for m, d in zip(load_dataset(data), _dimensions(data), strict=True)}
    dimension = np.array([found[id(material)] for material in materials])
    held_out = {m.formula for m, d in zip(materials, dimension, strict=True) if d < 3}
    if config.index_data:
        extra = zip(load_dataset(config.index_data), _dimensions(config.index_data), strict=True)
        held_out |= {m.formula for m, d in extra if d < 3}
    configs = {name: replace(config, model=replace(config.model, readout=name)) for name in ("mean", "dipoles")}
    jobs = [
        NetworkJob(
            data=data,
            config=replace(one, seed=config.seed + seed),
            held_out=frozenset(held_out),
            folder=folder / f"layered-{name}-{seed}",
            name=f"{name} seed {seed + 1}/{seeds}",
        )
        for name, one in configs.items()
        for seed in range(seeds)
    ]
    members = train_networks(jobs, workers)
    judged = np.flatnonzero(dimension < 3)
    groups = _groups([materials[i] for i in judged], dimension[judged])
    metrics = {}
    for number, (name, one) in enumerate(configs.items()):
        own = members[number * seeds : (number + 1) * seeds]
        unseen = predict_unseen(own, materials, [_untaught(materials, held_out)], one)
        metrics[name] = {
            group: errors(materials, unseen.tensors, judged[chosen], in_range=True)
            for group, chosen in groups.items()
        }
    return LayeredReport(
        metrics=metrics,
        material_ids=tuple(materials[i].material_id for i in judged),
        set_aside=len(held_out),
        about=about(data, config, seeds, started, code),
        config=config,
    )


def layered_table(report: LayeredReport) -> str:
    """The report to read."""
    blocks = []
    for name, groups in report.metrics.items():
        blocks.append(f"readout: {name}\n{metrics_table(groups)}")
    return "\n".join(blocks)


def _dimensions(data: str) -> list[int]:
    return dimensionalities(data, lambda done, total: log(f"bonds of {data}: {done} of {total} crystals"))


def _untaught(materials: Sequence[Material], held_out: set[str]) -> np.ndarray:
    return np.array([index for index, material in enumerate(materials) if material.formula in held_out])


def _groups(materials: Sequence[Material], dimension: np.ndarray) -> dict[str, np.ndarray]:
    """Which of the crystals [n] belong to each group, [n] bool."""
    wide = np.array([(m.band_gap or 0) > WIDE_GAP for m in materials])
    return {"all": dimension < 3, "wide gap": wide, "wide, layered": wide & (dimension == 2)}
