"""Figures of the Explore page: rows of the table of materials in, Plotly figure out."""

import math
from itertools import pairwise

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from engine.data.histograms import bin_counts
from pages.components.charts import styled
from pages.components.colours import CLEAR, COLORS, SYSTEM_COLORS, faint_grey
from pages.components.elements import CELLS, TOP, element_map

AXIS_LABELS = {
    "n": "refractive index n",
    "electronic": "electronic permittivity",
    "ionic": "ionic permittivity",
    "total": "total permittivity",
    "anisotropy": "electronic anisotropy ratio",
    "birefringence": "birefringence Δn",
    "band_gap": "PBE band gap (eV)",
    "natoms": "atoms in the cell",
}
BEHIND = faint_grey(0.45)  # all crystals, behind those that pass
MANY = 2000  # points from which on WebGL draws faster than SVG
HELD = COLORS[5]  # frame around an element that the crystals must hold


def scatter(frame: pd.DataFrame, names: pd.Series, x: str, y: str, *, log: bool) -> go.Figure:
    """Two quantities of the materials, coloured by crystal system; `customdata` is the row's index.

    Args:
        names: what stands first under the pointer, a text for each row of `frame`.
    """
    figure = go.Figure()
    rows = frame.dropna(subset=[x, y])
    add = figure.add_scattergl if len(rows) > MANY else figure.add_scatter
    for system, color in SYSTEM_COLORS.items():
        part = rows[rows["crystal_system"] == system]
        if part.empty:
            continue
        add(
            x=part[x], y=part[y], mode="markers", name=system, customdata=part.index.to_numpy(),
            text=names[part.index], marker={"color": color, "size": 6, "opacity": 0.8},
            selected={"marker": {"size": 14, "opacity": 1.0}}, unselected={"marker": {"opacity": 0.4}},
            hovertemplate=f"%{{text}}<br>{AXIS_LABELS[x]}: %{{x:.3g}}<br>{AXIS_LABELS[y]}: %{{y:.3g}}"
            f"<br>{system}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(**axis_scale(rows[x], log), title=AXIS_LABELS[x])
    figure.update_yaxes(**axis_scale(rows[y], log), title=AXIS_LABELS[y])
    figure = styled(figure, height=460, legend=True, margin={"l": 10, "r": 40, "t": 60, "b": 10})
    return figure.update_layout(clickmode="event+select", dragmode="pan", modebar_orientation="v")


def overview(frame: pd.DataFrame, names: pd.Series) -> go.Figure:
    """Refractive index against band gap, to point at and to click, and not in the way of scrolling."""
    figure = scatter(frame, names, "n", "band_gap", log=True)
    return figure.update_xaxes(fixedrange=True).update_yaxes(fixedrange=True).update_layout(dragmode=False)


def axis_scale(values: pd.Series, log: bool) -> dict[str, object]:
    """Kind of axis; a logarithmic one has ticks at 1, 2 and 5, of less than a decade at each digit."""
    positive = values[values > 0]
    if not log or positive.empty or positive.max() < 2 * positive.min():
        return {"type": "linear"}
    decades = range(math.floor(np.log10(positive.min())), math.ceil(np.log10(positive.max())) + 1)
    digits = (1, 2, 5) if positive.max() > 10 * positive.min() else range(1, 10)
    ticks = [float(f"{first}e{decade}") for decade in decades for first in digits]
    return {"type": "log", "tickvals": ticks, "ticktext": [f"{tick:g}" for tick in ticks]}


def distribution(column: str, every: pd.Series, passing: pd.Series, edges: np.ndarray) -> go.Figure:
    """Share of the passing crystals in each bin, and of all crystals in grey behind; to be brushed.

    Args:
        every: values of all crystals.
        passing: values of those that pass.
        edges: [bins + 1] of `histograms.bin_edges`.
    """
    figure = go.Figure()
    if len(passing) < len(every):
        figure.add_trace(_bars(every, edges, BEHIND, "of all crystals"))
    figure.add_trace(_bars(passing, edges, COLORS[0], "of the crystals that pass"))
    figure.update_xaxes(title=AXIS_LABELS[column], fixedrange=True, range=[edges[0], edges[-1]])
    figure.update_yaxes(title="share (%)", fixedrange=True, rangemode="tozero")
    figure = styled(figure, height=235)
    return figure.update_layout(barmode="overlay", bargap=0, dragmode="select", selectdirection="h")


def element_filter(table: pd.DataFrame, label: str, held: tuple[str, ...], *, dark: bool = False) -> go.Figure:
    """Periodic table that can be clicked: `customdata` is the symbol; the elements `held` are framed.

    Args:
        table: of `histograms.by_element`; coloured by its median, or by its count where it has none.
        label: name of what colours it.
        dark: whether the page is dark.
    """
    values = (table["median"] if "median" in table else table["crystals"]).dropna()
    notes = table["crystals"].map("{:,} crystals".format)[values.index]
    if "median" in table:
        notes = values.map(f"{label} {{:.3g}}, ".format) + notes
    notes = notes.index + ": " + notes
    low = float(values.quantile(1 - TOP)) if "median" in table and len(values) else 0.0
    figure = element_map(values, notes, label, absent="no crystal", low=low, dark=dark)
    return _clickable(figure, notes, held)


def _clickable(figure: go.Figure, notes: pd.Series, held: tuple[str, ...]) -> go.Figure:
    """Clear bars over the cells: a heat map itself tells nobody which cell was clicked."""
    symbols = list(CELLS)
    rows, columns = np.array([CELLS[symbol] for symbol in symbols]).T
    figure.update_traces(hoverinfo="skip", hovertemplate=None)
    figure.add_bar(
        x=columns, y=np.full(len(symbols), 0.9), base=rows - 0.45, width=0.94, customdata=symbols,
        hovertext=[notes.get(symbol, f"{symbol}: no crystal") for symbol in symbols],
        hovertemplate="%{hovertext}<extra></extra>",
        marker={"color": CLEAR, "line": {"color": HELD, "width": [4 * (symbol in held) for symbol in symbols]}},
        selected={"marker": {"opacity": 1}}, unselected={"marker": {"opacity": 1}},
    )  # fmt: skip
    return figure.update_layout(clickmode="event+select", dragmode=False)


def _bars(values: pd.Series, edges: np.ndarray, color: str, whose: str) -> go.Bar:
    counts = bin_counts(values, edges)
    known = counts.sum()
    last = len(counts) - 1
    bins = [
        f"{low:g} and more" if bin == last else f"{low:g} to {high:g}"
        for bin, (low, high) in enumerate(pairwise(edges))
    ]
    return go.Bar(
        x=(edges[:-1] + edges[1:]) / 2, y=100 * counts / max(known, 1), width=0.94 * np.diff(edges),
        marker={"color": color, "line": {"width": 0}}, customdata=np.stack([bins, counts.astype(str)], axis=1),
        hovertemplate=f"%{{customdata[0]}}: %{{y:.1f}} % {whose} (%{{customdata[1]}} of {known:,})<extra></extra>",
    )  # fmt: skip
