"""The inputs that choose crystals; their state stands in the address, so that a filter can be shared."""

import math

import pandas as pd
import streamlit as st

from engine.crystals.material import CRYSTAL_SYSTEMS
from engine.data.table_filter import WORDS, Filter, Range
from pages.components.explore.scatter_charts import AXIS_LABELS

LISTS = ("source", "system", "group", "holds", "without", "only")  # keys, the names in the address too
FIRST = ("n", "band_gap", "natoms")
WHOLE = "natoms"
WIDE, NARROW = 110, 94  # pixels of a field; two fit side by side, also on a phone


def chosen_filter(rows: pd.DataFrame) -> Filter:
    """Draw the inputs for a table of materials; the filter that they stand for."""
    symbols = sorted({symbol for elements in rows["elements"] for symbol in elements})
    holds = _choice("Holds all of these elements", symbols, "holds", "any")
    without = _choice("Holds none of these", symbols, "without", "none")
    only = _choice("Holds nothing but these", symbols, "only", "any")
    systems = _choice("Crystal system", list(reversed(CRYSTAL_SYSTEMS)), "system", "all")
    groups = _choice("Space group", sorted(set(rows["space_group"])), "group", "all")
    tensor = st.toggle("With a DFT tensor", key="tensor", bind="query-params")
    sources = _choice("Data set", list(dict.fromkeys(rows["source"])), "source", "all")
    ranges = {column: _between(rows[column], column, WIDE) for column in FIRST}
    others = [column for column in WORDS if column not in FIRST]
    with st.expander("More quantities", expanded=any(map(_is_set, others))):
        ranges |= {column: _between(rows[column], column, NARROW) for column in others}
    return Filter(
        sources=sources, crystal_systems=systems, space_groups=groups, holds=holds, without=without, only=only,
        tensor=tensor, ranges=ranges,
    )  # fmt: skip


def reset() -> None:
    """Ask for nothing (a callback)."""
    for key in LISTS:
        st.session_state[key] = []
    st.session_state.tensor = False
    for column in WORDS:
        set_range(column, (None, None))


def toggle_element(symbol: str) -> None:
    """The crystals must hold this element, or no longer need to (a callback)."""
    held = st.session_state.get("holds", [])
    st.session_state.holds = [s for s in held if s != symbol] if symbol in held else [*held, symbol]
    st.session_state.without = [s for s in st.session_state.get("without", []) if s != symbol]


def set_range(column: str, limits: Range) -> None:
    """Put a range into its inputs (a callback)."""
    low, high = limits
    if column == WHOLE:
        low, high = (None if low is None else math.ceil(low), None if high is None else math.floor(high))
    st.session_state[f"{column}_from"], st.session_state[f"{column}_to"] = low, high


def _choice(label: str, options: list[str], key: str, empty: str) -> tuple[str, ...]:
    return tuple(
        st.multiselect(
            label, options, key=key, placeholder=empty, bind="query-params", select_all=False, filter_mode="prefix"
        )
    )


def _between(values: pd.Series, column: str, width: int) -> Range:
    """Two fields, each of which may stay empty."""
    label = AXIS_LABELS[column]
    with st.container(gap="xxsmall"):
        st.markdown(f":small[{label[0].upper()}{label[1:]}]")
        with st.container(horizontal=True, gap="xsmall"):
            low = _limit(f"{label}, from", f"{column}_from", f"from {values.min():.3g}", column, width)
            high = _limit(f"{label}, to", f"{column}_to", f"to {values.max():.3g}", column, width)
    return low, high


def _limit(label: str, key: str, placeholder: str, column: str, width: int) -> float | None:
    return st.number_input(
        label, value=None, step=1 if column == WHOLE else 0.1, format=None if column == WHOLE else "%.4g", key=key,
        placeholder=placeholder, label_visibility="collapsed", bind="query-params", width=width,
    )  # fmt: skip


def _is_set(column: str) -> bool:
    return any(st.session_state.get(f"{column}_{side}") is not None for side in ("from", "to"))
