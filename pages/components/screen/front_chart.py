"""Figure of a screening: two quantities against each other, and the Pareto front over them."""

from html import escape

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from engine.screening.rows import QUANTITIES
from pages.components.charts import styled
from pages.components.colours import COLORS, GREY
from pages.components.explore.scatter_charts import MANY, axis_scale
from pages.components.widgets import subscripts

MOST_DRAWN = 5000  # points behind the front; of more, so many of them
MOST_NAMED = 12  # of the front
FRONT = COLORS[5]


def scatter(rows: pd.DataFrame, on_front: np.ndarray, x: str, y: str, *, log: bool) -> go.Figure:
    """The rows as points and those at the positions `on_front` as a line; `customdata` is the row's index.

    Of more rows than `MOST_DRAWN` a sample is drawn, always the same one, and all of the front.
    """
    front = rows.iloc[on_front]
    others = rows.drop(front.index).dropna(subset=[x, y])
    others = others.sample(min(len(others), MOST_DRAWN), random_state=0)
    figure = go.Figure()
    add = figure.add_scattergl if len(others) > MANY else figure.add_scatter
    add(
        **_points(others, x, y),
        mode="markers",
        name="passes",
        marker={"color": COLORS[0], "size": 6, "opacity": 0.6},
    )
    figure.add_scatter(
        **_points(front, x, y), mode="lines+markers+text" if len(front) <= MOST_NAMED else "lines+markers",
        name="Pareto front", text=[subscripts(formula) for formula in front["formula"]], textposition="top center",
        marker={"color": FRONT, "size": 9}, line={"color": FRONT, "width": 1, "dash": "dot"}, cliponaxis=False,
    )  # fmt: skip
    figure.update_traces(
        selected={"marker": {"size": 14, "opacity": 1.0}}, unselected={"marker": {"opacity": 0.4}},
        hovertemplate="%{hovertext}<br>"
        f"{QUANTITIES[x]}: %{{x:.3g}}<br>{QUANTITIES[y]}: %{{y:.3g}}<extra></extra>",
    )  # fmt: skip
    figure.update_traces(unselected={"textfont": {"color": GREY}}, selector=-1)
    known = rows.dropna(subset=[x, y])
    figure.update_xaxes(**axis_scale(known[x], log), title=QUANTITIES[x])
    figure.update_yaxes(**axis_scale(known[y], log), title=QUANTITIES[y])
    figure = styled(figure, height=440, legend=True, margin={"l": 10, "r": 40, "t": 60, "b": 10})
    return figure.update_layout(clickmode="event+select", dragmode="pan", modebar_orientation="v")


def _points(rows: pd.DataFrame, x: str, y: str) -> dict[str, object]:
    names = "<b>" + rows["formula"].map(subscripts) + "</b> " + rows["name"].map(escape)
    return {"x": rows[x], "y": rows[y], "customdata": rows.index.to_numpy(), "hovertext": names}
