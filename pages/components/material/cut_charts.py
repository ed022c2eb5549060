"""Plane cuts through the surface of a tensor; data in, Plotly figure out."""

import numpy as np
import plotly.graph_objects as go

from pages.components.charts import styled
from pages.components.colours import CLEAR, COLORS

POSITIVE, NEGATIVE = "above zero", "below zero"
LINES = {
    "Prediction": (COLORS[0], "solid"),
    "DFT": (COLORS[5], "dash"),
    POSITIVE: (COLORS[2], "solid"),
    NEGATIVE: (COLORS[3], "dash"),
}
FAINT = "rgba(127,140,150,0.35)"


def polar_cut(curves: dict[str, tuple[np.ndarray, np.ndarray]], plane: str, largest: float) -> go.Figure:
    """Radius against angle in one plane, a closed curve a source.

    Args:
        curves: source -> angles [P], radians from the plane's first axis to its second, and radii [P].
        plane: "xy", "yz" or "zx".
        largest: radius at the rim, so that several planes share a scale.
    """
    figure = go.Figure()
    for name, (angles, radii) in curves.items():
        color, dash = LINES[name]
        figure.add_scatterpolar(
            r=radii, theta=np.degrees(angles), mode="lines", name=name,
            line={"color": color, "dash": dash, "width": 2.5},
            hovertemplate=f"{name}: %{{r:.3f}} at %{{theta:.0f}}°<extra></extra>",
        )  # fmt: skip
    first, second = plane[0], plane[1]
    angular = {"tickvals": [0, 90, 180, 270], "ticktext": [first, second, f"−{first}", f"−{second}"]}
    figure.update_polars(
        bgcolor=CLEAR,
        angularaxis={**angular, "gridcolor": FAINT, "linecolor": FAINT, "tickfont_size": 14},
        radialaxis={"range": [0, 1.05 * largest], "nticks": 4, "angle": 45, "tickangle": 45, "gridcolor": FAINT,
                    "linecolor": FAINT, "tickfont_size": 11},
    )  # fmt: skip
    return styled(figure, height=270, margin={"l": 28, "r": 28, "t": 28, "b": 28})
