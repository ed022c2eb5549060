"""Spectra of several crystals in one chart; data in, Plotly figure out."""

from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go

from engine.vibrations.curves import orientation_mean, shown_range
from engine.vibrations.light import isotropic_reflectivity
from engine.vibrations.modes import Modes
from pages.components.charts import styled
from pages.components.colours import COLORS

POINTS = 600
_VALUES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "Reflectivity": lambda permittivity: isotropic_reflectivity(np.sqrt(permittivity)),
    "ε″": lambda permittivity: permittivity.imag,
    "ε′": lambda permittivity: permittivity.real,
}
QUANTITIES = tuple(_VALUES)


def spectra(crystals: dict[str, Modes], quantity: str, damping: float) -> go.Figure:
    """One curve a crystal against wavenumber, of the permittivity's mean over directions.

    Args:
        crystals: title -> modes of a prediction that has both tensors.
        quantity: one of `QUANTITIES`.
        damping: cm^-1.
    """
    ends = np.array([shown_range(modes) for modes in crystals.values()])
    wavenumber = np.linspace(ends[:, 0].min(), ends[:, 1].max(), POINTS)
    figure = go.Figure()
    for color, (title, modes) in zip(COLORS, crystals.items(), strict=False):
        figure.add_scatter(
            x=wavenumber, y=_VALUES[quantity](orientation_mean(modes, wavenumber, damping)), mode="lines",
            name=title, line_color=color, hovertemplate=f"{title}: %{{y:.3g}} at %{{x:.0f}} cm⁻¹<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title="wavenumber (cm⁻¹)")
    figure.update_yaxes(title="reflectivity" if quantity == "Reflectivity" else f"permittivity, {quantity}")
    return styled(figure, height=380, legend=True, margin={"l": 10, "r": 10, "t": 75, "b": 10})
