"""What belongs to a sheet, chain or molecule itself, above the tensors of the box that it stands in."""

import numpy as np
import streamlit as st

from engine.crystals.material import Material
from engine.crystals.read_as import cell_formula
from engine.crystals.vacuum import InVacuum, Kind, in_vacuum
from engine.prediction.low_dimensional import LowDimensional, low_dimensional
from engine.prediction.prediction import Prediction
from pages.components.widgets import number, show_table, subscripts

OF_BOX = ", of the box"
EQUAL = 0.005  # relative; principal values nearer to each other are written once
UNITS = {"Å": "Å", "Å^2": "Å²", "Å^3": "Å³"}
PARTS = {"electronic": "Electronic", "static": "Static"}
ALONG: dict[Kind, str] = {"sheet": "in the plane", "chain": "along"}
RULES: dict[Kind, str] = {
    "sheet": "α = L (ε − 1) / 4π in the plane and L (1 − 1/ε) / 4π across, the parallel and series laws for "
    "layers at a distance L, with no vacuum in it. Predicted for sheets that touch, as the network knows layers.",
    "chain": "α = A (ε − 1) / 4π along, per length, with the cross-section A of the box; across, the field of the "
    "neighbouring chains is taken off. No part of the ions is given: a chain may twist in a slow field.",
    "molecule": "By the relation of Clausius and Mossotti, in its form for a box of any shape. No part of the "
    "ions is given: a molecule may turn in a slow field.",
}
Source = Prediction | Material


def box_of(*sources: Source | None) -> InVacuum | None:
    """What stands in the box that these hold; None for a crystal."""
    for source in sources:
        if isinstance(source, Prediction):
            return None if source.low_dimensional is None else source.low_dimensional.box
        if source is not None:
            return in_vacuum(source)
    return None


def own_response(box: InVacuum, prediction: Prediction | None, dft: Material | None) -> None:
    """Polarisabilities by prediction and DFT, with what they are."""
    owns = {"Prediction": None if prediction is None else prediction.low_dimensional}
    owns["DFT"] = None if dft is None else low_dimensional(box, dft.electronic, dft.total)
    columns = {name: own_rows(own) for name, own in owns.items() if own is not None}
    st.markdown(
        f":material/layers: **A {box.kind} in a box with {box.vacuum:.1f} Å of vacuum.** What belongs to the "
        f"{box.kind} is its polarisability α, the same with any vacuum:"
    )
    show_table({name: rows for name, rows in columns.items() if rows})
    held = subscripts(cell_formula(box.structure))
    st.caption(
        f"For {held}, all that the primitive cell holds, in Gaussian units. {RULES[box.kind]} Permittivities "
        "below are those of the box."
    )


def of_box(rows: dict[str, str]) -> dict[str, str]:
    """Those rows of a summary that a box has, marked as the box's: it is no crystal that light could pass."""
    means = {row: text for row, text in rows.items() if row.endswith(", mean")}
    return {f"{row}{OF_BOX}": text for row, text in means.items()}


def own_rows(own: LowDimensional) -> dict[str, str]:
    """Polarisabilities, row title -> text."""
    unit, rows = UNITS[own.unit], {}
    for part, title in PARTS.items():
        tensor = getattr(own, part)
        if tensor is None:
            continue
        name = f"{title} α"
        if own.kind == "molecule":
            rows[f"{name}, mean ({unit})"] = number(float(np.trace(tensor)) / 3)
            rows[f"{name}, principal ({unit})"] = _listed(own.across(tensor))
        else:
            rows[f"{name}, {ALONG[own.kind]} ({unit})"] = _listed(own.along(tensor))
            rows[f"{name}, across ({unit})"] = _listed(own.across(tensor))
    return rows


def _listed(values: np.ndarray) -> str:
    """One number for values that are equal."""
    same = np.ptp(values) <= EQUAL * np.abs(values).max()
    return number(float(values.mean())) if same else ", ".join(number(float(one)) for one in values)
