"""Prediction against DFT on the Model page: one plot, and the way to the crystals that are furthest off."""

from dataclasses import replace

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from engine.evaluation.parity import ANISOTROPY, COMPONENTS, MEAN, QUANTITIES, Parity
from engine.evaluation.report import Judged
from engine.tensors.metrics import SMALLEST_MEAN
from pages.components.model import parity_charts
from pages.components.site import LOOK_UP
from pages.components.widgets import MOVABLE, PERCENT, number, subscripts

LISTED = 10  # crystals
DENSITY = "density"
LEFT_OUT = f"DFT means under {SMALLEST_MEAN} are left out here."
OFF = {  # what "furthest off" means
    MEAN: f"By the factor between prediction and DFT. {LEFT_OUT}",
    COMPONENTS: (
        "By the error of the whole tensor (Frobenius norm), relative to DFT; the component with the largest "
        f"error is marked. {LEFT_OUT}"
    ),
    ANISOTROPY: "By the factor between the predicted and the DFT ratio.",
}


def parity(judged: Judged) -> None:
    """A choice of quantity and colour, the plot, and beside it the crystals that are furthest off."""
    with st.container(horizontal=True):
        quantity = choice("Quantity", list(QUANTITIES), "quantity")
        groups = "component" if quantity == COMPONENTS else "crystal system"
        colour = choice("Colour", [groups, DENSITY], "colour")
    target = judged.metrics.target
    if quantity not in judged.parity:
        st.info(
            f"The smallest principal value of the {target} part is often zero, so that the ratio of the largest "
            "to the smallest says nothing. Choose the electronic or the total tensor.",
            icon=":material/info:",
        )
        return
    shown = written(judged.parity[quantity])
    left, right = st.columns([3, 2], gap="medium")
    with left:
        clickable(figure(shown, target, quantity, colour), f"{target} {quantity}, predicted against DFT")
        st.caption(reading(shown, quantity))
    with right:
        headline(judged, quantity)
        furthest(shown.furthest.head(LISTED), quantity)


def choice(label: str, options: list[str], key: str) -> str:
    """One of a few, kept in the address."""
    return st.segmented_control(
        label, options, default=options[0], key=key, required=True, bind="query-params",
        label_visibility="collapsed",
    )  # fmt: skip


def written(parity: Parity) -> Parity:
    """The same with formulas as one writes them."""
    points, furthest = (
        rows.assign(formula=rows["formula"].map(subscripts)) for rows in (parity.points, parity.furthest)
    )
    return replace(parity, points=points, furthest=furthest)


def figure(parity: Parity, target: str, quantity: str, colour: str) -> go.Figure:
    """The plot in the chosen colours."""
    draw = parity_charts.by_density if colour == DENSITY else parity_charts.by_group
    return draw(parity, target, quantity, LISTED, dark=st.context.theme.type == "dark")


def clickable(chart: go.Figure, alt: str) -> None:
    """A chart whose points open their material."""
    chosen = st.plotly_chart(
        chart, key="parity", config=MOVABLE, alt=alt, on_select="rerun", selection_mode="points"
    )
    if chosen["selection"]["points"]:
        material_id = chosen["selection"]["points"][0]["customdata"][0]
        st.switch_page(LOOK_UP, query_params={"mp_id": material_id})


def reading(parity: Parity, quantity: str) -> str:
    """How to read the plot."""
    what = {
        MEAN: "One point a crystal: the mean of the diagonal of the relative permittivity, which has no unit.",
        COMPONENTS: (
            "Six points a crystal, in the structure's own axes; relative permittivity has no unit. The scale "
            "(arcsinh) is like a logarithm on both sides of zero."
        ),
        ANISOTROPY: "One point a crystal: its largest principal value divided by its smallest.",
    }
    missing = f" {parity.undrawn} crystals with a value of zero have no place on the logarithmic axes."
    return f"{what[quantity]} Click a point to open its material.{missing if parity.undrawn else ''}"


def headline(judged: Judged, quantity: str) -> None:
    """The errors that say most."""
    m = judged.metrics
    if quantity == ANISOTROPY:
        st.markdown(f"The ratio of the {m.target} tensor is off by **{m.ar_mae:.2f}** on average.")
        return
    st.markdown(
        f"**{m.ewt10:.0f}{PERCENT}** of the {m.target} tensors are within 10{PERCENT} of DFT; the mean of the "
        f"diagonal is off by **{m.mard:.0f}{PERCENT}** on average."
    )


def furthest(crystals: pd.DataFrame, quantity: str) -> None:
    """Links to the crystals that are furthest off, with both values and the error."""
    st.markdown("**Furthest off**")
    with st.container(gap="xxsmall"):
        for _, row in crystals.iterrows():
            st.page_link(LOOK_UP, label=line(row, quantity), query_params={"mp_id": row["material_id"]})
    st.caption(OFF[quantity])


def line(row: pd.Series, quantity: str) -> str:
    """Formula, DFT, prediction and error of one crystal."""
    if quantity == COMPONENTS:
        part, error = f"{row['component']} ", f"{row['error']:.0f}{PERCENT} off"
    else:
        large = row["predicted"] > row["dft"]
        part, error = "", f"{row['error']:.1f}× too {'large' if large else 'small'}"
    return f"**{row['formula']}** · DFT {part}{number(row['dft'])}, predicted {number(row['predicted'])} · {error}"
