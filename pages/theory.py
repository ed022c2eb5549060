"""Why a network can predict a tensor, as things to turn, type over and click."""

import streamlit as st

from pages.components import cached
from pages.components.site import header
from pages.components.theory import mode as theory_mode
from pages.components.theory import parts as theory_parts
from pages.components.theory import site as theory_site
from pages.components.theory import turn as theory_turn
from pages.components.theory.contexts import give_back_contexts
from pages.components.theory.text import asked_crystal, beside, text

header("Theory", "How a network can be told the laws of symmetry instead of having to learn them.")
give_back_contexts()
crystal = asked_crystal()
index = cached.search(crystal)[0]
theory_turn.turn_a_crystal(crystal)

st.subheader("A network that was not told", anchor=False)
beside(
    theory_turn.contrast,
    "If every layer of a network is equivariant, so is the whole network: each layer hands the turn on to the "
    "next. The ordinary network above has none of this: it makes its messages of the $x$, "
    "$y$ and $z$ of each bond, and a turned crystal is another crystal to it. Taught in random orientations, "
    "it changes less, but at a price: it learns less of the anisotropy. The equivariant network needs each "
    "crystal once, which is why about a thousand tensors are enough to start with.",
)

st.subheader("What a dielectric tensor is made of", anchor=False)
beside(
    theory_parts.split_a_matrix,
    "A 3×3 matrix mixes parts that turn in different ways. Sorted into parts that never mix, the "
    "**irreducible representations**, it has one number that does not turn at all (${\\ell=0}$, the "
    "trace), three that turn like a vector (${\\ell=1}$, the antisymmetric part) and five that turn "
    "like a $d$ orbital (${\\ell=2}$, symmetric without trace):",
    r"$$1 \otimes 1 = 0 \oplus 1 \oplus 2,$$",
    r"$$3 \times 3 = 1 + 3 + 5.$$",
    "A dielectric tensor is symmetric, so the vector part is zero and six numbers are left. Neither "
    "of the two parts changes sign under inversion, which the letter e (even) records. The output of "
    "the network is therefore",
    r"$$1{\times}0e + 1{\times}2e .$$",
    "The first is the mean of the diagonal, the second all of the anisotropy. In a cubic crystal no "
    "direction can be preferred: the second part vanishes by symmetry, not because the network has "
    "learned it.",
)

st.subheader("Multiplying features: Clebsch and Gordan", anchor=False)
beside(
    theory_parts.multiply,
    "Inside the network each atom carries features of several $\\ell$. Two of them are multiplied by "
    "the rule that adds angular momenta in quantum mechanics:",
    r"$$h^{(\ell_3)}_{m_3} = \sum_{m_1,m_2} C^{(\ell_3,m_3)}_{(\ell_1,m_1)(\ell_2,m_2)}\,"
    r"f^{(\ell_1)}_{m_1}\,g^{(\ell_2)}_{m_2},$$",
    r"$$|\ell_1-\ell_2| \le \ell_3 \le \ell_1+\ell_2 .$$",
    "The coefficients $C$ are fixed by symmetry; only how much each product counts is learned. Two "
    "vectors, 1o, make their scalar product, 0e, their vector product, 1e, and a symmetric matrix "
    "without trace, 2e: the three parts of a matrix above.",
)

st.subheader("Directions: spherical harmonics", anchor=False)
beside(
    theory_parts.look_at_harmonics,
    "What an atom sees of a neighbour is a distance $r$ and a direction $\\hat r$. The direction "
    "enters through spherical harmonics, which turn among themselves when the crystal turns; for "
    "${\\ell=1}$ they are just $(x, y, z)/r$ up to a factor.",
    "Every smooth function of direction is a sum of them, the finer the higher $\\ell$. The network "
    "from scratch stops at ${\\ell = 2}$, the degree of the tensor that it has to make.",
)

st.subheader("One convolution, taken apart", anchor=False)
theory_site.take_apart(index)

