"""Figures of the Model page, predicted against DFT: tables of `engine.evaluation.parity` in, Plotly figure out."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.colors import sample_colorscale

from engine.evaluation.parity import ANISOTROPY, COMPONENTS, MEAN, PLACES, RADIUS, Parity
from pages.components.charts import styled
from pages.components.colours import COLORS, GREY, SYSTEM_COLORS
from pages.components.model.error_charts import equality
from pages.components.model.naming import offsets

COMPONENT_COLORS = dict(zip(PLACES, COLORS, strict=False))
LABELS = {MEAN: "mean {} permittivity", COMPONENTS: "{} permittivity component", ANISOTROPY: "{} anisotropy ratio"}
TICKS = {
    MEAN: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000],
    COMPONENTS: [-300, -100, -30, -10, -3, 0, 3, 10, 30, 100, 300],
    ANISOTROPY: [1, 1.5, 2, 3, 5, 7, 10, 15, 20, 30, 50, 100],
}
SECTIONS = {False: (0.0, 0.92), True: (0.35, 1.0)}  # of the colour scale, to be seen on a light and on a dark page
INK = {False: "#1c2b36", True: "#e3eaf0"}  # names on a light and on a dark page, and what is behind them
BEHIND = {False: "rgba(255,255,255,0.75)", True: "rgba(11,17,23,0.75)"}
COUNTS = np.array([1, 3, 10, 30, 100, 300, 1000, 3000])
NAMED = 5  # crystals
ROOM = {"l": 10, "r": 40, "t": 48, "b": 10}  # pixels; above for the legend, on the right for the buttons
HEIGHT = 500


def by_group(parity: Parity, target: str, quantity: str, listed: int, *, dark: bool) -> go.Figure:
    """Points coloured by crystal system, components by component; the `listed` furthest off are marked.

    `customdata` of a point begins with its material's ID.
    """
    by, colors = ("component", COMPONENT_COLORS) if quantity == COMPONENTS else ("crystal_system", SYSTEM_COLORS)
    traces = [
        _points(part, {"color": color, "opacity": 0.6}, name)
        for name, color in colors.items()
        if len(part := parity.points[parity.points[by] == name])
    ]
    return _name(_figure(parity, traces, target, quantity), parity, listed, dark)


def by_density(parity: Parity, target: str, quantity: str, listed: int, *, dark: bool) -> go.Figure:
    """The same, coloured by the number of points around each; the most crowded in front."""
    rows = parity.points.sort_values("crowd")
    ticks = COUNTS[rows["crowd"].max() >= COUNTS]
    marker = {
        "color": np.log10(rows["crowd"]), "opacity": 0.9, "cmin": 0,
        "colorscale": sample_colorscale("Cividis", np.linspace(*SECTIONS[dark], 12)),
        "colorbar": {
            "title": {"text": f"points within {100 * RADIUS:.0f} % of the axis length", "side": "top"},
            "orientation": "h", "thickness": 10, "len": 0.9, "x": 0.0, "xanchor": "left", "y": 1.0,
            "yanchor": "bottom", "ypad": 0, "outlinewidth": 0, "tickangle": 0, "ticktext": ticks,
            "tickvals": np.log10(ticks),
        },
    }  # fmt: skip
    figure = _figure(parity, [_points(rows, marker, "")], target, quantity)
    return _name(figure, parity, listed, dark).update_layout(showlegend=False)


def _figure(parity: Parity, traces: list[go.Scattergl], target: str, quantity: str) -> go.Figure:
    places = parity.points[["across", "up"]].to_numpy()
    low, high = (places.min(), places.max()) if len(places) else (0.0, 1.0)
    edge = 0.04 * max(high - low, 1e-9)
    limits = np.array([low - edge, high + edge])
    figure = go.Figure([equality(*limits), *traces])
    label = LABELS[quantity].format(target)
    axes = {"range": limits, "tickangle": 0, "zeroline": False} | _ticks(quantity, limits)
    figure.update_xaxes(**axes, title=f"{label}, DFT").update_yaxes(**axes, title=f"{label}, predicted")
    figure = styled(figure, height=HEIGHT, legend=True, margin=ROOM)
    return figure.update_layout(clickmode="event+select", dragmode="pan", modebar_orientation="v")


def _points(rows: pd.DataFrame, marker: dict[str, Any], name: str) -> go.Scattergl:
    return go.Scattergl(
        x=rows["across"], y=rows["up"], mode="markers", name=name, marker={"size": 6} | marker,
        text=rows["formula"] + " " + rows["material_id"], showlegend=bool(name),
        customdata=rows[["material_id", "dft", "predicted", "crowd"]],
        hovertemplate="%{text}<br>DFT %{customdata[1]:.3g}, predicted %{customdata[2]:.3g}"
        f"<br>{name or '%{customdata[3]} points around'}<extra></extra>",
    )  # fmt: skip


def _name(figure: go.Figure, parity: Parity, listed: int, dark: bool) -> go.Figure:
    """Circles around the points that are furthest off, and the names of some; the points are still clicked."""
    far = parity.furthest.head(listed)
    figure.add_scatter(
        x=far["across"], y=far["up"], mode="markers", name="furthest off", hoverinfo="skip",
        marker={"symbol": "circle-open", "size": 12, "color": GREY, "line": {"width": 1.5}},
    )  # fmt: skip
    low, high = figure.layout.xaxis.range
    places, every = ((rows[["across", "up"]].to_numpy() - low) / (high - low) for rows in (far, parity.points))
    names = far["formula"].tolist()
    for row, (right, up) in offsets(places, names, every, NAMED).items():
        figure.add_annotation(
            x=far["across"].iloc[row], y=far["up"].iloc[row], ax=right, ay=-up, text=names[row], standoff=6,
            arrowhead=0, arrowwidth=1, arrowcolor=GREY, font_color=INK[dark], bgcolor=BEHIND[dark], borderpad=0,
        )  # fmt: skip
    return figure


def _ticks(quantity: str, limits: np.ndarray) -> dict[str, object]:
    values = np.array(TICKS[quantity])
    places = np.arcsinh(values) if quantity == COMPONENTS else np.log10(values)
    shown = (limits[0] <= places) & (places <= limits[1])
    return {"tickvals": places[shown], "ticktext": [f"{value:g}".replace("-", "−") for value in values[shown]]}
