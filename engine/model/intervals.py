"""Intervals for means and principal values, from residuals of crystals that the networks never saw.

Split conformal prediction with residuals in units of the difficulty of their crystal (Lei et al., J. Am. Stat.
Assoc. 113, 1094 (2018), doi:10.1080/01621459.2017.1307116), on the relative scale: for a predicted p and a DFT y

    score = |log((p + s) / (y + s))| / difficulty,    s = SHIFT[target],

so that an interval is a factor up and down, and a tiny ionic part does not widen it without bound. What a
prediction shows of its own difficulty, `Signs`, is weighed by

    log(difficulty) = w0 + w1 log(spread + S0) + w2 log(distance + D0) + w3 log(p + s) + w4 [cubic] + w5 [low]
                      + w6 log(e) + w7 log(i + s) + w8 log(max(e, L) / L) + w9 log(max(i + s, L) / L)
                      + w10 log(g + G0)

with the w of greatest likelihood for residuals that follow a Laplace distribution of that width. The brackets tell
crystals by the symmetry of their tensor: "cubic" has three equal principal values, "low" three different ones;
e and i are the predicted means of the electronic and the ionic tensor, L = LARGE, and g is the DFT gap of the
nearest training crystals. For the electronic target i plays no part.

The rank of a score is taken among crystals of its own class (Mondrian conformal prediction: Vovk, Gammerman and
Shafer, Algorithmic Learning in a Random World, Springer, 2005), so that intervals hold their level within each of
`CLASSES`, in the mean over crystals drawn like those of the data. It is no promise for a single crystal, nor for a
group that predictions do not show: a narrow DFT gap shows only as far as similar crystals have one.

A prediction cuts its total interval where those of its parts end (`sum_bounds`). Out-of-fold intervals of the
embedded crystals are kept uncut: cut, they hold half a percent fewer of the DFT means.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize

from engine.errors import check

SHIFT = {"electronic": 0.0, "ionic": 0.5, "total": 0.0}
SMALLEST = {"electronic": 1.0, "ionic": 0.0, "total": 1.0}
QUANTITIES = ("mean", "smallest", "middle", "largest")  # of the diagonal; of the principal values
SMALLEST_SPREAD, SMALLEST_DISTANCE = 0.01, 0.2  # S0 and D0
EQUAL = 1e-3  # of the largest principal value: the difference of two that symmetry makes equal is smaller
LARGE = 10.0  # L
HARD = 15.0  # means above this belong to nearly metallic crystals or to soft ones
NARROW = 0.8  # eV; crystals whose neighbours have a smaller gap than this may be nearly metallic
GAP_SHIFT, USUAL_GAP = 0.3, 3.0  # eV, G0, and g where it is not known
USUAL, LOW_SYMMETRY, LARGE_PART, NARROW_GAP = CLASSES = ("usual", "low symmetry", "large part", "narrow gap")
SMALLEST_CLASS = 40  # crystals; a class with fewer is judged among all
RIDGE = 2.0  # keeps w small where few crystals speak for it
ROUNDING = 1e-9  # of a level
USELESS = 5.0  # times its low end, on the scale of the scores: a wider interval says nothing worth having
SIGNS = 11  # what a difficulty is made of, w0 to w10


@dataclass(frozen=True, kw_only=True)
class Signs:
    """What n predictions of one target show.

    Attributes:
        values: [n, 4] predicted `QUANTITIES`.
        spread: [n, 4] standard deviation of log(value + s) over networks that differ by their seed alone.
        distance: [n] from the crystal to its nearest training crystal, see neighbourhood.py.
        electronic, ionic: [n] predicted means of these tensors; nan where the model has none.
        gap: [n] eV, of the nearest training crystals, see neighbourhood.py; nan where it is not known.
    """

    values: np.ndarray
    spread: np.ndarray
    distance: np.ndarray
    electronic: np.ndarray
    ionic: np.ndarray
    gap: np.ndarray

    @property
    def classes(self) -> np.ndarray:
        """[n] which of `CLASSES` each crystal is in, of several the first of large, narrow and low."""
        large = (self.electronic > HARD) | (self.ionic > HARD)
        low = np.where(_steps(self.values) == 2, LOW_SYMMETRY, USUAL)
        return np.where(large, LARGE_PART, np.where(self.gap < NARROW, NARROW_GAP, low))


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Of one target: weights [4, 11] of each quantity's difficulty; scores [4][n] of each class, ascending."""

    weights: tuple[tuple[float, ...], ...]
    scores: dict[str, tuple[tuple[float, ...], ...]]

    def ranked(self, name: str) -> np.ndarray:
        """[4, n] ascending scores of the class, or of all crystals where it has too few."""
        own = np.array(self.scores.get(name, ((),) * len(QUANTITIES)))
        if own.shape[1] >= SMALLEST_CLASS:
            return own
        return np.sort(np.concatenate([np.array(scores) for scores in self.scores.values()], axis=1), axis=1)


