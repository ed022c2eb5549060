"""The periodic table: every symbol can be read on its cell, on a light and on a dark page."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from plotly.colors import hex_to_rgb, sample_colorscale, unlabel_rgb

from pages.components.crystal.frame import BACKGROUNDS
from pages.components.elements import CELLS, PALE, contrast, element_map, luminance

LEAST = 4.5  # WCAG 2.2, contrast of text, level AA


def drawn(values: pd.Series, *, dark: bool, low: float = 0.0) -> go.Figure:
    return element_map(values, values.astype(str), "value", absent="none", low=low, dark=dark)


def contrasts(figure: go.Figure, *, dark: bool) -> dict[str, float]:
    """Symbol -> contrast of its text with its cell as the browser draws it."""
    heat = figure.data[1]
    page = np.array(hex_to_rgb(BACKGROUNDS[dark]))
    *grey, alpha = (float(channel) for channel in PALE[5:-1].split(","))
    found = {}
    for label in figure.layout.annotations:
        value = heat.z[int(label.y)][int(label.x)]
        cell = alpha * np.array(grey) + (1 - alpha) * page
        if np.isfinite(value):
            share = np.clip((value - heat.zmin) / (heat.zmax - heat.zmin), 0, 1)
            cell = unlabel_rgb(sample_colorscale("Cividis", [float(share)])[0])
        found[label.text] = contrast(luminance(cell), luminance(hex_to_rgb(label.font.color)))
    return found


@pytest.mark.parametrize("dark", [False, True])
def test_every_symbol_can_be_read_whatever_the_colour_of_its_cell(dark: bool) -> None:
    values = pd.Series(np.linspace(1, 40, 110), index=list(CELLS)[:110])
    found = contrasts(drawn(values, dark=dark), dark=dark)
    assert set(found) == set(CELLS)
    assert min(found.values()) >= LEAST


@pytest.mark.parametrize("values", [{}, {"Ti": 3.0}, {"Ti": 0.0, "O": 0.0}])
def test_a_table_with_one_value_or_none_is_drawn_with_all_symbols(values: dict[str, float]) -> None:
    figure = drawn(pd.Series(values, dtype=float), dark=True)
    assert {label.text for label in figure.layout.annotations} == set(CELLS)


def test_a_symbol_stands_on_its_own_cell() -> None:
    figure = drawn(pd.Series({"Fe": 1.0, "O": 2.0}), dark=False)
    assert {label.text: (label.y, label.x) for label in figure.layout.annotations} == CELLS


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast(luminance((0, 0, 0)), luminance((255, 255, 255))) == pytest.approx(21)
    assert contrast(luminance(hex_to_rgb("#767676")), 1.0) == pytest.approx(4.54, abs=0.01)
