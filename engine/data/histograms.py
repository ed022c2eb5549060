"""How a quantity is spread over crystals: by element, and in the bins of a histogram."""

import numpy as np
import pandas as pd

BINS = 32  # of a histogram, about
TOP = 0.97  # quantile; the last bin holds all above it too
_ROUND = (1.0, 2.0, 5.0, 10.0)


def by_element(rows: pd.DataFrame, column: str | None = None) -> pd.DataFrame:
    """For each element (the index) the number of `crystals` that hold it and the `median` of a column over them.

    Args:
        rows: one a crystal, with a column `elements` of symbols.
        column: what to take the median of; None gives no such column.
    """
    groups = rows.explode("elements").groupby("elements")
    table = pd.DataFrame({"crystals": groups.size()})
    return table if column is None else table.assign(median=groups[column].median())


def bin_edges(values: pd.Series) -> np.ndarray:
    """[bins + 1] edges of bins with a round width, from the smallest value to the `TOP` quantile.

    Whole numbers lie in the middle of their bins, so that an edge never is one of them.
    """
    known = values.dropna().astype(float)
    low, top = float(known.min()), float(known.quantile(TOP))
    whole = bool((known % 1 == 0).all())
    width = _round_width(max((top - low) / BINS, 1.0 if whole else 1e-6))
    start = low - 0.5 if whole else width * np.floor(low / width + 1e-9)
    bins = max(int(np.ceil((top - start) / width - 1e-9)), 1)
    return (start + width * np.arange(bins + 1)).round(9)


def bin_counts(values: pd.Series, edges: np.ndarray) -> np.ndarray:
    """[bins] numbers of crystals; unknown values are left out, those above the last edge are in the last bin."""
    return np.histogram(values.dropna().clip(upper=edges[-1]), edges)[0]


def snapped(low: float, high: float, edges: np.ndarray) -> tuple[float | None, float | None]:
    """The range of whole bins nearest to a drawn one, at least one bin; None on a side that reaches the end."""
    first = min(int(np.abs(edges - low).argmin()), len(edges) - 2)
    last = max(int(np.abs(edges - high).argmin()), first + 1)
    return (
        None if first == 0 else float(edges[first]),
        None if last == len(edges) - 1 else float(edges[last]),
    )


def _round_width(least: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is not below `least`."""
    power = 10.0 ** np.floor(np.log10(least))
    return float(next(step for step in _ROUND if step * power >= least * (1 - 1e-9)) * power)
