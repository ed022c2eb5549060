"""All that is shown of one crystal's tensors, a tab a subject."""

from collections.abc import Callable

import streamlit as st
from pymatgen.core import Structure

from engine.crystals.material import Material
from engine.data.mechanical import mechanical_of
from engine.optics.measured import Measurement
from engine.prediction.prediction import Prediction
from pages.components.material import (
    context_view,
    copy_view,
    direction_view,
    infrared_view,
    mechanical_view,
    tensor_view,
)


@st.fragment  # another tab draws nothing else of the page anew
def details(
    structure: Structure,
    prediction: Prediction | None,
    dft: Material | None,
    found: list[Measurement],
    key: str,
) -> None:
    """Matrices, axes, cuts, spectra, measurements and neighbours, in axes that the visitor chooses."""
    sources = tensor_view.with_tensors(prediction, dft)
    axes = tensor_view.choose_axes(structure, key)
    formula = structure.composition.reduced_formula
    draw: dict[str, Callable[[], None]] = {
        "Matrices": lambda: _matrices(structure, sources, axes, key),
        "Principal axes": lambda: direction_view.axes_table(structure, sources),
        "Plane cuts": lambda: direction_view.cuts(sources, axes, key),
        "Infrared": lambda: infrared_view.infrared(prediction, dft, key),
    }
    mechanical = mechanical_of(dft) if dft else None
    if mechanical is not None and mechanical.elastic is not None:
        draw["Elastic"] = lambda: mechanical_view.elastic(structure, mechanical, axes, key)
    if mechanical is not None and mechanical.piezoelectric_ieee is not None:
        draw["Piezoelectric"] = lambda: mechanical_view.piezoelectric(structure, mechanical, axes, key)
    draw["Measured"] = lambda: context_view.measured(found, formula, sources, key)
    draw["Similar crystals"] = lambda: context_view.similar(prediction, formula)
    # What is closed is not drawn, so that a page appears at once.
    tabs = st.tabs(list(draw), key=f"{key}-tab", on_change="rerun", bind="query-params")
    for tab, show in zip(tabs, draw.values(), strict=True):
        if tab.open:
            with tab:
                show()


def _matrices(structure: Structure, sources: tensor_view.Sources, axes: tensor_view.Axes, key: str) -> None:
    tensor_view.matrices(structure, sources, axes, key)
    copy_view.tensor_to_copy(sources, axes, key)
