"""Flat charts of the Theory page: data in, Plotly figure out; colours hold on a light and on a dark page."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from engine.teaching.harmonics import LMAX, POLYNOMIALS
from engine.teaching.oscillator import Oscillator
from engine.teaching.sites import Shell
from pages.components.charts import styled
from pages.components.colours import COLORS, GREY, TENSOR_SCALES

STRONGEST = 6  # learned functions drawn of one degree
MOST_NUMBERS = 25  # cells of a heat map that can hold their numbers
SMALLEST = 1e-6  # percent drawn; less is drawn as this
LIMITS = (-40, 60)  # of a permittivity; a resonance goes on beyond
DEGREE_COLORS = COLORS[:3]  # of l = 0, 1, 2


def differences(frame: pd.DataFrame, angle: int) -> go.Figure:
    """Difference of f(D(g) x) and D(g) f(x) against the angle, a line for each network; `angle` is marked."""
    figure = go.Figure()
    for color, dash, name in zip((COLORS[0], COLORS[5]), ("solid", "dash"), frame.columns, strict=True):
        figure.add_scatter(
            x=frame.index, y=frame[name].clip(lower=SMALLEST), name=name, mode="lines",
            line={"color": color, "dash": dash},
            hovertemplate=f"{name}, %{{x}}°: %{{y:.2g}} %<extra></extra>",
        )  # fmt: skip
    figure.add_vline(angle, line={"color": GREY, "width": 1, "dash": "dot"})
    figure.update_xaxes(title="angle (degrees)", dtick=90, range=[0, 360], fixedrange=True)
    figure.update_yaxes(
        type="log",
        title="difference (% of the tensor)",
        exponentformat="power",
        fixedrange=True,
        dtick=1,
        range=[np.log10(SMALLEST), 2.2],
    )
    return styled(figure, height=320, legend=True)


def coefficients(values: np.ndarray, *, dark: bool) -> go.Figure:
    """C[m3, m1, m2] as a heat map for each m3, rows m1 and columns m2, named by their harmonics."""
    of_l3, of_l1, of_l2 = (_names(size // 2) for size in values.shape)
    columns = min(len(of_l3), 3 + (len(of_l3) > 5) + (len(of_l3) > 7))
    rows = -(-len(of_l3) // columns)
    figure = make_subplots(
        rows, columns, subplot_titles=of_l3, horizontal_spacing=0.025, vertical_spacing=0.3 / rows
    )
    small = values[0].size <= MOST_NUMBERS
    for index, matrix in enumerate(values):
        heat = go.Heatmap(
            z=matrix, x=list(range(len(of_l2))), y=list(range(len(of_l1))), zmin=-1, zmax=1, showscale=False,
            colorscale=TENSOR_SCALES[dark], xgap=1, ygap=1, name=of_l3[index],
            text=[[_coefficient(value) for value in row] for row in matrix],
            texttemplate="%{text}" if small else None, textfont_size=11,
            customdata=[[[a, b] for b in of_l2] for a in of_l1],
            hovertemplate="%{customdata[0]} · %{customdata[1]}: %{z:.4f}<extra></extra>",
        )  # fmt: skip
        figure.add_trace(heat, row=index // columns + 1, col=index % columns + 1)
    plain = {"fixedrange": True, "showgrid": False, "zeroline": False, "ticks": "", "showline": False}
    figure.update_xaxes(**plain, tickvals=list(range(len(of_l2))), ticktext=_short(of_l2), tickangle=0)
    figure.update_yaxes(**plain, tickvals=list(range(len(of_l1))), ticktext=_short(of_l1), autorange="reversed")
    for column in range(2, columns + 1):
        figure.update_yaxes(showticklabels=False, col=column)
    figure.update_annotations(font_size=12)
    height = rows * (56 + (26 if small else 18) * len(of_l1)) + 20
    return styled(figure, height=height, margin={"l": 34, "r": 6, "t": 30, "b": 26})


def radial_functions(distances: np.ndarray, functions: np.ndarray, shells: list[Shell], ell: int) -> go.Figure:
    """Root mean square over the channels for each degree, the strongest channels of one, and where neighbours are.

    Args:
        distances: [D] Å.
        functions: [l, D, channels].
        ell: degree of the single channels; none where the network has no such degree.
    """
    figure = go.Figure()
    if ell < len(functions):
        strongest = np.argsort(-np.square(functions[ell]).sum(axis=0))[:STRONGEST]
        for index, channel in enumerate(functions[ell][:, strongest].T):
            figure.add_scatter(
                x=distances, y=channel, mode="lines", line={"color": DEGREE_COLORS[ell], "width": 1},
                opacity=0.55, name=f"strongest channels of ℓ = {ell}", showlegend=index == 0, hoverinfo="skip",
            )  # fmt: skip
    for degree, (color, values) in enumerate(zip(DEGREE_COLORS, functions, strict=True)):
        figure.add_scatter(
            x=distances, y=np.sqrt(np.square(values).mean(axis=1)), name=f"ℓ = {degree}, root mean square",
            mode="lines", line={"color": color, "width": 3, "dash": ("solid", "dash", "dot")[degree]},
            hovertemplate=f"l = {degree}, %{{x:.2f}} Å: %{{y:.3f}}<extra></extra>",
        )  # fmt: skip
    for shell in shells:
        middle = (shell.start + shell.end) / 2
        figure.add_vline(middle, line={"color": GREY, "width": 1, "dash": "dot"})
    figure.update_xaxes(title="distance r (Å)", fixedrange=True).update_yaxes(
        title="learned weight R(r)", fixedrange=True
    )
    return styled(figure, height=360, legend=True)


def degree_powers(chosen: np.ndarray, received: np.ndarray) -> go.Figure:
    """Power left in each degree: of the chosen neighbours alike, and of all as the network weighs them."""
    figure = go.Figure()
    series = (("neighbours chosen above, all alike", chosen), ("what the network adds up, within 5 Å", received))
    for color, (name, values) in zip((COLORS[4], COLORS[0]), series, strict=True):
        figure.add_bar(
            x=list(range(len(values))), y=values, name=name, marker_color=color,
            hovertemplate="ℓ = %{x}: %{y:.3g}<extra></extra>",
        )  # fmt: skip
    figure.update_yaxes(title="power (1: all in one direction)", range=[0, 1.05], fixedrange=True)
    figure.update_xaxes(title="degree ℓ", dtick=1, fixedrange=True)
    return styled(figure, height=300, legend=True).update_layout(bargap=0.25)


def oscillator(mode: Oscillator, wavenumber: np.ndarray, values: np.ndarray) -> go.Figure:
    """Real and imaginary part of the permittivity of one mode, [F], with its limits and frequencies."""
    figure = go.Figure()
    for name, dash, part in (("ε′", "solid", values.real), ("ε″", "dot", values.imag)):
        figure.add_scatter(
            x=wavenumber, y=part, name=name, mode="lines", line={"color": COLORS[0], "dash": dash},
            hovertemplate=f"{name}: %{{y:.3g}} at %{{x:.0f}} cm⁻¹<extra></extra>",
        )  # fmt: skip
    figure.add_scatter(
        x=[0], y=[mode.static], name="ε(0)", mode="markers", marker={"color": COLORS[5], "size": 12},
        hovertemplate="ε(0) = %{y:.2f}<extra></extra>",
    )  # fmt: skip
    figure.add_hline(mode.electronic, line={"color": GREY, "width": 1, "dash": "dot"})
    for name, place in (("TO", mode.transverse), ("LO", mode.longitudinal)):
        figure.add_vline(place, line={"color": GREY, "width": 1}, annotation_text=name)
    figure.update_xaxes(title="wavenumber (cm⁻¹)", range=[-4, float(wavenumber[-1])], fixedrange=True)
    figure.update_yaxes(title="relative permittivity", range=LIMITS, fixedrange=True)
    return styled(figure, height=340, legend=True)


def _coefficient(value: float) -> str:
    return "0" if abs(value) < 1e-9 else f"{value:.2f}".replace("-", "−")


def _names(ell: int) -> tuple[str, ...]:
    """Components of a degree by their polynomials, or by m where these are not written out."""
    return POLYNOMIALS[ell] if ell <= LMAX else tuple(f"m = {m}".replace("-", "−") for m in range(-ell, ell + 1))


def _short(names: tuple[str, ...]) -> list[str]:
    """The names, or where these are too long for an axis their place from -l to l."""
    if len(names) < 7:
        return [name.split("−")[0] if len(name) > 5 else name for name in names]
    return [str(m - 3).replace("-", "−") for m in range(7)]
