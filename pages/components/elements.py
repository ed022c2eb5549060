"""A periodic table with a value for each element, as a Plotly figure."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.colors import sample_colorscale, unlabel_rgb
from pymatgen.core import Element

from pages.components.charts import styled
from pages.components.colours import faint_grey

SCALE = "Cividis"
PALE = faint_grey(0.14)  # elements without a value, on a light and on a dark page
PALE_TEXT = {False: "#5c6770", True: "#98a3ac"}  # their symbols, by whether the page is dark
BLACK, WHITE = "#000000", "#ffffff"  # on any colour, one of them has a contrast of at least 4.5
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


def element_map(
    values: pd.Series, notes: pd.Series, label: str, *, absent: str, low: float, dark: bool = False
) -> go.Figure:
    """Each element in the colour of its value; those without one pale.

    Args:
        values: symbol -> value.
        notes: symbol -> what to read under the pointer, for the same elements.
        label: name and unit of the value.
        absent: the note of an element without a value.
        low: start of the colour scale.
        dark: whether the page is dark.
    """
    others = [symbol for symbol in CELLS if symbol not in values.index]
    high = float(values.quantile(TOP)) if len(values) else low + 1
    pale = _heat_map(others, [0.0] * len(others), [f"{symbol}: {absent}" for symbol in others])
    coloured = _heat_map(list(values.index), values.tolist(), notes.tolist())
    figure = go.Figure([pale, coloured])
    figure.update_traces(selector=0, colorscale=[[0, PALE], [1, PALE]], showscale=False)
    figure.update_traces(
        selector=1, colorscale=SCALE, zmin=low, zmax=high,
        colorbar={
            "title": {"text": label, "side": "top"}, "orientation": "h", "thickness": 10,
            "len": 0.42, "x": 0.39, "y": 0.8, "yanchor": "bottom", "outlinewidth": 0, "nticks": 6,
        },
    )  # fmt: skip
    inks = dict.fromkeys(others, PALE_TEXT[dark]) | dict(zip(values.index, _inks(values, low, high), strict=True))
    hidden = {"visible": False, "fixedrange": True}
    figure.update_xaxes(**hidden, range=[-0.5, COLUMNS - 0.5]).update_yaxes(**hidden, range=[ROWS - 0.5, -0.5])
    figure.update_layout(annotations=[_symbol(symbol, ink) for symbol, ink in inks.items()])
    return styled(figure, height=440, margin={"l": 0, "r": 0, "t": 28, "b": 0})


def contrast(first: float, second: float) -> float:
    """Contrast of two luminances, 1 to 21, as WCAG 2.2 defines it."""
    return (max(first, second) + 0.05) / (min(first, second) + 0.05)


def luminance(rgb: tuple[float, float, float]) -> float:
    """Relative luminance of a colour with channels from 0 to 255, as WCAG 2.2 defines it."""
    share = np.array(rgb) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def _inks(values: pd.Series, low: float, high: float) -> list[str]:
    """Black or white for each value, whichever is read better on its colour."""
    shares = ((values - low) / ((high - low) or 1.0)).clip(0, 1)
    lights = [luminance(unlabel_rgb(color)) for color in sample_colorscale(SCALE, shares.tolist())]
    return [WHITE if contrast(light, 1.0) > contrast(light, 0.0) else BLACK for light in lights]


def _symbol(symbol: str, ink: str) -> dict[str, Any]:
    row, column = CELLS[symbol]
    return {"text": symbol, "x": column, "y": row, "showarrow": False, "font": {"color": ink, "size": 12}}


def _heat_map(symbols: list[str], values: list[float], notes: list[str]) -> go.Heatmap:
    grid = np.full((ROWS, COLUMNS), np.nan)
    hover = np.full_like(grid, "", dtype=object)
    for symbol, value, note in zip(symbols, values, notes, strict=True):
        grid[CELLS[symbol]], hover[CELLS[symbol]] = value, note
    return go.Heatmap(
        z=grid, hovertext=hover, hovertemplate="%{hovertext}<extra></extra>", hoverongaps=False, xgap=2, ygap=2
    )
