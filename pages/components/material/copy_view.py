"""A tensor to take away by copying, and the crystal as a file with its lattice parameters."""

from functools import partial

import streamlit as st
from pymatgen.core import Lattice, Structure
from pymatgen.io.cif import CifWriter
from pymatgen.io.vasp import Poscar

from engine.tensors.notation import FORMS, written
from engine.tensors.principal_axes import conventional_cell
from pages.components.material.tensor_view import PARTS, Axes, Sources, tensors_of
from pages.components.widgets import show_table

DECIMALS = 4


def tensor_to_copy(sources: Sources, axes: Axes, key: str) -> None:
    """One tensor, in the form that the visitor chooses, with a button that copies it."""
    parts = [part for part in PARTS if tensors_of(part, sources, axes, whole=True)]
    if not parts:
        return
    # What is closed is not drawn: the browser loads a good deal to show code.
    box = st.expander("Copy a tensor", key=f"{key}-copy", on_change="rerun")
    if not box.open:
        return
    with box:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            part = st.segmented_control(
                "Tensor", parts, default=parts[0], format_func=PARTS.__getitem__, key=f"{key}-copy-part",
                required=True, width="content",
            )  # fmt: skip
            held = tensors_of(part, sources, axes, whole=True)
            source = st.segmented_control(
                "of", list(held), default=next(iter(held)), key=f"{key}-copy-of-{'-'.join(held)}", required=True,
                width="content",
            )  # fmt: skip
            form = st.segmented_control(
                "as", FORMS, default=FORMS[0], key=f"{key}-copy-form", required=True, width="content"
            )
            every = st.toggle("All digits", key=f"{key}-copy-digits", width="content")
        st.code(written(held[source], form, None if every else DECIMALS), language=None)
        st.caption(f"{PARTS[part]} tensor, {source}, in the axes chosen above.")


def crystal_file(structure: Structure, name: str, key: str) -> None:
    """Lattice parameters of the drawn and of the conventional cell, and the crystal as CIF and POSCAR."""
    conventional = Lattice(conventional_cell(structure))
    cells = {"drawn cell": structure.lattice, "conventional cell": conventional}
    show_table(
        {
            title: {
                "a, b, c (Å)": ", ".join(f"{length:.4f}" for length in lattice.abc),
                "α, β, γ (°)": ", ".join(f"{angle:.2f}" for angle in lattice.angles),
                "volume (Å³)": f"{lattice.volume:.2f}",
            }
            for title, lattice in cells.items()
        }
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        for title, ending, make in (("CIF", "cif", cif), ("POSCAR", "vasp", poscar)):
            st.download_button(
                title, partial(make, structure), f"{name}.{ending}", "text/plain", key=f"{key}-structure-{ending}",
                on_click="ignore",
            )  # fmt: skip
        st.caption("The drawn cell. POSCAR keeps the Cartesian axes that the tensors are in; a CIF has none.")


def cif(structure: Structure) -> str:
    """All atoms of the cell, without symmetry, in the order that they have here."""
    return str(CifWriter(structure))


def poscar(structure: Structure) -> str:
    """All digits, so that the axes stay what they are."""
    return Poscar(structure).get_str(significant_figures=12)
