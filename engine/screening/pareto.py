"""Candidates that no other is better than in both of two quantities."""

import numpy as np


def front(x: np.ndarray, y: np.ndarray, *, high_x: bool = True, high_y: bool = True) -> np.ndarray:
    """Positions of the points on the Pareto front, in the order of x; O(N log N).

    A point is on it if no other is at least as good in both quantities and better in one; equal points are on it
    together. A point that is not finite is not on it.

    Args:
        x, y: [N] each.
        high_x, high_y: whether a higher value is better.
    """
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    better_x, better_y = (1 if high_x else -1) * x[known], (1 if high_y else -1) * y[known]
    order = np.lexsort((-better_y, -better_x))  # the best x first, and of those the best y
    x_in_order, y_in_order = better_x[order], better_y[order]
    ahead = y_in_order > np.maximum.accumulate(np.concatenate([[-np.inf], y_in_order]))[:-1]
    same = (np.diff(x_in_order, prepend=np.nan) == 0) & (np.diff(y_in_order, prepend=np.nan) == 0)
    group = np.cumsum(~same) - 1  # equal points lie behind each other, and are on the front as the first is
    on_front = ahead[~same][group]
    found = known[order[on_front]]
    return found[np.argsort(x[found], kind="stable")]
