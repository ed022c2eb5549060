"""Spectra along principal axes; data in, Plotly figure out."""

from collections.abc import Callable
from typing import Any

import numpy as np
import plotly.graph_objects as go

from engine.vibrations.curves import Curve, Mark
from engine.vibrations.units import from_wavenumber
from pages.components.charts import styled
from pages.components.colours import COLORS, GREY

PERMITTIVITY, REFLECTIVITY, ABSORPTION, LOSS = "ε′ and ε″", "Reflectivity", "Absorption", "Loss function"
QUANTITIES = (PERMITTIVITY, REFLECTIVITY, ABSORPTION, LOSS)
AXIS_TITLES = {
    "cm^-1": "wavenumber (cm⁻¹)",
    "THz": "frequency (THz)",
    "meV": "energy (meV)",
    "µm": "wavelength (µm)",
}
_HEIGHT = 420
NAMED = 0.1  # of the ionic value along an axis: a weaker mode has a line without a name
_LINES: dict[str, tuple[tuple[str, str, Callable[[Curve], np.ndarray]], ...]] = {
    PERMITTIVITY: (
        ("ε′", "solid", lambda curve: curve.permittivity.real),
        ("ε″", "dot", lambda curve: curve.permittivity.imag),
    ),
    REFLECTIVITY: (("reflectivity", "solid", lambda curve: curve.reflectivity),),
    ABSORPTION: (("absorption", "solid", lambda curve: curve.absorption),),
    LOSS: (("loss", "solid", lambda curve: curve.loss),),
}
_TITLES = {
    PERMITTIVITY: "relative permittivity",
    REFLECTIVITY: "reflectivity",
    ABSORPTION: "absorption coefficient (cm⁻¹)",
    LOSS: "loss function Im(−1/ε)",
}


def spectrum(
    curves: dict[str, Curve], wavenumber: np.ndarray, quantity: str, unit: str, *, moved: int | None = None
) -> go.Figure:
    """One quantity against frequency, a colour a principal axis, with its transverse and longitudinal modes.

    Args:
        curves: what the field is along -> curve.
        wavenumber: [F] cm^-1.
        quantity: one of `QUANTITIES`.
        unit: of the axis, see engine's units.py; wavelengths are drawn on a logarithmic one.
        moved: the multiplet whose marks are drawn strong.
    """
    figure = go.Figure()
    x = from_wavenumber(wavenumber, unit)
    shapes: list[dict[str, Any]] = []
    names: list[dict[str, Any]] = []
    for color, (name, curve) in zip(COLORS, curves.items(), strict=False):
        for what, dash, values in _LINES[quantity]:
            figure.add_scatter(
                x=x, y=values(curve), mode="lines", name=f"{what}, {name}", line={"color": color, "dash": dash},
                hovertemplate=f"{what}, {name}: %{{y:.4g}} at %{{x:.4g}}<extra></extra>",
            )  # fmt: skip
        for mark in curve.marks:
            _add_mark(shapes, names, mark, color, unit, strong=mark.multiplet == moved)
        if quantity == PERMITTIVITY:
            _add_limits(figure, curve, x, color, unit)
    figure.update_layout(shapes=shapes, annotations=names)  # at once: one by one, each costs as much as all
    figure.update_xaxes(title=AXIS_TITLES[unit], type="log" if unit == "µm" else "linear")
    figure.update_yaxes(title=_TITLES[quantity], type="log" if quantity == ABSORPTION else "linear")
    figure = styled(figure, height=_HEIGHT, legend=True, margin={"l": 10, "r": 10, "t": 110, "b": 10})
    return figure.update_layout(legend_y=1.12)  # above the names of the modes


def _add_mark(
    shapes: list[dict[str, Any]], names: list[dict[str, Any]], mark: Mark, color: str, unit: str, *, strong: bool
) -> None:
    """A line at the transverse frequency, a broken one at the longitudinal one, named where the mode is strong.

    An unstable mode gets a grey band in their place.
    """
    low, high = (float(from_wavenumber(end, unit)) for end in (mark.transverse, mark.longitudinal))
    edge = {"y0": 0, "y1": 1, "yref": "y domain"}
    if mark.unstable:
        shapes.append(
            edge
            | {"type": "rect", "x0": low, "x1": high, "fillcolor": GREY, "opacity": 0.25, "line": {"width": 0}}
        )
        names.append(_name(low, unit, "unstable", GREY))
        return
    for name, end, dash in (("TO", low, "solid"), ("LO", high, "dash")):
        line = {"color": color, "dash": dash, "width": 3 if strong else 1}
        shapes.append(
            edge | {"type": "line", "x0": end, "x1": end, "line": line, "opacity": 0.9 if strong else 0.45}
        )
        if strong or mark.share > NAMED:
            names.append(_name(end, unit, f"{name} {end:.0f}" if end > 100 else f"{name} {end:.3g}", color))


def _name(place: float, unit: str, text: str, color: str) -> dict[str, Any]:
    """A text that stands on the upper edge."""
    return {
        "x": float(np.log10(place)) if unit == "µm" else place, "y": 1, "yref": "paper", "yanchor": "bottom",
        "showarrow": False, "text": text, "textangle": -90, "font": {"size": 10, "color": color},
    }  # fmt: skip


def _add_limits(figure: go.Figure, curve: Curve, x: np.ndarray, color: str, unit: str) -> None:
    """Static and electronic permittivity at the ends to which the curve runs."""
    for name, value, end in (("static", curve.static, x[0]), ("electronic", curve.fast, x[-1])):
        figure.add_scatter(
            x=[end], y=[value], mode="markers", showlegend=False, marker={"color": color, "size": 9,
            "symbol": "triangle-left" if (name == "static") != (unit == "µm") else "triangle-right",
            "line": {"color": GREY, "width": 1}}, hovertemplate=f"{name} limit: {value:.3f}<extra></extra>",
        )  # fmt: skip