def name_of(target: str, method: str | None) -> str:
    """Under which a model keeps the calibration of `target` where the ionic part was found by `method`."""
    return target if target == "electronic" or method in (None, "full") else f"{target}, {method}"


def quantities(tensors: np.ndarray) -> np.ndarray:
    """`QUANTITIES` of symmetric tensors, [..., 3, 3] -> [..., 4]."""
    principal = np.linalg.eigvalsh(tensors)
    return np.concatenate([principal.mean(-1, keepdims=True), principal], -1)


def calibrate(target: str, signs: Signs, dft: np.ndarray) -> Calibration:
    """Learn what the predictions of held-out crystals say of their errors; `dft` is [n, 4]."""
    signs = _of_target(target, signs)
    residual = _residual(target, signs, dft)
    features = _features(target, signs)
    weights = [_fit(features[:, q], residual[:, q]) for q in range(len(QUANTITIES))]
    difficulty = np.exp(np.einsum("nqk,qk->nq", features, np.array(weights)))
    scores, classes = residual / difficulty, signs.classes
    return Calibration(
        weights=tuple(tuple(w.round(6).tolist()) for w in weights),
        scores={
            name: tuple(tuple(s.round(5).tolist()) for s in np.sort(scores[classes == name], axis=0).T)
            for name in CLASSES
            if (classes == name).any()
        },
    )


def intervals(target: str, calibration: Calibration, signs: Signs, level: float) -> np.ndarray:
    """[n, 4, 2] low and high that hold the share `level` of the DFT values, over many crystals of each class.

    Raises:
        EngineError: `level` is not between 0 and 1, or there are too few scores for it.
    """
    check(0 < level < 1, f"level must be between 0 and 1, got {level}")
    signs = _of_target(target, signs)
    score, classes = np.empty(signs.values.shape), signs.classes
    for name in np.unique(classes):
        ranked = calibration.ranked(name)
        count = ranked.shape[1]
        rank = math.ceil((count + 1) * (level - ROUNDING))
        check(rank <= count, f"level {level} needs more than the {count} calibration crystals there are")
        score[classes == name] = ranked[:, rank - 1]
    factor = np.exp(score * _difficulty(target, calibration, signs))
    values = signs.values + SHIFT[target]
    both = np.stack([values / factor, values * factor], -1) - SHIFT[target]
    return np.maximum(both, SMALLEST[target])


def is_useless(target: str, bounds: tuple[float, float]) -> bool:
    """Whether the high end of an interval is more than `USELESS` times the low one."""
    low, high = (end + SHIFT[target] for end in bounds)
    return high > USELESS * low


