"""The part of the Theory page on one infrared mode: springs to drag, and what becomes of the permittivity."""

import numpy as np
import streamlit as st

from engine.optics.measured_modes import measured_modes
from engine.teaching.oscillator import Oscillator
from pages.components.theory import charts as theory_charts
from pages.components.widgets import PLOT, number, subscripts

FIRST = "NaCl"
DAMPING = 0.04  # of the transverse frequency
POINTS = 1200


@st.fragment
def drag_a_frequency() -> None:
    """A measured halide, its transverse frequency on a slider."""
    known = {one.formula: one for one in measured_modes()}
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    formula = left.selectbox(
        "Halide", list(known), index=list(known).index(FIRST), format_func=subscripts, key="halide"
    )
    percent = right.slider("Frequency of its mode, % of the measured one", 30, 160, 100, key="softened")
    measured = known[formula]
    mode = Oscillator.measured(measured, percent / 100)
    highest = 1.3 * Oscillator.measured(measured).longitudinal
    wavenumber = np.linspace(1.0, highest, POINTS)
    values = mode.permittivity(wavenumber, DAMPING * mode.transverse)
    st.plotly_chart(
        theory_charts.oscillator(mode, wavenumber, values), key="oscillator", config=PLOT,
        alt=f"Permittivity of {formula} against wavenumber with one mode at {mode.transverse:.0f} cm⁻¹",
    )  # fmt: skip
    st.markdown(
        f"Mode at **{mode.transverse:.0f} cm⁻¹**: ε(0) = **{number(mode.static)}**, of which the electrons give "
        f"{number(mode.electronic)}; longitudinal at {mode.longitudinal:.0f} cm⁻¹. Measured: ε(0) = "
        f"{number(measured.static)}, {measured.transverse:.0f} and {measured.longitudinal:.0f} cm⁻¹ "
        f"([doi:{measured.doi}](https://doi.org/{measured.doi}))."
    )
