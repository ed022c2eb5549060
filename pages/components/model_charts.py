"""Figures of the Model page: tables of `engine.report` in, Plotly figure out."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from engine.report import COMPONENTS, QUANTILES
from pages.components.charts import BACKBONES, COLORS, ROOM, SYSTEM_COLORS, styled
from pages.components.elements import GREY, element_map

COMPONENT_COLORS = dict(zip(COMPONENTS, COLORS, strict=False))
TARGET_COLORS = dict(zip(("electronic", "ionic", "total"), COLORS, strict=False))
BACKBONE_COLORS = dict(zip(BACKBONES, COLORS, strict=False))
Place = Callable[[np.ndarray], np.ndarray]  # value -> where it is drawn
ERROR_LABEL = "error of the mean (%)"
TICKS = [-300, -100, -30, -10, -3, 0, 3, 10, 30, 100, 300]  # of components
LOG_TICKS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000]  # of means


def mean_parity(crystals: pd.DataFrame, target: str) -> go.Figure:
    """Predicted against DFT mean of the diagonal on logarithmic axes, coloured by crystal system."""
    drawn = crystals[(crystals["dft"] > 0) & (crystals["predicted"] > 0)]
    figure = _parity(drawn, "crystal_system", SYSTEM_COLORS, f"{target} mean", np.log10)
    return _ticks(figure, LOG_TICKS, np.log10)


def component_parity(components: pd.DataFrame, target: str) -> go.Figure:
    """Predicted against DFT components, coloured by component; axes like a logarithm on both sides of zero."""
    figure = _parity(components, "component", COMPONENT_COLORS, f"{target} component", np.arcsinh)
    return _ticks(figure, TICKS, np.arcsinh)


def periodic_table(errors: pd.DataFrame) -> go.Figure:
    """Median error over the crystals that hold each element, see `error_by_element`; other elements pale."""
    held = errors.dropna(subset="error")
    notes = [f"{row.Index}: {row.error:.1f} %, {row.crystals} crystals" for row in held.itertuples()]
    return element_map(
        held["error"], pd.Series(notes, held.index), f"median {ERROR_LABEL}", absent="none judged", low=0.0
    )


def spread(table: pd.DataFrame, label: str) -> go.Figure:
    """A box for each row of a table of `engine.report.spread`; whiskers at the outer quantiles."""
    low, first, middle, third, high = (table[quantile] for quantile in QUANTILES)
    names = [f"{name}<br>({count})" for name, count in table["crystals"].items()]
    figure = go.Figure(
        go.Box(
            x=names, lowerfence=low, q1=first, median=middle, q3=third, upperfence=high, line_width=1.5,
            marker_color=COLORS[0], showlegend=False,
        )
    )  # fmt: skip
    figure.update_xaxes(title=f"{label} (crystals)", fixedrange=True)
    figure.update_yaxes(title=ERROR_LABEL, rangemode="tozero", fixedrange=True)
    return styled(figure, height=360)


def calibration(curves: dict[str, pd.DataFrame]) -> go.Figure:
    """Observed share against nominal level, target -> `calibration_curve`, with the line of equality."""
    figure = go.Figure(_equality(0, 100))
    for target, curve in curves.items():
        figure.add_scatter(
            x=curve["nominal"], y=curve["observed"], mode="lines", name=target,
            line={"color": TARGET_COLORS[target], "width": 2},
            hovertemplate="%{x:.0f} % interval holds %{y:.1f} %<extra>" + target + "</extra>",
        )  # fmt: skip
    figure.update_xaxes(title="level of the interval (%)", range=[0, 100], fixedrange=True)
    figure.update_yaxes(title="crystals inside it (%)", range=[0, 100], fixedrange=True)
    return styled(figure, height=400, legend=True)


def learning_curve(rows: pd.DataFrame, column: str, label: str) -> go.Figure:
    """One error of one target against the number of training crystals, a line for each backbone."""
    figure = go.Figure()
    for backbone, part in rows.groupby("backbone"):
        figure.add_scatter(
            x=part["crystals"], y=part[column], name=BACKBONES.get(backbone, backbone), mode="lines+markers",
            marker_size=7, line_color=BACKBONE_COLORS.get(backbone, GREY),
            hovertemplate="%{x} crystals: %{y:.1f} %<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title="training crystals", rangemode="tozero", fixedrange=True)
    figure.update_yaxes(title=label, rangemode="tozero", fixedrange=True)
    return styled(figure, height=360, legend=True)


def _parity(rows: pd.DataFrame, by: str, colors: dict[str, str], label: str, place: Place) -> go.Figure:
    """A trace for each value of the column `by`, drawn at `place(value)`; `customdata` begins with the ID."""
    values = place(rows[["dft", "predicted"]].to_numpy())
    low, high = (values.min(), values.max()) if len(values) else (0.0, 1.0)
    figure = go.Figure(_equality(low, high))
    for name, color in colors.items():
        part = rows[rows[by] == name]
        if part.empty:
            continue
        figure.add_scattergl(
            x=place(part["dft"]), y=place(part["predicted"]), mode="markers", name=name,
            text=part["formula"] + " " + part["material_id"], customdata=part[["material_id", "dft", "predicted"]],
            marker={"color": color, "size": 6, "opacity": 0.6},
            hovertemplate="%{text}<br>DFT %{customdata[1]:.3g}, predicted %{customdata[2]:.3g}"
            f"<extra>{name}</extra>",
        )  # fmt: skip
    edge = 0.03 * (high - low)
    figure.update_xaxes(title=f"{label}, DFT").update_yaxes(title=f"{label}, predicted")
    figure.update_xaxes(range=[low - edge, high + edge]).update_yaxes(range=[low - edge, high + edge])
    figure = styled(figure, height=500, legend=True, margin=ROOM)
    return figure.update_layout(clickmode="event+select", dragmode="pan")


def _ticks(figure: go.Figure, values: list[float], place: Place) -> go.Figure:
    texts = [f"{value:g}".replace("-", "−") for value in values]
    ticks = {"tickvals": place(values), "ticktext": texts, "tickangle": 0, "zeroline": False}
    return figure.update_xaxes(**ticks).update_yaxes(**ticks)


def _equality(low: float, high: float) -> go.Scatter:
    return go.Scatter(
        x=[low, high], y=[low, high], mode="lines", line={"color": GREY, "dash": "dot", "width": 1},
        showlegend=False, hoverinfo="skip",
    )  # fmt: skip