def sum_bounds(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """[4, 2] what `QUANTITIES` of a sum of two tensors can be where those of each lie within [4, 2].

    Means add up; of principal values, those of the sum lie between the first's plus the smallest and plus the
    largest of the second's: Weyl's inequality, Horn and Johnson, Matrix Analysis (Cambridge, 2012), theorem 4.3.1.
    """
    smallest, largest = second[1, 0], second[3, 1]
    principal = np.stack([first[1:, 0] + smallest, first[1:, 1] + largest], 1)
    return np.concatenate([first[:1] + second[:1], principal])


def difference_bounds(total: np.ndarray, other: np.ndarray) -> np.ndarray:
    """[4, 2] what `QUANTITIES` of one part can be where those of a sum and of its other part lie within [4, 2].

    By the same inequality: a principal value of the part is that of the sum, less what lies between the other's
    smallest and largest.
    """
    smallest, largest = other[1, 0], other[3, 1]
    principal = np.stack([total[1:, 0] - largest, total[1:, 1] - smallest], 1)
    return np.concatenate([total[:1] - other[:1, ::-1], principal])


def levels(target: str, calibration: Calibration, signs: Signs, dft: np.ndarray) -> np.ndarray:
    """[n, 4] the level above which, itself not included, intervals hold the DFT value [n, 4]; see `held`."""
    signs = _of_target(target, signs)
    score = _residual(target, signs, dft) / _difficulty(target, calibration, signs)
    found, classes = np.empty(score.shape), signs.classes
    for name in np.unique(classes):
        chosen, ranked = classes == name, calibration.ranked(name)
        smaller = [np.searchsorted(known, score[chosen, q]) for q, known in enumerate(ranked)]
        found[chosen] = np.stack(smaller, 1) / (ranked.shape[1] + 1)
    return found


def held(levels: np.ndarray, level: float) -> np.ndarray:
    """Whether intervals at `level` hold the DFT values of these `levels`.

    The interval reaches to the score of rank ceil((n + 1) level), so it holds a value whose score has fewer than
    (n + 1) level smaller ones.
    """
    return levels < level - ROUNDING


def _of_target(target: str, signs: Signs) -> Signs:
    """What counts for a target: the electronic part is the same whether or not the ionic one is computed."""
    return replace(signs, ionic=np.full(len(signs.ionic), np.nan)) if target == "electronic" else signs


def _residual(target: str, signs: Signs, dft: np.ndarray) -> np.ndarray:
    return np.abs(np.log((signs.values + SHIFT[target]) / (np.maximum(dft, 0) + SHIFT[target])))


def _difficulty(target: str, calibration: Calibration, signs: Signs) -> np.ndarray:
    return np.exp(np.einsum("nqk,qk->nq", _features(target, signs), np.array(calibration.weights)))


def _features(target: str, signs: Signs) -> np.ndarray:
    """[n, 4, 11]: what w is multiplied by, for each quantity."""
    steps = _steps(signs.values)
    electronic = np.nan_to_num(signs.electronic, nan=1.0)
    ionic = np.nan_to_num(signs.ionic, nan=1.0 - SHIFT["ionic"]) + SHIFT["ionic"]
    of_crystal = (
        np.log(signs.distance + SMALLEST_DISTANCE),
        steps == 0,
        steps == 2,
        np.log(electronic),
        np.log(ionic),
        np.log(np.maximum(electronic, LARGE) / LARGE),
        np.log(np.maximum(ionic, LARGE) / LARGE),
        np.log(np.nan_to_num(signs.gap, nan=USUAL_GAP) + GAP_SHIFT),
    )
    distance, *others = (np.broadcast_to(one[:, None], signs.values.shape) for one in of_crystal)
    return np.stack(
        [
            np.ones(signs.values.shape),
            np.log(signs.spread + SMALLEST_SPREAD),
            distance,
            np.log(signs.values + SHIFT[target]),
            *others,
        ],
        -1,
    )


def _steps(values: np.ndarray) -> np.ndarray:
    """[n] how many of the two steps between principal values, of `QUANTITIES` [n, 4], are no rounding."""
    principal = values[:, 1:]
    return (np.diff(principal, axis=1) > EQUAL * principal[:, 2:]).sum(1)


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
