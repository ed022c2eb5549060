"""All that is shown of one crystal's tensors, a tab a subject."""

import streamlit as st
from pymatgen.core import Structure

from engine.experiment import Measurement
from engine.materials import Material
from engine.prediction import Prediction
from pages.components import context_view, direction_view, tensor_view
from pages.components.context_view import Open

TABS = ("Matrices", "Principal axes", "Plane cuts", "Measured", "Similar crystals")


def details(
    structure: Structure,
    prediction: Prediction | None,
    dft: Material | None,
    found: list[Measurement],
    key: str,
    open_here: Open | None = None,
) -> None:
    """Matrices, axes, cuts, measurements and neighbours, in axes that the visitor chooses.

    Args:
        open_here: how the page shows another material; None where that is another page's work.
    """
    sources = tensor_view.with_tensors(prediction, dft)
    axes = tensor_view.choose_axes(structure, key)
    matrices, principal, cuts, measured, similar = st.tabs(TABS)
    with matrices:
        tensor_view.matrices(structure, sources, axes, key)
    with principal:
        direction_view.axes_table(structure, sources)
    with cuts:
        direction_view.cuts(sources, axes, key)
    with measured:
        context_view.measured(found, structure.composition.reduced_formula)
    with similar:
        context_view.similar(prediction, key, open_here)
        context_view.same_formula(structure.composition.reduced_formula, key, open_here)
