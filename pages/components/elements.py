"""A periodic table with a value for each element, as a Plotly figure."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from pymatgen.core import Element

from pages.components.charts import styled

GREY = "#8C8C8C"
PALE = "rgba(140,140,140,0.14)"  # elements without a value, on a light and on a dark page
TOP = 0.97  # quantile at the end of the colour scale: one far element leaves the others their colours


def _cell(element: Element) -> tuple[int, int]:
    """Row and column in the periodic table, from zero; lanthanides and actinides lie below it, after a gap."""
    if element.is_lanthanoid:
        return 8, element.Z - 55
    if element.is_actinoid:
        return 9, element.Z - 87
    return element.row - 1, element.group - 1


CELLS = {element.symbol: _cell(element) for element in map(Element.from_Z, range(1, 119))}
ROWS, COLUMNS = 10, 18


def element_map(values: pd.Series, notes: pd.Series, label: str, *, absent: str, low: float) -> go.Figure:
    """Each element in the colour of its value; those without one pale.

    Args:
        values: symbol -> value.
        notes: symbol -> what to read under the pointer, for the same elements.
        label: name and unit of the value.
        absent: the note of an element without a value.
        low: start of the colour scale.
    """
    others = [symbol for symbol in CELLS if symbol not in values.index]
    pale = _heat_map(others, [0.0] * len(others), [f"{symbol}: {absent}" for symbol in others])
    coloured = _heat_map(list(values.index), values.tolist(), notes.tolist())
    figure = go.Figure([pale, coloured])
    figure.update_traces(selector=0, colorscale=[[0, PALE], [1, PALE]], showscale=False, textfont_color=GREY)
    figure.update_traces(
        selector=1, colorscale="Cividis", zmin=low, zmax=values.quantile(TOP) if len(values) else low + 1,
        colorbar={
            "title": {"text": label, "side": "top"}, "orientation": "h", "thickness": 10,
            "len": 0.42, "x": 0.39, "y": 0.8, "yanchor": "bottom", "outlinewidth": 0, "nticks": 6,
        },
    )  # fmt: skip
    hidden = {"visible": False, "fixedrange": True}
    figure.update_xaxes(**hidden, range=[-0.5, COLUMNS - 0.5]).update_yaxes(**hidden, range=[ROWS - 0.5, -0.5])
    return styled(figure, height=440, margin={"l": 0, "r": 0, "t": 28, "b": 0})


def _heat_map(symbols: list[str], values: list[float], notes: list[str]) -> go.Heatmap:
    grid = np.full((ROWS, COLUMNS), np.nan)
    text, hover = np.full_like(grid, "", dtype=object), np.full_like(grid, "", dtype=object)
    for symbol, value, note in zip(symbols, values, notes, strict=True):
        grid[CELLS[symbol]], text[CELLS[symbol]], hover[CELLS[symbol]] = value, symbol, note
    return go.Heatmap(
        z=grid, text=text, texttemplate="%{text}", hovertext=hover, hovertemplate="%{hovertext}<extra></extra>",
        hoverongaps=False, xgap=2, ygap=2,
    )  # fmt: skip
