"""Intervals for frequencies and strengths of infrared modes, from crystals whose formulas the networks never saw.

Split conformal prediction on the relative scale, as model/intervals.py has it, for multiplets in place of
crystals:

    score = |log(f / f_DFT)|,    or    |log((s + t) / (s_DFT + t))|,    t = SHARE tr(ionic) / 3,

with s the mean of the diagonal of a multiplet's strength: an interval is a factor up and down, and a mode with
next to no strength does not widen it without bound. The rank of a score is taken among multiplets whose predicted
frequency, or share of the ionic tensor, is in the same class. Modes of one crystal err together, so the level
holds in the mean over many crystals. Unstable modes have no interval.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import check
from engine.files import read_json
from engine.model.intervals import ROUNDING
from engine.vibrations.modes import Modes

SHARE = 0.02
SMALLEST_CLASS = 20  # modes; a class with fewer is judged among all
FREQUENCY_EDGES = (100.0, 200.0, 400.0)  # cm^-1, between classes
STRENGTH_EDGES = (0.1, 0.5)  # shares of the ionic tensor


@dataclass(frozen=True, kw_only=True)
class ModeCalibration:
    """Scores of each class, ascending, by frequency and by strength."""

    frequency: tuple[tuple[float, ...], ...]
    strength: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class ModeIntervals:
    """Of each of `Modes.sets`, low and high; nan where a mode is no infrared one, or unstable.

    Attributes:
        wavenumber: [K, 2] cm^-1.
        strength: [K, 2] of the mean of the diagonal of the multiplet's strength.
    """

    wavenumber: np.ndarray
    strength: np.ndarray


def calibrate(
    modes: Sequence[Modes], wavenumbers: Sequence[np.ndarray], strengths: Sequence[np.ndarray]
) -> ModeCalibration:
    """Scores of predicted modes whose DFT frequency [K], cm^-1, and strength [K] are known; nan is left out."""
    groups: list[tuple[list[float], list[int], int]] = [
        ([], [], len(FREQUENCY_EDGES) + 1),
        ([], [], len(STRENGTH_EDGES) + 1),
    ]
    for one, dft, strength in zip(modes, wavenumbers, strengths, strict=True):
        asked = _answered(one)
        with np.errstate(invalid="ignore", divide="ignore"):
            shift = _shift(one)
            found = (
                (np.abs(np.log(one.first(one.wavenumbers) / dft)), _frequency_class(one)),
                (np.abs(np.log((one.set_strengths + shift) / (strength + shift))), _strength_class(one)),
            )
        for (scores, classes, _), (score, own) in zip(groups, found, strict=True):
            known = asked & np.isfinite(score)
            scores.extend(score[known])
            classes.extend(own[known])
    frequency, strength_scores = (_ranked(np.array(s), np.array(c), count) for s, c, count in groups)
    return ModeCalibration(frequency=frequency, strength=strength_scores)


def intervals(modes: Modes, calibration: ModeCalibration, level: float) -> ModeIntervals:
    """Low and high that hold the share `level` of what DFT says, over many crystals.

    Raises:
        EngineError: `level` is not between 0 and 1, or there are too few scores for it.
    """
    check(0 < level < 1, f"level must be between 0 and 1, got {level}")
    answered = _answered(modes)[:, None]
    frequency = _factors(calibration.frequency, _frequency_class(modes), level)[:, None]
    strength = _factors(calibration.strength, _strength_class(modes), level)[:, None]
    way = np.array([-1.0, 1.0])
    own, shift = modes.first(modes.wavenumbers)[:, None], _shift(modes)
    wide = (modes.set_strengths[:, None] + shift) * strength**way - shift
    return ModeIntervals(
        wavenumber=np.where(answered, own * frequency**way, np.nan),
        strength=np.where(answered, np.maximum(wide, 0), np.nan),
    )


def read_calibrations(path: Path) -> dict[str, dict[str, ModeCalibration]]:
    """By functional and `Prediction.ionic_method`, what benchmarks/modes.py wrote; empty where there is no file.

    Raises:
        EngineError: the file is damaged.
    """
    if not path.is_file():
        return {}
    found: Mapping[str, Any] = read_json(path)["calibrations"]
    return {
        functional: {method: _calibration(scores) for method, scores in methods.items()}
        for functional, methods in found.items()
    }


def _calibration(scores: Mapping[str, Any]) -> ModeCalibration:
    return ModeCalibration(
        frequency=tuple(tuple(one) for one in scores["frequency"]),
        strength=tuple(tuple(one) for one in scores["strength"]),
    )


def _answered(modes: Modes) -> np.ndarray:
    """[K] bool, whether a multiplet has an interval."""
    return modes.first(modes.infrared & ~modes.unstable)


def _shift(modes: Modes) -> float:
    return max(SHARE * float(modes.set_strengths.sum()), 1e-9)


def _frequency_class(modes: Modes) -> np.ndarray:
    return np.digitize(modes.first(modes.wavenumbers), FREQUENCY_EDGES)


def _strength_class(modes: Modes) -> np.ndarray:
    return np.digitize(modes.set_strengths / max(float(modes.set_strengths.sum()), 1e-9), STRENGTH_EDGES)


def _ranked(scores: np.ndarray, classes: np.ndarray, count: int) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(np.sort(scores[classes == one]).round(4).tolist()) for one in range(count))


def _factors(scores: Sequence[Sequence[float]], classes: np.ndarray, level: float) -> np.ndarray:
    """[K] the factor up and down of each multiplet."""
    found = np.ones(len(classes))
    for one in np.unique(classes):
        enough = len(scores[one]) >= SMALLEST_CLASS
        ranked = scores[one] if enough else sorted(score for others in scores for score in others)
        rank = math.ceil((len(ranked) + 1) * (level - ROUNDING))
        check(rank <= len(ranked), f"level {level} needs more than the {len(ranked)} calibration modes there are")
        found[classes == one] = math.exp(ranked[rank - 1])
    return found
