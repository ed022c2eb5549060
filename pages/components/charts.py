"""Data in, Plotly figure out; colours hold on a light and on a dark page."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pages.components.colours import CLEAR, COLORS, GREY, TENSOR_SCALES

AXES = ("x", "y", "z")
PAIRS = ("xx", "yy", "zz", "yz", "xz", "xy")  # Voigt's order
TICKS = [scale * step for scale in (0.01, 0.1, 1, 10, 100, 1000) for step in (1, 3)]  # of a logarithmic axis
ROOM = {"l": 10, "r": 10, "t": 75, "b": 10}  # pixels; above, for the buttons and two lines of legend
GAP = 0.03  # between the panels of three tensors, of their width together
PANEL = (1 - 2 * GAP) / 3
PLAIN = {
    "fixedrange": True, "showgrid": False, "zeroline": False, "ticks": "", "showline": False, "automargin": False,
}  # fmt: skip
TITLE = {  # above a panel
    "showarrow": False, "xref": "paper", "yref": "paper", "xanchor": "center", "yanchor": "bottom", "y": 1.0,
    "font": {"size": 13},
}  # fmt: skip
BACKBONES = {"pretrained": "pretrained potential", "distilled": "distilled, fast", "scratch": "from scratch"}


def tensor_panels(panels: dict[str, np.ndarray], *, dark: bool = False, limit: float | None = None) -> go.Figure:
    """Up to three 3x3 heat maps side by side, all on one colour scale around zero, numbers in the cells.

    Args:
        panels: title -> [3, 3] tensor.
        dark: whether the page is dark.
        limit: end of the colour scale, the largest entry if none is given.
    """
    limit = limit or max(float(np.abs(tensor).max()) for tensor in panels.values()) or 1.0
    layout: dict[str, Any] = {"annotations": []}
    heats = []
    for column, start in enumerate(np.arange(3) * (PANEL + GAP)):
        number = str(column + 1) if column else ""
        domain = [float(start), float(start + PANEL)]
        layout[f"xaxis{number}"] = PLAIN | {"domain": domain, "anchor": f"y{number}"}
        labels = {"showticklabels": False} if column else {}
        layout[f"yaxis{number}"] = (
            PLAIN | {"domain": [0, 1], "anchor": f"x{number}", "autorange": "reversed"} | labels
        )
        if column < len(panels):
            title, tensor = list(panels.items())[column]
            heat = _heat(tensor, AXES, AXES, title, limit, dark=dark)
            heats.append({"type": "heatmap", **heat, "xaxis": f"x{number}", "yaxis": f"y{number}"})
            layout["annotations"].append(TITLE | {"text": title, "x": sum(domain) / 2})
    look = _look(height=180, margin={"l": 22, "r": 6, "t": 26, "b": 30})
    return go.Figure(heats, layout | look)  # at once: one update after another takes three times as long


def voigt_matrix(matrix: np.ndarray, *, dark: bool = False) -> go.Figure:
    """A heat map of an elastic [6, 6] or piezoelectric [3, 6] matrix in Voigt's notation, numbers in the cells."""
    limit = float(np.abs(matrix).max()) or 1.0
    rows = PAIRS if len(matrix) == len(PAIRS) else AXES
    figure = go.Figure(go.Heatmap(_heat(matrix, PAIRS, rows, "", limit, dark=dark)))
    figure.update_xaxes(**PLAIN).update_yaxes(**PLAIN, autorange="reversed")
    return styled(figure, height=56 + 30 * len(matrix), margin={"l": 26, "r": 6, "t": 6, "b": 26})


def _heat(
    matrix: np.ndarray, columns: Sequence[str], rows: Sequence[str], title: str, limit: float, *, dark: bool
) -> dict[str, Any]:
    return {
        "z": matrix, "x": columns, "y": rows, "zmin": -limit, "zmax": limit, "colorscale": TENSOR_SCALES[dark],
        "xgap": 2, "ygap": 2, "text": [[_number(value) for value in row] for row in matrix],
        "texttemplate": "%{text}", "name": title, "textfont": {"size": 12}, "showscale": False,
        "hovertemplate": "%{y}%{x}: %{z:.4f}<extra></extra>",
    }  # fmt: skip


