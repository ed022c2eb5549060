"""Elastic and piezoelectric tensors by DFT: matrix, what follows from it, and its value along directions."""

import numpy as np
import streamlit as st
from pymatgen.core import Structure

from engine.crystals.material import Material
from engine.data.citations import CITATIONS
from engine.data.mechanical import SOURCES, Mechanical, mechanical_of
from engine.tensors.axes import turned
from engine.tensors.elasticity import Moduli, is_stable, moduli, youngs_modulus
from engine.tensors.piezoelectricity import longitudinal
from engine.tensors.principal_axes import conventional_cell, line
from engine.tensors.surfaces import Directional, extremes
from engine.tensors.voigt import piezoelectric_matrix, piezoelectric_tensor, stiffness_matrix, stiffness_tensor
from pages.components import charts
from pages.components.crystal.overlay import Overlay
from pages.components.material.direction_view import direction_text, draw_cuts
from pages.components.material.tensor_view import IEEE_AXES, Axes
from pages.components.widgets import PLOT, number, show_table

YOUNG, PIEZOELECTRIC = "Young's modulus E(direction)", "Piezoelectric e(direction)"
GPA, C_PER_M2 = "GPa", "C/m²"
AS_PUBLISHED = f"{IEEE_AXES}, as published"
OPEN = {
    "longitudinal": "How the source's IEEE axes lie in this crystal is known only as far as e(n) needs it, so the "
    "matrix stands in these.",
    "none": "The source gives the tensor in IEEE axes and leaves open how these lie in this crystal: the matrix "
    "and the cuts stand in them, and nothing is drawn into the crystal.",
}


def overlays(material: Material) -> dict[str, Overlay]:
    """What can be drawn into the crystal, by a short name."""
    found = mechanical_of(material)
    drawn: dict[str, Overlay] = {}
    if found is not None and found.elastic is not None and is_stable(found.elastic):
        drawn["young"] = Overlay(quantity=youngs_modulus(found.elastic), name=f"{YOUNG}, DFT", unit=GPA)
    if found is not None and found.piezoelectric is not None:
        drawn["piezoelectric"] = Overlay(
            quantity=longitudinal(found.piezoelectric), name=f"{PIEZOELECTRIC}, DFT", unit=C_PER_M2
        )
    return drawn


def elastic(structure: Structure, found: Mechanical, axes: Axes, key: str) -> None:
    """Stiffnesses, moduli and Young's modulus along directions."""
    if found.elastic is None:
        return
    stiffness = stiffness_matrix(turned(stiffness_tensor(found.elastic), axes.rotation))
    left, right = st.columns([5, 4], gap="large")
    with left:
        _matrix("Stiffness C", stiffness, GPA, axes.name, f"{key}-elastic")
    if not is_stable(found.elastic):
        st.warning("The matrix is not positive definite: this crystal would not hold its shape.")
    else:
        along = youngs_modulus(found.elastic)
        with right:
            show_table({"DFT": _moduli(moduli(found.elastic)) | _ends(along, structure)})
        draw_cuts(YOUNG, {"DFT": youngs_modulus(stiffness)}, axes.name, f"{key}-young")
        st.caption(
            "E(n) = 1 / (nᵢnⱼ Sᵢⱼₖₗ nₖnₗ) in GPa, with the compliances S = C⁻¹: stress over strain in a rod "
            "pulled along n. Bulk and shear moduli are Hill's means between the bounds of Voigt and Reuss, for a "
            "polycrystal without texture; Aᵁ = 5 G_V/G_R + K_V/K_R − 6 is 0 for an isotropic crystal. Of equal "
            "directions one is named. The surface can be chosen above, in the crystal."
        )
    _source("elastic")


def piezoelectric(structure: Structure, found: Mechanical, axes: Axes, key: str) -> None:
    """Stress constants and the longitudinal response along directions."""
    matrix, name = found.piezoelectric_ieee, AS_PUBLISHED
    if found.piezoelectric is not None and found.orientation == "whole":
        matrix = piezoelectric_matrix(turned(piezoelectric_tensor(found.piezoelectric), axes.rotation))
        name = axes.name
    if matrix is None:
        return
    left, right = st.columns([5, 4], gap="large")
    with left:
        _matrix("Piezoelectric stress constants e", matrix, C_PER_M2, name, f"{key}-piezoelectric")
        if found.orientation in OPEN:
            st.caption(OPEN[found.orientation])
    drawn = matrix
    if found.piezoelectric is not None:
        drawn = piezoelectric_matrix(turned(piezoelectric_tensor(found.piezoelectric), axes.rotation))
        name = axes.name
    along = longitudinal(drawn)
    with right:
        rows = {f"Largest size of e(n) ({C_PER_M2})": number(along.largest)}
        if found.piezoelectric is not None:
            own = longitudinal(found.piezoelectric)
            rows["along"] = _direction(own, extremes(own.values)[1], structure)
        show_table({"DFT": rows})
    draw_cuts(PIEZOELECTRIC, {"DFT": along}, name, f"{key}-longitudinal")
    st.caption(
        "e(n) = eᵢⱼₖ nᵢnⱼnₖ in C/m²: polarisation along n that strain along n makes, of opposite sign along −n. "
        "The radius is its size. The sign of all constants together is that of the source's axes, and which way "
        "these point it does not say: which end is positive is not known. Ions are relaxed."
    )
    _source("piezoelectric")


def _matrix(title: str, matrix: np.ndarray, unit: str, axes_name: str, key: str) -> None:
    st.markdown(f"**{title}** ({unit}) :gray[in {axes_name}]")
    figure = charts.voigt_matrix(matrix, dark=st.context.theme.type == "dark")
    st.plotly_chart(figure, key=key, config=PLOT, alt=f"{title} in {axes_name}, {unit}")


def _moduli(found: Moduli) -> dict[str, str]:
    return {
        f"Bulk modulus ({GPA})": _bounded(found.bulk, found.bulk_reuss, found.bulk_voigt),
        f"Shear modulus ({GPA})": _bounded(found.shear, found.shear_reuss, found.shear_voigt),
        f"Young's modulus ({GPA})": number(found.young),
        "Poisson's ratio": number(found.poisson),
        "Universal anisotropy Aᵁ": number(found.anisotropy),
    }


def _bounded(value: float, low: float, high: float) -> str:
    return number(value) if number(low) == number(high) else f"{number(value)}, {number(low)} to {number(high)}"


def _ends(along: Directional, structure: Structure) -> dict[str, str]:
    return {
        f"E, {name} ({GPA})": f"{number(float(along.values(end)))}, {_direction(along, end, structure)}"
        for name, end in zip(("smallest", "largest"), extremes(along.values), strict=True)
    }


def _direction(along: Directional, end: np.ndarray, structure: Structure) -> str:
    return direction_text(line(end, float(along.values(end)), conventional_cell(structure)))


def _source(tensor: str) -> None:
    st.caption(f"DFT (PBE): {CITATIONS[SOURCES[tensor]]}.")
