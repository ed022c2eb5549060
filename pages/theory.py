"""Why a network can predict a tensor, with one crystal to turn by hand."""

import numpy as np
import streamlit as st

from engine.errors import EngineError
from pages.components import cached, charts, tensor_view
from pages.components.site import header
from pages.components.widgets import subscripts

CRYSTALS = ("mp-5986", "mp-554278", "mp-2998")


def turn_a_crystal() -> None:
    """Predict for the turned crystal, turn the prediction for the crystal at rest, and compare."""
    left, middle, right = st.columns([2, 1, 2], gap="medium", vertical_alignment="bottom")
    indices = [index for mp_id in CRYSTALS for index in cached.search(mp_id)]
    index = left.selectbox("Crystal", indices, format_func=crystal_name, key="crystal")
    axis = middle.segmented_control("Turn about", charts.AXES, default="x", key="axis", required=True)
    angle = right.slider("Angle (degrees)", 0, 360, 30, 5, key="angle")
    try:
        first, then = cached.turned(index, charts.AXES.index(axis), angle)
    except EngineError as error:
        st.info(f"This needs a trained model: {error}", icon=":material/info:")
        return
    panels = {"D(g) f(x)": first, "f(D(g) x)": then, "Difference": then - first}
    st.plotly_chart(
        charts.tensor_panels(panels, dark=st.context.theme.type == "dark"), key="turned", config=tensor_view.CHART,
        alt="Turned prediction, prediction for the turned crystal, and their difference",
    )  # fmt: skip
    st.caption(
        "Left: the prediction for the crystal at rest, turned afterwards. Middle: the prediction for the turned "
        f"crystal. Largest difference {np.abs(then - first).max():.1e}, which is the rounding of single precision."
    )


def crystal_name(index: int) -> str:
    """Formula, space group and crystal system in one line."""
    material = cached.materials()[index]
    return f"{subscripts(material.formula)}, {material.space_group_symbol}, {material.crystal_system}"