left, right = st.columns(2, gap="large")
with left:
    st.subheader("From features to a tensor that nature allows", anchor=False)
    text(
        "After the last layer each atom gives one scalar and one ${\\ell=2}$ part; their mean over the "
        "atoms is a symmetric matrix $M$. The mean, not the sum: a doubled cell is the same material. The "
        "matrix exponential makes its principal values positive, and the volume per atom $v$ dilutes the "
        "polarisability ($v_0$ is a constant). A small constant $f$ lets an ionic part be zero:",
        r"$$\varepsilon_{\infty} = 1 + \frac{v_0}{v}\,e^{M_\infty},$$",
        r"$$\varepsilon_{\mathrm{ionic}} = \big(e^{2M_{\mathrm{ionic}}} - f^2\big)^{1/2},$$",
        r"$$\varepsilon_0 = \varepsilon_{\infty} + \varepsilon_{\mathrm{ionic}} .$$",
    )
with right:
    st.subheader("Atoms that feel each other", anchor=False)
    text(
        "A mean over atoms forgets how they are arranged. The default model lets every atom keep a "
        "polarisability $A_i$ of its own and couples all of them through the field $T$ of periodic dipoles, so "
        "that a stack of layers answers differently along its layers and across them. With $K_{ij} = A_i^{-1}"
        "\\delta_{ij} + T_{ij}$ and $V$ the volume of the cell:",
        r"$$\varepsilon_{\infty} = 1 + \frac{1}{V} \sum_{ij} \big[K^{-1}\big]_{ij} .$$",
    )

st.subheader("Ions that a static field moves", anchor=False)
text(
    "A field pulls on each atom by its Born charge $Z^*_i$, a tensor that says how the polarisation changes when "
    "the atom moves, and the force constants $\\Phi$ hold it. The default model learns both from DFT: charges "
    "that add up to zero, and an energy that grows when neighbours move against each other. Where the cell allows "
    "it, it also asks the potential for force constants, corrects them by a matrix of each atom, and takes the "
    "mean of the two. What symmetry forbids cancels in the sum, and a soft mode makes it large:",
    r"$$\varepsilon_{\mathrm{ionic}} = \frac{e^2}{\varepsilon_0 V} \sum_{ij} Z^{*}_i\, "
    r"\big[\Phi^{-1}\big]_{ij}\, Z^{*\mathsf{T}}_j .$$",
)
st.subheader("A vibration that light sees", anchor=False)
beside(
    theory_mode.drag_a_frequency,
    "Light shakes a crystal at one frequency, and the crystal answers with the vibrations whose atoms carry a "
    "dipole moment along: the mode $m$ with displacements $w_{mi}$ has the charge $z_m = \\sum_i Z^*_i w_{mi} / "
    "\\sqrt{M_i}$. Where inversion makes $z_m$ zero, as in silicon, no light is absorbed, and the ionic part is "
    "zero too: both are the same sum,",
    r"$$\varepsilon(\omega) = \varepsilon_\infty + \frac{e^2}{\varepsilon_0 V} \sum_m "
    r"\frac{z_m z_m^{\mathsf T}}{\omega_m^2 - \omega^2 - i\gamma\omega} .$$",
    "At ${\\omega = 0}$ the sum is the ionic tensor, whatever the masses. Drag the frequency: a mode that is half "
    "as fast adds four times as much. Between the transverse frequency and the longitudinal one, where "
    "$\\varepsilon$ is below zero, no wave can go on and the crystal reflects.",
)
st.caption(
    "Read on: Thomas et al., Tensor field networks, "
    "[arXiv:1802.08219](https://arxiv.org/abs/1802.08219); Geiger and Smidt, e3nn, "
    "[arXiv:2207.09453](https://arxiv.org/abs/2207.09453); Lou and Ganose, Discovery of highly "
    "anisotropic dielectric crystals with equivariant graph neural networks, "
    "[doi:10.1039/D4FD00096J](https://doi.org/10.1039/D4FD00096J)."
)
