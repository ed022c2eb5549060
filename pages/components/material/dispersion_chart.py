"""Measured refractive indices against wavelength, beside the indices that tensors give; data in, figure out."""

import numpy as np
import plotly.graph_objects as go

from engine.optics.measured import Measurement
from pages.components.charts import ROOM, styled
from pages.components.colours import COLORS
from pages.components.material.cut_charts import LINES

_DASHES = ("solid", "dash", "dot")  # of the rays


def dispersion(measured: list[Measurement], indices: dict[str, np.ndarray]) -> go.Figure:
    """A curve each ray of a measurement; a level line for each principal index of a tensor.

    Args:
        measured: at least one.
        indices: "Prediction" or "DFT" -> distinct principal indices of its electronic tensor, [1 to 3].
    """
    figure = go.Figure()
    for color, one in zip(COLORS[2:], measured, strict=False):
        for dash, (ray, values) in zip(_DASHES, one.curves.items(), strict=False):
            name = f"{one.name}, ray {ray}" if ray else one.name
            figure.add_scatter(
                x=one.wavelengths, y=values, mode="lines", name=name, line={"color": color, "dash": dash},
                hovertemplate=f"{name}: %{{y:.4f}} at %{{x:.3g}} µm<extra></extra>",
            )  # fmt: skip
    ends = [min(one.wavelengths[0] for one in measured), max(one.wavelengths[-1] for one in measured)]
    for name, values in indices.items():
        color, dash = LINES[name]
        for value in values:
            figure.add_scatter(
                x=ends, y=[value, value], mode="lines", name=name, legendgroup=name,
                line={"color": color, "dash": dash}, showlegend=bool(value == values[0]),
                hovertemplate=f"{name}: {value:.4f}<extra></extra>",
            )  # fmt: skip
    figure.update_xaxes(type="log", title="wavelength (µm)")
    figure.update_yaxes(title="refractive index n")
    return styled(figure, height=330, legend=True, margin=ROOM)
