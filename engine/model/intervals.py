"""Intervals for means and principal values, from residuals of crystals that the networks never saw.

Split conformal prediction with residuals in units of the difficulty of their crystal (Lei et al., J. Am. Stat.
Assoc. 113, 1094 (2018), doi:10.1080/01621459.2017.1307116), on the relative scale: for a predicted p and a DFT y

    score = |log((p + s) / (y + s))| / difficulty,    s = SHIFT[target],

so that an interval is a factor up and down, and a tiny ionic part does not widen it without bound. What a
prediction shows of its own difficulty, `Signs`, is weighed by

    difficulty = exp(w0 + w1 log(spread + S0) + w2 log(distance + D0) + w3 log(p + s) + w4 [cubic] + w5 [low]),

with the w of greatest likelihood for residuals that follow a Laplace distribution of that width. The last two tell
crystals by the symmetry of their tensor: "cubic" has three equal principal values, "low" three different ones.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from engine.errors import check

SHIFT = {"electronic": 0.0, "ionic": 0.5, "total": 0.0}
SMALLEST = {"electronic": 1.0, "ionic": 0.0, "total": 1.0}
QUANTITIES = ("mean", "smallest", "middle", "largest")  # of the diagonal; of the principal values
SMALLEST_SPREAD, SMALLEST_DISTANCE = 0.01, 0.2  # S0 and D0
EQUAL = 1e-3  # of the largest principal value: the difference of two that symmetry makes equal is smaller
RIDGE = 2.0  # keeps w small where few crystals speak for it


@dataclass(frozen=True, kw_only=True)
class Signs:
    """What n predictions of one target show.

    Attributes:
        values: [n, 4] predicted `QUANTITIES`.
        spread: [n, 4] standard deviation of log(value + s) over networks that differ by their seed alone.
        distance: [n] from the crystal to its nearest training crystal, see neighbourhood.py.
    """

    values: np.ndarray
    spread: np.ndarray
    distance: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Of one target: weights [4, 6] of each quantity's difficulty, and its scores [4][n], ascending."""

    weights: tuple[tuple[float, ...], ...]
    scores: tuple[tuple[float, ...], ...]


def coarse_name(target: str) -> str:
    """Under which a model keeps the calibration of `target` for predictions without force constants."""
    return target if target == "electronic" else f"{target}, coarse"


def quantities(tensors: np.ndarray) -> np.ndarray:
    """`QUANTITIES` of symmetric tensors, [..., 3, 3] -> [..., 4]."""
    principal = np.linalg.eigvalsh(tensors)
    return np.concatenate([principal.mean(-1, keepdims=True), principal], -1)


def calibrate(target: str, signs: Signs, dft: np.ndarray) -> Calibration:
    """Learn what the predictions of held-out crystals say of their errors; `dft` is [n, 4]."""
    residual = _residual(target, signs, dft)
    features = _features(target, signs)
    weights = [_fit(features[:, q], residual[:, q]) for q in range(len(QUANTITIES))]
    difficulty = np.exp(np.einsum("nqk,qk->nq", features, np.array(weights)))
    scores = np.sort(residual / difficulty, axis=0).T
    return Calibration(
        weights=tuple(tuple(w.round(6).tolist()) for w in weights),
        scores=tuple(tuple(s.round(5).tolist()) for s in scores),
    )


def intervals(target: str, calibration: Calibration, signs: Signs, level: float) -> np.ndarray:
    """[n, 4, 2] low and high that hold the DFT value of crystals like these with probability `level`.

    Raises:
        EngineError: `level` is not between 0 and 1, or there are too few scores for it.
    """
    check(0 < level < 1, f"level must be between 0 and 1, got {level}")
    count = len(calibration.scores[0])
    rank = math.ceil((count + 1) * level)
    check(rank <= count, f"level {level} needs more than the {count} calibration crystals there are")
    score = np.array([scores[rank - 1] for scores in calibration.scores])
    factor = np.exp(score * _difficulty(target, calibration, signs))
    values = signs.values + SHIFT[target]
    both = np.stack([values / factor, values * factor], -1) - SHIFT[target]
    return np.maximum(both, SMALLEST[target])


def levels(target: str, calibration: Calibration, signs: Signs, dft: np.ndarray) -> np.ndarray:
    """[n, 4] the level above which intervals hold the DFT value [n, 4]."""
    score = _residual(target, signs, dft) / _difficulty(target, calibration, signs)
    ranks = [np.searchsorted(known, score[:, q]) for q, known in enumerate(calibration.scores)]
    return np.stack(ranks, 1) / (len(calibration.scores[0]) + 1)


def _residual(target: str, signs: Signs, dft: np.ndarray) -> np.ndarray:
    return np.abs(np.log((signs.values + SHIFT[target]) / (np.maximum(dft, 0) + SHIFT[target])))


def _difficulty(target: str, calibration: Calibration, signs: Signs) -> np.ndarray:
    return np.exp(np.einsum("nqk,qk->nq", _features(target, signs), np.array(calibration.weights)))


def _features(target: str, signs: Signs) -> np.ndarray:
    """[n, 4, 6]: what w is multiplied by, for each quantity."""
    shape = signs.values.shape
    distance = np.broadcast_to(signs.distance[:, None], shape)
    principal = signs.values[:, 1:]
    steps = (np.diff(principal, axis=1) > EQUAL * principal[:, 2:]).sum(1)[:, None]
    return np.stack(
        [
            np.ones(shape),
            np.log(signs.spread + SMALLEST_SPREAD),
            np.log(distance + SMALLEST_DISTANCE),
            np.log(signs.values + SHIFT[target]),
            np.broadcast_to(steps == 0, shape),
            np.broadcast_to(steps == 2, shape),
        ],
        -1,
    )


def _fit(features: np.ndarray, residual: np.ndarray) -> np.ndarray:
    """w of greatest Laplace likelihood, [k], from [n, k] and [n]; a convex problem."""

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        width = features @ w
        scaled = residual * np.exp(-width)
        penalty = np.concatenate([[0.0], w[1:]]) * RIDGE
        return (width + scaled).sum() + (penalty * w).sum() / 2, features.T @ (1 - scaled) + penalty

    start = np.zeros(features.shape[1])
    start[0] = math.log(residual.mean() + 1e-9)
    return minimize(loss, start, jac=True, method="L-BFGS-B").x
