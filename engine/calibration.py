"""Intervals for the mean of the diagonal, from residuals of crystals that the network never saw.

Split conformal prediction (Vovk et al., Algorithmic Learning in a Random World, 2005) on the relative scale:

    score = |log((predicted + s) / (DFT + s))|,    s = SHIFT[target]

so that an interval is a factor up and down, and a tiny ionic part does not widen it without bound.
"""

import math
from collections.abc import Sequence

import numpy as np

from engine.errors import check

SHIFT = {"electronic": 0.0, "ionic": 0.5, "total": 0.0}


def conformal_scores(target: str, predicted: np.ndarray, dft: np.ndarray) -> list[float]:
    """Sorted scores of predicted and DFT means of the diagonal, both [n]."""
    shift = SHIFT[target]
    return sorted(np.abs(np.log((predicted + shift) / (dft + shift))).round(5).tolist())


def conformal_interval(
    target: str, predicted: float, scores: Sequence[float], level: float
) -> tuple[float, float]:
    """(low, high) that holds the DFT mean with probability `level` for a crystal like the calibration ones.

    Raises:
        EngineError: `level` is not between 0 and 1, or there are too few scores for it.
    """
    check(0 < level < 1, f"level must be between 0 and 1, got {level}")
    rank = math.ceil((len(scores) + 1) * level)
    check(rank <= len(scores), f"level {level} needs more than the {len(scores)} calibration crystals there are")
    factor, shift = math.exp(scores[rank - 1]), SHIFT[target]
    smallest = {"electronic": 1.0, "ionic": 0.0, "total": 1.0}[target]
    low = (predicted + shift) / factor - shift
    return max(low, smallest), (predicted + shift) * factor - shift
