"""The parts of the Theory page on irreducible representations, their products and spherical harmonics."""

import numpy as np
import pandas as pd
import streamlit as st

from engine.teaching.harmonics import LMAX, NATURAL, POLYNOMIALS, clebsch_gordan, is_natural, selection_rule
from engine.tensors.tensors import irreducible_parts
from pages.components import charts
from pages.components.theory import charts as theory_charts
from pages.components.theory import surfaces as theory_surfaces
from pages.components.widgets import PERCENT, PLOT

EXAMPLES = {
    "any matrix": [[4.0, 1.0, 0.0], [2.0, 3.0, -1.0], [0.5, 0.0, 8.0]],
    "symmetric": [[4.0, 1.0, 0.0], [1.0, 3.0, -1.0], [0.0, -1.0, 8.0]],
    "quarter turn about z": [[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]],
}
COUNTS = ("1 number", "3 numbers", "5 numbers")
LARGEST = 1e6  # entries that a visitor may type
NOTHING = 1e-12  # of the squares of all entries
KINDS = {
    "0e": "a scalar",
    "1o": "a vector",
    "1e": "an axial vector, like a magnetic field",
    "2e": "a symmetric matrix without trace",
}
FIRST_CELL = (1, "1o")  # row and column


@st.fragment
def split_a_matrix() -> None:
    """Any 3x3 matrix, typed by the visitor, in its three irreducible parts."""
    example = st.segmented_control(
        "Begin with", list(EXAMPLES), default="any matrix", key="example", required=True
    )
    number = st.column_config.NumberColumn(format="%g", min_value=-LARGEST, max_value=LARGEST)
    typed = st.data_editor(
        pd.DataFrame(EXAMPLES[example], index=charts.AXES, columns=charts.AXES), key=f"matrix-{example}",
        column_config=dict.fromkeys(charts.AXES, number), disabled=["_index"],
    )  # fmt: skip
    st.caption("Type over any of the nine numbers.")
    matrix = typed.fillna(0.0).to_numpy(dtype=float)
    parts = irreducible_parts(matrix)
    panels = {f"ℓ = {ell}, {COUNTS[ell]}": part for ell, part in enumerate(parts)}
    st.plotly_chart(
        charts.tensor_panels(panels, dark=st.context.theme.type == "dark"), key="parts", config=PLOT,
        alt="Scalar, antisymmetric and symmetric traceless part of the matrix",
    )  # fmt: skip
    st.markdown(_shares(matrix, parts))


def _shares(matrix: np.ndarray, parts: tuple[np.ndarray, ...]) -> str:
    """How much of the matrix is in each part, and what an empty l = 1 means."""
    total = float(np.square(matrix).sum())
    if total == 0:
        return "Every part of zero is zero."
    shares = [float(np.square(part).sum()) / total for part in parts]
    written = ", ".join(f"{100 * share:.1f}{PERCENT} in ℓ = {ell}" for ell, share in enumerate(shares))
    if shares[1] < NOTHING:
        why = "The matrix equals its transpose, so **the ℓ = 1 part is zero**: it is half their difference."
    else:
        axial = ", ".join(f"{x:.3g}" for x in (parts[1][2, 1], parts[1][0, 2], parts[1][1, 0]))
        why = f"The ℓ = 1 part is the axial vector ({axial}); in a symmetric matrix it is zero."
    return f"The squares of the nine entries: {written}. {why}".replace("-", "−")


@st.fragment
def multiply() -> None:
    """The selection rule as a table, and the coefficients of the product that is clicked."""
    first, second = _chosen_product()
    allowed = selection_rule(first, second)
    third = st.segmented_control(
        f"{first} ⊗ {second} contains", allowed, default=allowed[len(allowed) // 2],
        key=f"third-{first}-{second}", required=True,
    )  # fmt: skip
    st.markdown(_described(first, second, third))
    values = clebsch_gordan(first, second, third)
    st.markdown(f"**Coefficients of {first} ⊗ {second} → {third}**")
    st.plotly_chart(
        theory_charts.coefficients(values, dark=st.context.theme.type == "dark"), key="coefficients",
        config=PLOT, alt=f"Coefficients of {first} times {second} to {third}",
    )  # fmt: skip
    st.caption(
        f"One panel for each component of {third}, named above it; rows are components of the {first} factor, "
        f"columns of the {second} one. Where axes are numbered, they count m."
    )


def _chosen_product() -> tuple[str, str]:
    """The table of all products, whose rows and columns are the factors; returns those of the chosen cell."""
    products = [[" + ".join(selection_rule(a, b)) for b in NATURAL] for a in NATURAL]
    chosen = st.dataframe(
        pd.DataFrame(products, index=NATURAL, columns=NATURAL), key="product", on_select="rerun",
        selection_mode="single-cell", selection_default={"selection": {"cells": [FIRST_CELL]}},
        alt="Selection rule: what each product contains",
    )  # fmt: skip
    st.caption("Click a product. e is even under inversion, o is odd; parities multiply like signs.")
    row, column = (chosen["selection"]["cells"] or [FIRST_CELL])[0]
    return NATURAL[row], column


def _described(first: str, second: str, third: str) -> str:
    """Why the product contains this irrep, and what the network makes of it."""
    l1, l2, l3 = (irrep[:-1] for irrep in (first, second, third))
    signs = [{"e": "even", "o": "odd"}[irrep[-1]] for irrep in (first, second, third)]
    kind = f"{third} is {KINDS[third]}. " if third in KINDS else ""
    if not is_natural(third):
        kept = "No spherical harmonic has this parity, and the network leaves it out."
    elif int(l3) > 2:
        kept = "The network from scratch leaves it out: it stops at ℓ = 2."
    else:
        kept = "The network keeps it: a spherical harmonic has the same parity."
    return f"|{l1} − {l2}| ≤ {l3} ≤ {l1} + {l2}, and {signs[0]} · {signs[1]} = {signs[2]}. {kind}{kept}"


@st.fragment
def look_at_harmonics() -> None:
    """One real spherical harmonic in three dimensions."""
    left, right = st.columns(2, gap="medium")
    ell = left.segmented_control(
        "Degree ℓ", range(LMAX + 1), default=2, key="degree", required=True, bind="query-params"
    )
    names = dict(zip(range(-ell, ell + 1), POLYNOMIALS[ell], strict=True))
    order = right.segmented_control(
        "Order m", list(names), default=0, key=f"order-{ell}", required=True,
        format_func=lambda m: f"{m}".replace("-", "−"),
    )  # fmt: skip
    st.plotly_chart(
        theory_surfaces.harmonic(ell, order + ell), key="harmonic", config=PLOT,
        alt=f"Spherical harmonic of degree {ell} and order {order}",
    )  # fmt: skip
    st.markdown(f"$Y_{{{ell},{order}}}$ is proportional to **{names[order]}** on the unit sphere.")
    st.caption(
        "Radius: size of Y in this direction. Blue: above zero. Orange: below. m counts about the y axis, so "
        f"that ℓ = 1 reads x, y, z. Turned, this one is a sum of all {2 * ell + 1} with ℓ = {ell}."
    )