def loss_curve(epochs: Sequence[int], train: Sequence[float], validation: Sequence[float]) -> go.Figure:
    """Training and validation loss against the epoch, on a logarithmic axis."""
    figure = go.Figure()
    for name, values, color in (("training", train, COLORS[0]), ("validation", validation, COLORS[1])):
        figure.add_scatter(
            x=epochs, y=values, name=name, mode="lines+markers", line_color=color, marker_size=5,
            hovertemplate=f"{name}, epoch %{{x}}: %{{y:.4g}}<extra></extra>",
        )  # fmt: skip
    figure.update_yaxes(type="log", title="loss")
    figure.update_xaxes(title="epoch", rangemode="tozero")
    return styled(figure, height=330, legend=True)


def losses(runs: dict[str, Sequence[tuple[int, float]]]) -> go.Figure:
    """Loss against the epoch, a line a run, on a logarithmic axis."""
    figure = go.Figure()
    for color, (title, points) in zip(COLORS, runs.items(), strict=False):
        figure.add_scatter(
            x=[epoch for epoch, _ in points], y=[loss for _, loss in points], name=title, mode="lines+markers",
            line_color=color, marker_size=5, hovertemplate=f"{title}, epoch %{{x}}: %{{y:.4g}}<extra></extra>",
        )  # fmt: skip
    figure.update_yaxes(type="log", title="validation loss")
    figure.update_xaxes(title="epoch", rangemode="tozero")
    return styled(figure, height=300, legend=True)


def parity(frame: pd.DataFrame) -> go.Figure:
    """Predicted against DFT means of the diagonal, both axes logarithmic, with the line of equality."""
    figure = go.Figure()
    values = frame[["dft", "predicted"]].to_numpy()
    low, high = max(values.min(), 1e-2) * 0.9, values.max() * 1.1
    figure.add_scatter(
        x=[low, high], y=[low, high], mode="lines", line={"color": GREY, "dash": "dot", "width": 1},
        showlegend=False, hoverinfo="skip",
    )  # fmt: skip
    for color, (target, rows) in zip(COLORS, frame.groupby("target"), strict=False):
        names = rows["formula"] + " " + rows["material_id"].fillna("")
        figure.add_scatter(
            x=rows["dft"], y=rows["predicted"], mode="markers", name=target, text=names,
            marker={"color": color, "size": 6, "opacity": 0.6},
            hovertemplate="%{text}<br>DFT %{x:.3g}, predicted %{y:.3g}<extra></extra>",
        )  # fmt: skip
    limits = [float(np.log10(low)), float(np.log10(high))]
    log = {"type": "log", "range": limits, "tickvals": TICKS, "ticktext": [f"{tick:g}" for tick in TICKS]}
    figure.update_xaxes(**log, title="mean permittivity, DFT")
    figure.update_yaxes(**log, title="mean permittivity, predicted")
    return styled(figure, height=330, legend=True)


def styled(
    figure: go.Figure, *, height: int, legend: bool = False, margin: dict[str, int] | None = None
) -> go.Figure:
    """The look that all charts share, with room for a legend above."""
    return figure.update_layout(_look(height=height, legend=legend, margin=margin))


def _look(*, height: int, legend: bool = False, margin: dict[str, int] | None = None) -> dict[str, Any]:
    return {
        "height": height,
        "margin": margin or {"l": 10, "r": 10, "t": 30, "b": 10},
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
        "showlegend": legend,
        "hoverlabel": {"namelength": 0},  # Plotly's box of the name is white, on a dark page too
        "modebar": {"bgcolor": CLEAR, "color": GREY, "activecolor": COLORS[0]},
        "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0.0, "title": {"text": ""}},
    }


def _number(value: float) -> str:
    """Three significant digits or so, a zero without sign, a true minus."""
    size = abs(value)
    text = f"{value:.2f}" if size < 9.995 else f"{value:.1f}" if size < 99.95 else f"{value:.0f}"
    return "0" if float(text) == 0 else text.replace("-", "−")
