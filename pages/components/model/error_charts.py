"""Figures of the Model page: tables of `engine.evaluation.report` in, Plotly figure out."""

import pandas as pd
import plotly.graph_objects as go

from engine.evaluation.report import QUANTILES
from pages.components.charts import BACKBONES, styled
from pages.components.colours import COLORS, GREY
from pages.components.elements import element_map

TARGET_COLORS = dict(zip(("electronic", "ionic", "total"), COLORS, strict=False))
BACKBONE_COLORS = dict(zip(BACKBONES, COLORS, strict=False))
ERROR_LABEL = "error of the mean (%)"


def periodic_table(errors: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """Median error over the crystals that hold each element, see `error_by_element`; other elements pale."""
    held = errors.dropna(subset="error")
    notes = [f"{row.Index}: {row.error:.1f} %, {row.crystals} crystals" for row in held.itertuples()]
    return element_map(
        held["error"], pd.Series(notes, held.index), f"median {ERROR_LABEL}", absent="none judged", low=0.0,
        dark=dark,
    )  # fmt: skip


def spread(table: pd.DataFrame, label: str) -> go.Figure:
    """A box for each row of a table of `engine.evaluation.report.spread`; whiskers at the outer quantiles."""
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
    figure = go.Figure(equality(0, 100))
    for target, curve in curves.items():
        figure.add_scatter(
            x=curve["nominal"], y=curve["observed"], mode="lines", name=target,
            line={"color": TARGET_COLORS[target], "width": 2},
            hovertemplate=f"{target}: %{{x:.0f}} % interval holds %{{y:.1f}} %<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title="level of the interval (%)", range=[0, 100], fixedrange=True)
    figure.update_yaxes(title="crystals inside it (%)", range=[0, 100], fixedrange=True)
    return styled(figure, height=400, legend=True)


def learning_curve(rows: pd.DataFrame, column: str, label: str) -> go.Figure:
    """One error of one target against the number of training crystals, a line for each backbone."""
    figure = go.Figure()
    for backbone in sorted(set(rows["backbone"])):
        part = rows[rows["backbone"] == backbone]
        figure.add_scatter(
            x=part["crystals"], y=part[column], name=BACKBONES.get(backbone, backbone), mode="lines+markers",
            marker_size=7, line_color=BACKBONE_COLORS.get(backbone, GREY),
            hovertemplate="%{x} crystals: %{y:.1f} %<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title="training crystals", rangemode="tozero", fixedrange=True)
    figure.update_yaxes(title=label, rangemode="tozero", fixedrange=True)
    return styled(figure, height=360, legend=True)


def equality(low: float, high: float) -> go.Scatter:
    """The dotted line on which both axes have the same value."""
    return go.Scatter(
        x=[low, high], y=[low, high], mode="lines", line={"color": GREY, "dash": "dot", "width": 1},
        showlegend=False, hoverinfo="skip",
    )  # fmt: skip
