"""How a model did on crystals whose formula it never saw: out-of-fold predictions against DFT, as tables."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from engine.crystals.material import CRYSTAL_SYSTEMS, Material
from engine.data.datasets import label
from engine.errors import EngineError
from engine.evaluation.judging import hard_groups
from engine.evaluation.parity import Parity, compare
from engine.files import RESULTS_FOLDER, read_json
from engine.model.checkpoint import CARD
from engine.model.out_of_fold import OutOfFold
from engine.tensors.metrics import SMALLEST_MEAN, TargetMetrics, diagonal_mean, entries_in_range, target_metrics

LEARNING_CURVE = RESULTS_FOLDER / "learning_curve.json"
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
ALL = "all crystals"
SYSTEMS = tuple(reversed(CRYSTAL_SYSTEMS))
ROUNDING = 1e-6  # levels are kept in single precision
_FACTS = ["material_id", "formula", "crystal_system", "elements", "n", "band_gap"]
_INDEX_EDGES = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, np.inf)
_INDEX_BINS = ("under 1.5", "1.5 to 2", "2 to 2.5", "2.5 to 3", "3 to 4", "over 4")


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """One target of a model, over the crystals with a sound DFT tensor.

    Attributes:
        metrics: errors over the crystals with every DFT entry below 100.
        crystals: one row a crystal: material_id, formula, crystal_system, elements, n, band_gap, the predicted
            means of the `electronic` and the `ionic` tensor, the means of the diagonal `dft` and `predicted`,
            `error` (relative to DFT, percent; nan where DFT is too small for that), `inside` (whether the interval
            holds the DFT mean) and `level` (see `OutOfFold`).
        parity: see `parity.compare`.
        by_element: see `error_by_element`.
        by_crystal_system, by_index: see `spread`; by_index has bins of the refractive index.
        calibration: see `calibration_curve`.
        coverage: see `coverage`.
    """

    metrics: TargetMetrics
    crystals: pd.DataFrame
    parity: dict[str, Parity]
    by_element: pd.DataFrame
    by_crystal_system: pd.DataFrame
    by_index: pd.DataFrame
    calibration: pd.DataFrame
    coverage: pd.DataFrame


def judge(predictions: OutOfFold, materials: Sequence[Material]) -> dict[str, Judged]:
    """Each target of the model against the DFT tensors of those `materials` that it was judged on."""
    known = {material.material_id: material for material in materials}
    return {target: _judge_target(target, predictions, known) for target in predictions.tensors}


def error_by_element(crystals: pd.DataFrame) -> pd.DataFrame:
    """For each element (the index) the number of crystals that hold it and their median error, percent."""
    groups = crystals.explode("elements").groupby("elements")
    return pd.DataFrame({"crystals": groups.size(), "error": groups["error"].median()})


def spread(crystals: pd.DataFrame, group: pd.Series, order: Sequence[str]) -> pd.DataFrame:
    """For each group (the index) the number of crystals and a column for each of `QUANTILES` of the error.

    Args:
        group: the group of each row of `crystals`.
        order: groups from first to last; those without a crystal are left out.
    """
    groups = crystals.groupby(group)["error"]
    table = groups.quantile(np.array(QUANTILES)).unstack().assign(crystals=groups.size())
    return table.reindex([name for name in order if name in table.index])


def calibration_curve(level: pd.Series) -> pd.DataFrame:
    """Share of crystals whose DFT mean lies in the interval of each `nominal` level, as `observed`, both percent.

    Args:
        level: the smallest level whose interval holds the crystal's DFT mean; nan is left out.
    """
    nominal = np.linspace(0, 1, 101)
    known = np.sort(level.dropna())
    observed = np.searchsorted(known, nominal - ROUNDING) / max(len(known), 1)
    return pd.DataFrame({"nominal": 100 * nominal, "observed": 100 * observed})


def coverage(crystals: pd.DataFrame) -> pd.DataFrame:
    """`crystals` and percent `inside` their interval, of `ALL`, each crystal system and each of `hard_groups`."""
    gap, electronic, ionic = (crystals[name].to_numpy(float) for name in ("band_gap", "electronic", "ionic"))
    members = {ALL: np.ones(len(crystals), bool)}
    members |= {system: crystals["crystal_system"].to_numpy() == system for system in SYSTEMS}
    members |= hard_groups(gap, electronic, ionic)
    rows = {
        group: [chosen.sum(), 100 * crystals["inside"][chosen].mean()]
        for group, chosen in members.items()
        if chosen.any()
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=["crystals", "inside"])


def read_learning_curve(path: Path = LEARNING_CURVE) -> pd.DataFrame | None:
    """Errors against the number of training crystals, None where they were not measured.

    One row a training and target: backbone, crystals and the fields of `TargetMetrics`, over crystals with
    entries under 100.

    Raises:
        EngineError: the file is damaged.
    """
    if not path.is_file():
        return None
    try:
        rows = [
            {**metrics, "backbone": curve["backbone"], "crystals": curve["crystals"]}
            for curve in read_json(path)["curves"]
            for metrics in curve["metrics_in_range"]
        ]
        return pd.DataFrame(rows).sort_values(["backbone", "crystals"], ignore_index=True)
    except (KeyError, TypeError) as error:
        command = f"python -m engine evaluate --benchmark learning-curve --json {path}"
        raise EngineError(f"{path}: is damaged; measure it again with {command}") from error


def model_card(folder: Path) -> str:
    """The model's card without its title and comments, Markdown; empty where there is none."""
    path = folder / CARD
    text = path.read_text().partition("\n")[2] if path.is_file() else ""
    return re.sub(r"<!--.*?-->\n?", "", text, flags=re.DOTALL).strip()


