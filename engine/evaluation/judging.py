"""Predictions for unseen crystals against DFT: their errors, calibration, and what its intervals hold."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.crystals.material import CRYSTAL_SYSTEMS, Material
from engine.data.datasets import label
from engine.evaluation.held_out import Unseen
from engine.model.ensemble import with_total
from engine.model.intervals import QUANTITIES, Calibration, calibrate, held, intervals, levels, quantities
from engine.model.out_of_fold import LEVEL, OutOfFold
from engine.tensors.metrics import TargetMetrics, entries_in_range, target_metrics

NARROW_GAP = 0.5  # eV
LARGE_ELECTRONIC, LARGE_IONIC = 20, 15  # means


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """Percent of the DFT values that the intervals at `out_of_fold.LEVEL` hold, in crystals of other folds."""

    target: str
    quantity: str
    group: str
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
    """Of every quantity over all crystals, and of the means in each of `groups`.

    Args:
        calibrations: number of a fold -> calibration on all others.
    """
    members = groups(materials, unseen)
    rows = []
    for target in unseen.tensors:
        level = _levels(materials, unseen, calibrations, target)
        known = np.isfinite(level[:, 0])
        judged = [(number, "all", known) for number in range(len(QUANTITIES))]
        judged += [(0, group, known & chosen) for group, chosen in members.items()]
        rows += [
            Coverage(
                target=target,
                quantity=QUANTITIES[number],
                group=group,
                count=int(chosen.sum()),
                percent=float(100 * held(level[chosen, number], LEVEL).mean()),
            )
            for number, group, chosen in judged
            if chosen.any()
        ]
    return tuple(rows)


def groups(materials: Sequence[Material], unseen: Unseen) -> dict[str, np.ndarray]:
    """[n] which crystals are in each crystal system, and in each group whose errors are the largest."""
    systems = np.array([material.crystal_system for material in materials])
    gap = np.array([np.nan if material.band_gap is None else material.band_gap for material in materials])
    by_system = {system: systems == system for system in CRYSTAL_SYSTEMS}
    return by_system | hard_groups(gap, unseen.means("electronic"), unseen.means("ionic"))


def hard_groups(gap: np.ndarray, electronic: np.ndarray, ionic: np.ndarray) -> dict[str, np.ndarray]:
    """[n] which crystals are in each group whose errors are the largest.

    Args:
        gap: [n] eV, of DFT, which no prediction knows; nan where it is not known.
        electronic, ionic: [n] predicted means.
    """
    return {
        f"DFT gap under {NARROW_GAP} eV": gap < NARROW_GAP,
        f"predicted electronic over {LARGE_ELECTRONIC}": electronic > LARGE_ELECTRONIC,
        f"predicted ionic over {LARGE_IONIC}": ionic > LARGE_IONIC,
    }


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
