"""The part of the Theory page in which a crystal is turned, before two networks."""

import numpy as np
import pandas as pd
import streamlit as st

from engine.teaching.equivariance import relative_difference, rotation_about
from engine.teaching.two_networks import Pair
from pages.components import cached, charts, waiting
from pages.components.theory import charts as theory_charts
from pages.components.theory import surfaces as theory_surfaces
from pages.components.theory.text import beside, choose_crystal
from pages.components.widgets import PERCENT, PLOT, number, scientific, show_origin, show_table

EXPLANATION = (
    "Turn the crystal. Its band gap stays what it was: a band gap is **invariant**. Its dielectric tensor turns "
    "along with it: the tensor is **equivariant**. Write $D(g)$ for what a rotation or reflection $g$ does to an "
    "object. A function $f$ from crystals to tensors respects the symmetry if, for every $g$, it makes no "
    "difference whether one turns the crystal first or the answer afterwards:",
    r"$$f\big(D_{\mathrm{crystal}}(g)\,x\big) = D_{\mathrm{tensor}}(g)\,f(x),$$",
    r"$$D_{\mathrm{tensor}}(g)\,\varepsilon = R_g\,\varepsilon\,R_g^{\mathsf T}.$$",
)
NAMES = {
    "e3nn-scratch": "equivariant",
    "ordinary": "ordinary",
    "ordinary, random orientations": "same, data turned",
}


@st.fragment
def turn_a_crystal(crystal: str) -> None:
    """Turn the crystal and see what two networks predict for it."""
    axis, angle = _inputs(crystal)
    index = cached.search(crystal)[0]
    by_network = waiting.computed(cached.turned, index, axis, angle, what="The turned crystal", share=0.8)
    if by_network is None:
        return
    _drawings(index, axis, angle, by_network)
    st.subheader("Invariant and equivariant", anchor=False)
    beside(lambda: _figures_of(by_network), *EXPLANATION)
    every_angle(index, axis, angle)


def _inputs(crystal: str) -> tuple[str, int]:
    """The crystal, the axis and the angle in one row; returns the last two."""
    left, middle, right = st.columns([4, 2, 6], gap="medium")
    with left:
        choose_crystal(crystal)
    axis = middle.segmented_control(
        "Turn about", charts.AXES, default="x", key="axis", required=True, bind="query-params"
    )
    angle = right.slider("Angle (degrees)", 0, 360, 30, 5, key="angle", bind="query-params")
    return axis, angle


def _drawings(index: int, axis: str, angle: int, by_network: dict[str, Pair]) -> None:
    """The turned crystal and what each network answers for it, side by side."""
    columns = st.columns(3, gap="small")
    with columns[0]:
        st.markdown("**The crystal** :gray[turned]")
        figure = theory_surfaces.crystal(cached.cell_scene(index), rotation_about(axis, angle))
        st.plotly_chart(
            figure, key="crystal-drawing", config=PLOT, alt=f"One cell of the crystal at {angle} degrees"
        )
    values = np.concatenate([np.linalg.eigvalsh(pair) for pair in by_network.values()])
    for column, (name, (first, then)) in zip(columns[1:], by_network.items(), strict=True):
        with column:
            st.markdown(f"**{name.capitalize()} network** :gray[f(D(g) x) as a surface]")
            figure = theory_surfaces.tensor_surface(then, first, values.max(), (values.min(), values.max()))
            st.plotly_chart(figure, key=f"{name}-surface", config=PLOT, alt=f"Tensor of the {name} network")
    st.caption(
        "Radius and colour of a surface are ε along each direction. The orange lines are the principal axes of "
        "D(g) f(x), the answer for the crystal at rest, turned: the surface has to follow them. Drag to look from "
        "elsewhere."
    )


def _figures_of(by_network: dict[str, Pair]) -> None:
    for name, pair in by_network.items():
        compare(name, *pair)


def compare(name: str, first: np.ndarray, then: np.ndarray) -> None:
    """D(g) f(x), f(D(g) x) and their difference as matrices and as a figure."""
    largest = np.abs(then - first).max()
    if name == "equivariant":
        found = f"largest difference {scientific(largest)}, the rounding of single precision"
    else:
        share = relative_difference(first[None], then[None])[0]
        found = f"largest difference {largest:.2f}; the whole tensor is off by {share:.1f}{PERCENT}"
    st.markdown(f"**{name.capitalize()} network:** {found}")
    panels = {"D(g) f(x)": first, "f(D(g) x)": then, "Difference": then - first}
    st.plotly_chart(
        charts.tensor_panels(panels, dark=st.context.theme.type == "dark"), key=f"{name}-turned", config=PLOT,
        alt=f"{name} network: turned prediction, prediction for the turned crystal, and their difference",
    )  # fmt: skip


def every_angle(index: int, axis: str, angle: int) -> None:
    """The difference against the angle, and whether the ordinary network knows the crystal."""
    st.markdown("**Difference at every angle**")
    frame = waiting.computed(cached.differences, index, axis, what="Every angle", share=0.1)
    taught_formulas = waiting.computed(
        cached.taught_the_ordinary, what="The ordinary network's crystals", share=0.1
    )
    if frame is None or taught_formulas is None:
        return
    figure = theory_charts.differences(frame, angle)
    st.plotly_chart(figure, key="differences", config=PLOT, alt="Difference against angle for both networks")
    taught = cached.materials()[index].formula in taught_formulas
    lesson = "was taught this formula, in one orientation" if taught else "never saw this formula"
    st.caption(f"Norm of the difference, relative to the tensor. The ordinary network {lesson}.")


def contrast() -> None:
    """Errors of the networks over all crystals, and how much their tensors change when a crystal is turned."""
    rows = cached.contrast()
    if rows is None:
        st.info("How the two networks compare was not measured.", icon=":material/info:")
        return
    st.markdown("**All crystals, each by networks that never saw its formula**")
    show_table({title: _figures(rows.T[name]) for name, title in NAMES.items()})
    st.caption(
        f"Electronic tensors of {rows['count'].iloc[0]:,.0f} crystals in five folds without common formulas, one "
        "random rotation each; Δn is the birefringence. All three have the same data, number of epochs and "
        "physical readout. The equivariant one answers for the ionic part too; the last one was taught in random "
        "orientations. Figures: `python -m benchmarks.plain_network`."
    )
    show_origin(cached.origin("plain_network"))


def _figures(row: pd.Series) -> dict[str, str]:
    return {
        "weights": f"{row['weights']:,.0f}",
        "change of the tensor when turned, median (%)": _short(row["turned_median"]),
        "the same, largest (%)": _short(row["turned_largest"]),
        "Δn given to cubic crystals": number(row["cubic_birefringence"]),
        "tensors within 25 % of DFT (%)": _short(row["ewt25"]),
        "tensors within 10 % of DFT (%)": _short(row["ewt10"]),
        "error of the mean, MARD (%)": _short(row["mard"]),
        "error of the anisotropy ratio, AR MAE": number(row["ar_mae"]),
    }


def _short(value: float) -> str:
    return f"{value:.1f}" if value >= 0.05 else scientific(value)
