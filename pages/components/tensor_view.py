"""Tensors of one crystal on a page: a table of what does not depend on axes, then the matrices."""

from collections.abc import Sequence
from contextlib import suppress

import numpy as np
import streamlit as st
from pymatgen.core import Structure

from engine import frames, tensors
from engine.errors import EngineError
from engine.materials import Material
from engine.prediction import Prediction
from pages.components import charts
from pages.components.widgets import DASH, number, show_table

PARTS = {"electronic": "Electronic", "ionic": "Ionic", "total": "Total"}
INTERVAL = "90 % interval"
CHART = {"displayModeBar": False, "responsive": True}
STRUCTURE_AXES, IEEE_AXES = "structure Cartesian axes", "IEEE axes"


def summary(prediction: Prediction | None, dft: Material | None) -> None:
    """Table of the quantities that are the same in every frame, DFT beside the prediction and its intervals."""
    columns = {}
    if prediction is not None:
        columns["Prediction"] = _quantities(prediction)
        columns[INTERVAL] = _intervals(prediction)
    if dft is not None:
        columns["DFT"] = _quantities(dft)
    shown = {name: {k: v for k, v in column.items() if v != DASH} for name, column in columns.items()}
    show_table({name: column for name, column in shown.items() if column})


def matrices(structure: Structure, prediction: Prediction | None, dft: Material | None, key: str) -> None:
    """Each tensor as a heat map, prediction, DFT and difference on one scale, in axes that the visitor chooses."""
    axes = st.segmented_control(
        "Axes of the matrices",
        [STRUCTURE_AXES, IEEE_AXES],
        default=STRUCTURE_AXES,
        key=f"{key}-axes",
        required=True,
    )
    rotation = np.eye(3)
    if axes == IEEE_AXES:
        try:
            rotation = frames.ieee_rotation(structure)
        except EngineError as error:
            st.info(f"{error}. The matrices below stay in the structure's Cartesian axes.", icon=":material/info:")
            axes = STRUCTURE_AXES
    sources = {"Prediction": prediction, "DFT": dft if dft is not None and dft.electronic is not None else None}
    if all(sources.values()):
        for part, title in PARTS.items():
            _draw(title, _compared(part, sources, rotation), f"{key}-{part}", axes)
    else:
        for name, source in sources.items():
            if source is not None:
                _draw(name, _each_part(source, rotation), f"{key}-{name}", axes)
    _axes_note(structure, rotation, axes)


def interval_note(prediction: Prediction) -> None:
    """What the intervals promise, where the model has them."""
    if _intervals(prediction):
        st.caption(
            "The 90 % intervals are calibrated on crystals held out of training: of ten crystals like these, nine "
            "have their DFT value inside. They are wider where the networks disagree or the crystal is unusual."
        )


def _intervals(prediction: Prediction) -> dict[str, str]:
    found = {}
    with suppress(EngineError):
        found["Refractive index n"] = _range(np.sqrt(prediction.interval("electronic")).tolist())
    for part, title in PARTS.items():
        with suppress(EngineError):  # a model without this part, or never calibrated
            found[f"{title}, mean"] = _range(prediction.interval(part))
            principal = prediction.principal_intervals(part).tolist()
            found[f"{title}, principal values"] = ", ".join(map(_range, principal))
    return found


def _range(bounds: Sequence[float]) -> str:
    return f"{number(bounds[0])}–{number(bounds[1])}"


def _quantities(source: Prediction | Material) -> dict[str, str]:
    rows = _optics(source.electronic, source.n)
    for part in PARTS:
        rows |= _numbers_of(part.capitalize(), getattr(source, part))
    return rows


def _optics(electronic: np.ndarray | None, n: float | None) -> dict[str, str]:
    if electronic is None:
        return {"Refractive index n": number(n)}
    return {
        "Refractive index n": number(tensors.refractive_index(electronic)),
        "Principal indices": _list(tensors.principal_refractive_indices(electronic)),
        "Birefringence Δn": number(tensors.birefringence(electronic)),
        "Optical class": tensors.optical_class(electronic),
    }


def _numbers_of(name: str, tensor: np.ndarray | None) -> dict[str, str]:
    if tensor is None:
        return {}
    principal = tensors.principal_values(tensor)
    return {
        f"{name}, mean": number(tensors.mean(tensor)),
        f"{name}, principal values": _list(principal),
        f"{name}, anisotropy ratio": number(tensors.anisotropy_ratio(tensor)) if principal[0] > 1e-6 else DASH,
    }


def _list(values: np.ndarray) -> str:
    return ", ".join(number(float(value)) for value in values)


def _compared(part: str, sources: dict[str, Prediction | Material], rotation: np.ndarray) -> dict[str, np.ndarray]:
    found = {name: getattr(source, part) for name, source in sources.items()}
    panels = {name: rotation @ tensor @ rotation.T for name, tensor in found.items() if tensor is not None}
    if len(panels) == 2:
        panels["Prediction − DFT"] = panels["Prediction"] - panels["DFT"]
    return panels


def _each_part(source: Prediction | Material, rotation: np.ndarray) -> dict[str, np.ndarray]:
    found = {title: getattr(source, part) for part, title in PARTS.items()}
    return {title: rotation @ tensor @ rotation.T for title, tensor in found.items() if tensor is not None}


def _draw(title: str, panels: dict[str, np.ndarray], key: str, axes: str) -> None:
    if not panels:
        return
    st.markdown(f"**{title}** :gray[in {axes}]")
    figure = charts.tensor_panels(panels, dark=st.context.theme.type == "dark")
    st.plotly_chart(figure, key=key, config=CHART, alt=f"{title} in {axes}: {', '.join(panels)}")


def _axes_note(structure: Structure, rotation: np.ndarray, axes: str) -> None:
    with st.expander("Lattice vectors in these axes"):
        vectors = dict(zip("abc", structure.lattice.matrix @ rotation.T, strict=True))
        show_table({f"{x} (Å)": {n: f"{v[i]:.4f}" for n, v in vectors.items()} for i, x in enumerate(charts.AXES)})
        st.caption(
            "IEEE axes follow the IEEE standard on piezoelectricity of 1987, from the conventional cell."
            if axes == IEEE_AXES
            else "x, y and z are those of the drawing and of the structure file. A CIF stores no orientation, so "
            "compare matrices from elsewhere only after checking their axes."
        )
