"""Predicted against DFT: where each point is drawn, how crowded it is there, which crystals are furthest off."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from engine.tensors.metrics import SMALLEST_MEAN, anisotropy_ratios, diagonal_mean, frobenius

MEAN, COMPONENTS, ANISOTROPY = QUANTITIES = ("mean", "components", "anisotropy")
PLACES = {"xx": (0, 0), "yy": (1, 1), "zz": (2, 2), "yz": (1, 2), "xz": (0, 2), "xy": (0, 1)}
RADIUS = 0.02  # of the circle in which neighbours are counted, relative to the length of the axes


@dataclass(frozen=True, kw_only=True, eq=False)
class Parity:
    """One quantity of one target, predicted and from DFT.

    Attributes:
        points: one row a point: material_id, formula, crystal_system, `dft`, `predicted`, for components also
            `component`; `across` (DFT) and `up` (predicted) on the drawn axes: log10 of mean and anisotropy,
            arcsinh of components; `crowd`, see `crowding`.
        furthest: one row a crystal, the furthest off first: its row of `points` and `error`. Mean and anisotropy:
            the factor by which prediction and DFT differ, 1 or more. Components: Frobenius norm of the error of
            the whole tensor, percent of the norm of DFT, and the row is the component with the largest error.
            Crystals with a DFT mean under `SMALLEST_MEAN` are left out.
        undrawn: number of crystals that have no place on logarithmic axes.
    """

    points: pd.DataFrame
    furthest: pd.DataFrame
    undrawn: int


def compare(target: str, facts: pd.DataFrame, dft: np.ndarray, predicted: np.ndarray) -> dict[str, Parity]:
    """Each of `QUANTITIES`; of the ionic part, whose smallest principal value is often zero, no anisotropy.

    Args:
        facts: material_id, formula and crystal_system, one row a crystal.
        dft, predicted: [n, 3, 3] tensors of the same crystals.
    """
    means = facts.assign(dft=diagonal_mean(dft), predicted=diagonal_mean(predicted))
    large = means["dft"] > SMALLEST_MEAN
    found = {
        MEAN: _on_logarithmic_axes(means, large),
        COMPONENTS: _each_component(facts, dft, predicted, large),
    }
    if target != "ionic":
        ratios = facts.assign(dft=anisotropy_ratios(dft), predicted=anisotropy_ratios(predicted))
        found[ANISOTROPY] = _on_logarithmic_axes(ratios, large)
    return found


def crowding(points: np.ndarray) -> np.ndarray:
    """[n, 2] places -> [n] number of points, itself included, in a circle of `RADIUS` of the axes around each."""
    if not len(points):
        return np.zeros(0, dtype=int)
    radius = RADIUS * max(float(np.ptp(points)), 1e-9)
    return cKDTree(points).query_ball_point(points, radius, return_length=True)


def _on_logarithmic_axes(rows: pd.DataFrame, large: pd.Series) -> Parity:
    points = _placed(rows[(rows[["dft", "predicted"]] > 0).all(axis=1)], np.log10)
    error = 10 ** (points["up"] - points["across"]).abs()
    furthest = points.assign(error=error)[large[points.index]].sort_values("error", ascending=False)
    return Parity(points=points, furthest=furthest, undrawn=len(rows) - len(points))


def _each_component(facts: pd.DataFrame, dft: np.ndarray, predicted: np.ndarray, large: pd.Series) -> Parity:
    norm = np.where(large, frobenius(dft), np.nan)
    facts = facts.assign(error=100 * frobenius(predicted - dft) / norm)
    rows = [
        facts.assign(component=name, dft=dft[:, i, j], predicted=predicted[:, i, j])
        for name, (i, j) in PLACES.items()
    ]
    points = _placed(pd.concat(rows, ignore_index=True), np.arcsinh)
    missed = (points["predicted"] - points["dft"]).abs()
    ordered = points.assign(missed=missed).sort_values(["error", "missed"], ascending=False)
    furthest = ordered.dropna(subset="error").drop_duplicates("material_id")
    return Parity(points=points.drop(columns="error"), furthest=furthest.drop(columns="missed"), undrawn=0)


def _placed(rows: pd.DataFrame, place: Callable[[np.ndarray], np.ndarray]) -> pd.DataFrame:
    across, up = place(rows["dft"].to_numpy()), place(rows["predicted"].to_numpy())
    return rows.assign(across=across, up=up, crowd=crowding(np.column_stack([across, up])))
