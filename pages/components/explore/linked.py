"""Charts that show the effect of the filters and filter when they are clicked or brushed."""

from functools import partial

import pandas as pd
import streamlit as st

from engine.data.histograms import bin_edges, by_element, snapped
from engine.data.table_filter import Filter
from pages.components import cached
from pages.components.explore import filters, scatter_charts
from pages.components.explore.scatter_charts import AXIS_LABELS
from pages.components.widgets import PLOT

BRUSHED = ("n", "band_gap", "ionic", "total", "anisotropy", "natoms")
COUNT = "crystals"
CONFIG = PLOT | {"doubleClick": False}


def elements(rows: pd.DataFrame, wanted: Filter) -> None:
    """Periodic table of the crystals that pass; a click filters."""
    choices = [COUNT, *cached.columns_with_values(rows, list(AXIS_LABELS))]
    chosen = st.selectbox("Colour", choices, format_func=_colour, key="colour", bind="query-params", width=320)
    figure = scatter_charts.element_filter(
        by_element(rows, None if chosen == COUNT else chosen), _colour(chosen), wanted.holds,
        dark=st.context.theme.type == "dark",
    )  # fmt: skip
    st.plotly_chart(
        figure, key="elements", on_select=_clicked, selection_mode="points", config=CONFIG,
        alt=f"Periodic table coloured by {_colour(chosen)}",
    )  # fmt: skip
    st.caption(
        "Of the crystals that pass the filters and hold the element. Click an element: the crystals must hold it "
        "(framed). Click it again: they need not. From the keyboard, use the field on the left."
    )


def distributions(rows: pd.DataFrame, everything: pd.DataFrame) -> None:
    """A histogram a quantity, each of which filters."""
    for place, column in zip(st.columns(3) * 2, BRUSHED, strict=True):
        edges = bin_edges(everything[column])
        figure = scatter_charts.distribution(column, everything[column], rows[column], edges)
        place.plotly_chart(
            figure, key=f"histogram-{column}", on_select=partial(_brushed, column), selection_mode="box",
            config=CONFIG, alt=f"Distribution of {AXIS_LABELS[column]}",
        )  # fmt: skip
    st.caption(
        "Blue: share of the crystals that pass, of those whose value is known; grey: of all crystals. The last "
        "bar holds all above it. Draw across a histogram to keep a range; the fields on the left change it."
    )


def _colour(choice: str) -> str:
    return "number of crystals" if choice == COUNT else f"median {AXIS_LABELS[choice]}"


def _clicked() -> None:
    known = {symbol for held in cached.table()["elements"] for symbol in held}
    for point in st.session_state["elements"]["selection"]["points"]:
        if point["customdata"] in known:
            filters.toggle_element(point["customdata"])


def _brushed(column: str) -> None:
    boxes = st.session_state[f"histogram-{column}"]["selection"]["box"]
    if boxes:
        low, high = sorted(boxes[-1]["x"])
        filters.set_range(column, snapped(low, high, bin_edges(cached.table()[column])))
