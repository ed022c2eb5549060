"""Errors of predicted tensors, [n, 3, 3], and of refractive indices, [n]. Pure; all are zero for a perfect one."""

from dataclasses import dataclass

import numpy as np

SMALLEST_MEAN = 0.1  # relative errors and ratios leave out crystals whose DFT tensor is smaller than this
LARGEST_ENTRY = 100.0  # the published tables leave out crystals with an entry above this
LARGEST_INDEX = 5.0  # a few crystals with a larger refractive index rule a mean error


@dataclass(frozen=True, kw_only=True)
class TargetMetrics:
    """Errors of one target over `count` crystals.

    Attributes:
        fnorm: mean Frobenius norm of predicted - DFT.
        ewt25, ewt10, ewt5: percent of crystals whose Frobenius error is below 25, 10, 5 % of the DFT norm.
        mae: mean absolute error of the mean of the diagonal.
        mard: the same, relative to DFT, percent.
        ar_mae: mean absolute error of the ratio of largest to smallest principal value; None for the ionic
            part, whose smallest principal value is often zero.
        ar_correlation: Pearson correlation of predicted and DFT ratio; None where it is not defined.
    """

    target: str
    count: int
    fnorm: float
    ewt25: float
    ewt10: float
    ewt5: float
    mae: float
    mard: float
    ar_mae: float | None
    ar_correlation: float | None = None


def target_metrics(target: str, predicted: np.ndarray, dft: np.ndarray) -> TargetMetrics:
    """All errors of `predicted` against `dft`, both [n, 3, 3]; nan where there is no crystal."""
    error = frobenius(predicted - dft)
    relative = error / np.maximum(frobenius(dft), 1e-12)
    mean_predicted, mean_dft = diagonal_mean(predicted), diagonal_mean(dft)
    deviation = np.abs(mean_predicted - mean_dft)
    large = mean_dft > SMALLEST_MEAN
    ratios = None if target == "ionic" else (anisotropy_ratios(predicted), anisotropy_ratios(dft))
    return TargetMetrics(
        target=target,
        count=len(dft),
        fnorm=_mean(error),
        ewt25=100 * _mean(relative < 0.25),
        ewt10=100 * _mean(relative < 0.10),
        ewt5=100 * _mean(relative < 0.05),
        mae=_mean(deviation),
        mard=100 * _mean(deviation[large] / mean_dft[large]),
        ar_mae=None if ratios is None else _mean(np.abs(ratios[0] - ratios[1])),
        ar_correlation=None if ratios is None else _correlation(*ratios),
    )


@dataclass(frozen=True, kw_only=True)
class IndexMetrics:
    """Errors of the refractive index over `count` crystals; "in range" is DFT n <= LARGEST_INDEX.

    Attributes:
        mae, median: mean and median absolute error.
        within: percent of crystals whose error is below 5 % of DFT.
        mae_in_range, within_in_range: of the crystals in range.
    """

    count: int
    mae: float
    median: float
    within: float
    mae_in_range: float
    within_in_range: float


def index_metrics(predicted: np.ndarray, dft: np.ndarray) -> IndexMetrics:
    """All errors of `predicted` against `dft`, both [n]; nan where there is no crystal."""
    error = np.abs(predicted - dft)
    close = error < 0.05 * dft
    in_range = dft <= LARGEST_INDEX
    return IndexMetrics(
        count=len(dft),
        mae=_mean(error),
        median=float(np.median(error)) if len(error) else float("nan"),
        within=100 * _mean(close),
        mae_in_range=_mean(error[in_range]),
        within_in_range=100 * _mean(close[in_range]),
    )


def entries_in_range(dft: np.ndarray) -> np.ndarray:
    """[n] bool: crystals of a [n, 3, 3] array with every entry below LARGEST_ENTRY."""
    return np.abs(dft).max(axis=(1, 2)) < LARGEST_ENTRY


def frobenius(tensors: np.ndarray) -> np.ndarray:
    """[n, 3, 3] -> [n] Frobenius norms."""
    return np.linalg.norm(tensors, axis=(1, 2))


def diagonal_mean(tensors: np.ndarray) -> np.ndarray:
    """[n, 3, 3] -> [n] means of the diagonal."""
    return np.trace(tensors, axis1=1, axis2=2) / 3


def anisotropy_ratios(tensors: np.ndarray) -> np.ndarray:
    """[n, 3, 3] -> [n] largest over smallest principal value."""
    values = np.linalg.eigvalsh(tensors)
    return values[:, 2] / values[:, 0]


def _correlation(predicted: np.ndarray, dft: np.ndarray) -> float | None:
    if len(dft) < 2 or min(predicted.std(), dft.std()) < 1e-9:
        return None
    return float(np.corrcoef(predicted, dft)[0, 1])


def _mean(values: np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