def _judge_target(target: str, predictions: OutOfFold, known: dict[str | None, Material]) -> Judged:
    sound = [
        (row, known[name])
        for row, name in enumerate(predictions.material_id)
        if name in known and label(known[name], target) is not None
    ]
    rows = [row for row, _ in sound]
    facts = pd.DataFrame([[getattr(material, name) for name in _FACTS] for _, material in sound], columns=_FACTS)
    dft = np.array([label(material, target) for _, material in sound]).reshape(-1, 3, 3)
    predicted = predictions.tensors[target][rows]
    in_range = entries_in_range(dft)
    means = {"dft": diagonal_mean(dft), "predicted": diagonal_mean(predicted)}
    low, high = predictions.interval[target][rows].T
    parts = {
        part: diagonal_mean(predictions.tensors[part][rows]) if part in predictions.tensors else np.nan
        for part in ("electronic", "ionic")
    }
    crystals = facts.assign(
        **parts,
        **means,
        error=_relative_error(**means),
        inside=(low <= means["dft"]) & (means["dft"] <= high),
        level=predictions.level[target][rows],
    )
    return Judged(
        metrics=target_metrics(target, predicted[in_range], dft[in_range]),
        crystals=crystals,
        parity=compare(target, facts[["material_id", "formula", "crystal_system"]], dft, predicted),
        by_element=error_by_element(crystals),
        by_crystal_system=spread(crystals, crystals["crystal_system"], SYSTEMS),
        by_index=spread(crystals, _index_bin(crystals["n"]), _INDEX_BINS),
        calibration=calibration_curve(crystals["level"]),
        coverage=coverage(crystals),
    )


def _index_bin(n: pd.Series) -> pd.Series:
    return pd.cut(n.astype(float), _INDEX_EDGES, labels=_INDEX_BINS, right=False).astype(object)


def _relative_error(dft: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    large = dft > SMALLEST_MEAN
    return np.where(large, 100 * np.abs(predicted - dft) / np.where(large, dft, 1.0), np.nan)
