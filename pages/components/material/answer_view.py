"""One crystal that was brought, as it was read, and the answer to it."""

import streamlit as st
from pymatgen.core import Structure

from engine.crystals.own_tensors import own_tensors
from engine.crystals.read_as import read_as
from engine.optics.measured import measurements
from engine.prediction.prediction import Prediction
from pages.components.material import direction_view, tensor_view
from pages.components.material.details import details
from pages.components.material.metal_notice import unless_metal
from pages.components.widgets import show_warnings, space_group, subscripts


def understood(structure: Structure) -> str:
    """What was read, to be checked against the file."""
    facts = read_as(structure)
    group = f", {space_group(facts['space_group'])} ({facts['number']})" if facts["space_group"] else ""
    lengths = ", ".join(f"{length:.3f}" for length in facts["lengths"])
    angles = ", ".join(f"{angle:.4g}" for angle in facts["angles"])
    atoms = f"{facts['atoms']} atom{'s' if facts['atoms'] > 1 else ''} in the cell"
    line = (
        f"Read as {subscripts(facts['formula'])}{group}: {atoms}, {lengths} Å, {angles}°, "
        f"{facts['density']:.2f} g/cm³."
    )
    return " ".join([line, *facts["assumed"]])


def show(prediction: Prediction, key: str) -> None:
    """One crystal and its tensors."""
    found, own = measurements(prediction.structure), own_tensors(prediction.structure)
    st.caption(understood(prediction.structure))
    left, right = st.columns([6, 7], gap="large")
    with right:
        shown = unless_metal(prediction, None, key)
        tensor_view.summary(shown, own, found[0] if found else None)
        formula = prediction.formula
        show_warnings([warning.replace(formula, subscripts(formula)) for warning in prediction.warnings])
        tensor_view.reading_notes(shown, found[0] if found else None)
        if not prediction.held_out:
            st.caption(
                f"All networks answered, also those trained on the formula {subscripts(prediction.formula)}. The "
                "Look up page asks only networks that were not, to compare with DFT: its numbers differ."
            )
        if own is not None:
            st.caption("DFT: tensors of the run that the file comes from, by its own functional and settings.")
    with left:
        direction_view.crystal(prediction.structure, tensor_view.with_tensors(shown, own), key)
    details(prediction.structure, shown, own, found, key)
