"""Predictions for unseen crystals against DFT: their errors, calibration, and what its intervals hold."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.crystals.material import CRYSTAL_SYSTEMS, Material
from engine.data.datasets import label
from engine.evaluation.held_out import Unseen
from engine.model.ensemble import with_total
from engine.model.intervals import QUANTITIES, Calibration, calibrate, intervals, levels, quantities
from engine.model.out_of_fold import LEVEL, OutOfFold
from engine.tensors.metrics import TargetMetrics, entries_in_range, target_metrics


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """Percent of the DFT values that the intervals at `out_of_fold.LEVEL` hold, in crystals of other folds."""

    target: str
    quantity: str
    crystal_system: str
    count: int
    percent: float


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


def coverage(
    materials: Sequence[Material], unseen: Unseen, calibrations: dict[int, dict[str, Calibration]]
) -> tuple[Coverage, ...]:
    """Of every quantity over all crystals, and of the means in each crystal system.

    Args:
        calibrations: number of a fold -> calibration on all others.
    """
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


def with_intervals(
    materials: Sequence[Material], unseen: Unseen, calibrations: dict[int, dict[str, Calibration]]
) -> OutOfFold:
    """The predictions to keep, with intervals and levels of each fold calibrated as in `coverage`."""
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


def _levels(
    materials: Sequence[Material], unseen: Unseen, calibrations: dict[int, dict[str, Calibration]], target: str
) -> np.ndarray:
    """[n, 4] smallest level whose interval, calibrated on other folds, holds the DFT value; nan without."""
    found = np.full((len(materials), len(QUANTITIES)), np.nan)
    for fold, calibration in calibrations.items():
        known, dft = labels(materials, target, np.flatnonzero(unseen.fold == fold))
        found[known] = levels(target, calibration[target], unseen.signs(target, known), quantities(dft))
    return found