header("Theory", "How a network can be told the laws of symmetry instead of having to learn them.")
with st.container(width=880):
    st.subheader("Invariant and equivariant", anchor=False)
    st.markdown(
        "Put a crystal on the table and turn it. Its band gap stays what it was: a band gap is "
        "**invariant**. Its dielectric tensor turns along with it: the tensor is **equivariant**. Write "
        "$D(g)$ for what a rotation or reflection $g$ does to an object. A function $f$ from crystals to "
        "tensors respects the symmetry if, for every $g$, it makes no difference whether "
        "one turns the crystal first or the answer afterwards:"
    )
    st.latex(r"f\big(D_{\mathrm{crystal}}(g)\,x\big) = D_{\mathrm{tensor}}(g)\,f(x),")
    st.latex(r"D_{\mathrm{tensor}}(g)\,\varepsilon = R_g\,\varepsilon\,R_g^{\mathsf T}.")
    st.markdown(
        "Invariance is the special case in which $D$ on the right does nothing. If every layer of a "
        "network has the property, so has the whole network, because doing $g$ after $h$ is the single "
        "operation $gh$. An ordinary network would have to see each crystal in many orientations to come "
        "near; this one needs each crystal once, which is why about a thousand tensors are enough to "
        "start with. Try it:"
    )
    turn_a_crystal()

    st.subheader("What a dielectric tensor is made of", anchor=False)
    st.markdown(
        "A 3×3 matrix mixes parts that turn in different ways. Sorted into parts that never mix, the "
        "**irreducible representations**, it has one number that does not turn at all ($\\ell=0$, the "
        "trace), three that turn like a vector ($\\ell=1$, the antisymmetric part) and five that turn "
        "like a $d$ orbital ($\\ell=2$, symmetric without trace):"
    )
    st.latex(r"1 \otimes 1 = 0 \oplus 1 \oplus 2,")
    st.latex(r"3 \times 3 = 1 + 3 + 5.")
    st.markdown(
        "A dielectric tensor is symmetric, so the vector part is zero and six numbers are left. Neither "
        "of the two parts changes sign under inversion, which the letter e (even) records. The output of "
        "the network is therefore"
    )
    st.latex(r"1{\times}0e + 1{\times}2e .")
    st.markdown(
        "The first is the mean of the diagonal, the second all of the anisotropy. In a cubic crystal no "
        "direction can be preferred: the second part vanishes by symmetry, not because the network has "
        "learned it."
    )

    st.subheader("Multiplying features: Clebsch and Gordan", anchor=False)
    st.markdown(
        "Inside the network each atom carries features of several $\\ell$. Two of them are multiplied by "
        "the rule that adds angular momenta in quantum mechanics; the coefficients $C$ are fixed by "
        "symmetry, and only how much each product counts is learned:"
    )
    st.latex(
        r"h^{(\ell_3)}_{m_3} = \sum_{m_1,m_2} C^{(\ell_3,m_3)}_{(\ell_1,m_1)(\ell_2,m_2)}\,"
        r"f^{(\ell_1)}_{m_1}\,g^{(\ell_2)}_{m_2},"
    )
    st.latex(r"|\ell_1-\ell_2| \le \ell_3 \le \ell_1+\ell_2 .")

    st.subheader("Directions: spherical harmonics", anchor=False)
    st.markdown(
        "What an atom sees of a neighbour is a distance $r$ and a direction $\\hat r$. The direction "
        "enters through spherical harmonics, which turn among themselves when the crystal turns; for "
        "$\\ell=1$ they are just $(x, y, z)/r$ up to a factor. The distance enters through a small "
        "ordinary network $w$ that sees nothing but a number. A message from atom $j$ to atom $i$ is then"
    )
    st.latex(
        r"m_i = \frac{1}{\sqrt{\bar n}}\sum_{j\,\in\,\mathrm{neighbours}(i)} "
        r"f_j \;\otimes_{w(r_{ij})}\; Y(\hat r_{ij}),"
    )
    st.markdown(
        "with $\\bar n$ the mean number of neighbours. Neighbours are counted through the periodic images "
        "of the cell, so the choice of cell leaves no trace."
    )

    st.subheader("From features to a tensor that nature allows", anchor=False)
    st.markdown(
        "After the last layer each atom gives one scalar and one $\\ell=2$ part; their mean over the "
        "atoms is a symmetric matrix $M$. The mean, not the sum: a doubled cell is the same material. The "
        "matrix exponential makes its principal values positive, and the volume per atom $v$ dilutes the "
        "polarisability ($v_0$ is a constant):"
    )
    st.latex(r"\varepsilon_{\infty} = 1 + \frac{v_0}{v}\,e^{M_\infty},")
    st.latex(r"\varepsilon_{\mathrm{ionic}} = e^{M_{\mathrm{ionic}}},")
    st.latex(r"\varepsilon_0 = \varepsilon_{\infty} + \varepsilon_{\mathrm{ionic}} .")
    st.subheader("Atoms that feel each other", anchor=False)
    st.markdown(
        "A mean over atoms forgets how they are arranged. The default model lets every atom keep a "
        "polarisability $A_i$ of its own and couples all of them through the field $T$ of periodic dipoles, so "
        "that a stack of layers answers differently along its layers and across them. With $K_{ij} = A_i^{-1}"
        "\\delta_{ij} + T_{ij}$ and $V$ the volume of the cell:"
    )
    st.latex(r"\varepsilon_{\infty} = 1 + \frac{1}{V} \sum_{ij} \big[K^{-1}\big]_{ij} .")
    st.caption(
        "Read on: Thomas et al., Tensor field networks, "
        "[arXiv:1802.08219](https://arxiv.org/abs/1802.08219); Geiger and Smidt, e3nn, "
        "[arXiv:2207.09453](https://arxiv.org/abs/2207.09453); Lou and Ganose, dielectric tensors of "
        "crystals from equivariant networks, "
        "[doi:10.1039/D4FD00096J](https://doi.org/10.1039/D4FD00096J)."
    )
