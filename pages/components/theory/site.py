"""The part of the Theory page that takes one convolution apart, on an atom of the chosen crystal."""

import numpy as np
import streamlit as st

from engine.teaching.harmonics import powers
from engine.teaching.sites import Shell, shells
from pages.components import cached, waiting
from pages.components.theory import charts as theory_charts
from pages.components.theory import surfaces as theory_surfaces
from pages.components.theory.text import text
from pages.components.widgets import PLOT, show_table

LMAX = 4  # of the drawn sums; a cubic site shows itself by then
NOTHING = 1e-6
LISTED = 6
SHARE = 0.1  # of the page's moment to wait: the crystal that is turned has the most of it
EXPLANATION = (
    "The distance enters through a small ordinary network $w$ that sees nothing but a number, the **radial "
    "part**. A message from atom $j$ to atom $i$ multiplies the features of $j$ by radial part and harmonics:",
    r"$$m_i = \frac{1}{\sqrt{\bar n}}\sum_{j\,\in\,\mathcal N(i)} f_j \;\otimes_{w(r_{ij})}\; Y(\hat r_{ij}),$$",
    "with $\\mathcal N(i)$ the neighbours of $i$, periodic images included, and $\\bar n$ their mean number. In "
    "the sum, symmetry shows: four neighbours at the corners of a tetrahedron leave nothing with ${\\ell = 1}$ or "
    "$2$, six of an octahedron nothing before ${\\ell = 4}$.",
)


@st.fragment
def take_apart(index: int) -> None:
    """Neighbours, harmonics summed over them, learned radial functions."""
    atoms = cached.atoms(index)
    radials = waiting.computed(cached.learned_radials, what="Radial functions", share=SHARE)
    if radials is None:
        return
    distances, functions = radials
    columns = st.columns(3, gap="medium")
    atom = columns[0].selectbox(
        "Atom", list(atoms), format_func=lambda one: f"{atoms[one]}, atom {one + 1}", key=f"atom-{index}"
    )
    found_site = waiting.computed(cached.site, index, atom, what="The neighbours", share=SHARE)
    if found_site is None:
        return
    around, received = found_site
    if not len(around.numbers):
        st.info("This atom has no neighbour within 5 Å.", icon=":material/info:")
        return
    found = shells(around)
    last = columns[1].selectbox(
        "Neighbours", range(len(found)), format_func=lambda i: _reach(found, i), key=f"shell-{index}-{atom}"
    )
    ell = columns[2].segmented_control(
        "Degree ℓ of the sum", range(LMAX + 1), default=2, key="sum-degree", required=True
    )
    near = around.within(found[last].end)
    chosen = powers(near.vectors, LMAX)
    left, middle, right = st.columns(3, gap="medium")
    with left:
        text(*EXPLANATION)
    with middle:
        st.markdown(f"**Harmonics of ℓ = {ell}, summed over {_neighbours(len(near.numbers))}**")
        figure = theory_surfaces.site(near, ell)
        st.plotly_chart(
            figure, key="site", config=PLOT, alt=f"Directions of the neighbours and their sum for l = {ell}"
        )
        st.caption(_verdict(chosen, ell))
    with right:
        st.markdown("**What is left of each degree**")
        figure = theory_charts.degree_powers(chosen, received)
        st.plotly_chart(figure, key="powers", config=PLOT, alt="Power of the sum for each degree")
        st.caption(
            "The network goes to ℓ = 2. Its neighbours count by their element and distance, as it has learned."
        )
    st.markdown("**Learned radial functions of the first convolution** :gray[the same for every atom and crystal]")
    left, right = st.columns([3, 1], gap="medium", vertical_alignment="center")
    with left:
        figure = theory_charts.radial_functions(distances, functions, found, ell)
        st.plotly_chart(figure, key="radials", config=PLOT, alt="Learned radial functions against distance")
    with right:
        show_table({"neighbours": {_distance(shell): _counts(shell) for shell in found[:LISTED]}})
    st.caption(
        f"One function for each of {functions.shape[2]} channels and each ℓ, from the first of the five networks. "
        "Dotted lines: shells of neighbours of this atom. All functions end smoothly at 5 Å."
    )


def _verdict(chosen: np.ndarray, ell: int) -> str:
    empty = [str(degree) for degree in range(1, LMAX + 1) if chosen[degree] < NOTHING]
    if chosen[ell] < NOTHING:
        text = f"Nothing is left for ℓ = {ell}: the neighbours cancel by symmetry."
    else:
        text = f"Power {chosen[ell]:.2f} for ℓ = {ell}."
    others = f" These neighbours have no part with ℓ = {', '.join(empty)}." if empty else ""
    return f"{text}{others} Blue: above zero. Orange: below. Scaled to fit."


def _neighbours(count: int) -> str:
    return "1 neighbour" if count == 1 else f"{count} neighbours"


def _reach(found: list[Shell], last: int) -> str:
    count = sum(sum(shell.counts.values()) for shell in found[: last + 1])
    return f"nearest {count}, up to {found[last].end:.2f} Å"


def _distance(shell: Shell) -> str:
    return f"{shell.start:.2f} Å" if shell.end - shell.start < 0.01 else f"{shell.start:.2f}–{shell.end:.2f} Å"


def _counts(shell: Shell) -> str:
    return ", ".join(f"{count} {symbol}" for symbol, count in shell.counts.items())
