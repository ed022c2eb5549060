"""Tensors of one crystal on a page: a table of what does not depend on axes, then the matrices."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import NamedTuple

import numpy as np
import streamlit as st
from pymatgen.core import Structure

from engine.crystals.material import Material
from engine.errors import EngineError
from engine.optics.measured import Measurement
from engine.prediction.prediction import Prediction
from engine.tensors import axes, tensors
from engine.tensors.axes import allowed_part, distinct_values
from pages.components import charts
from pages.components.material import low_dimensional_view
from pages.components.material.low_dimensional_view import OF_BOX, box_of
from pages.components.material.metal_notice import stands_for_nothing
from pages.components.widgets import (
    DASH,
    INTERVAL,
    PERCENT,
    PLOT,
    number,
    show_table,
    show_warnings,
    span,
    uncertain,
)

PARTS = {"electronic": "Electronic", "ionic": "Ionic", "total": "Total"}
WAYS = {
    "full": "The ionic part comes from Born charges and force constants, the network's own and the potential's.",
    "direct": "The ionic part comes from Born charges and force constants of the network alone.",
    "coarse": "The ionic part is read off the atoms' surroundings, without force constants.",
}
PARTS_NOTE = (
    "Electronic: ε∞, the response to light, in which ions stand still. Ionic: what their motion adds in a slow "
    "field. Total: ε₀, the static permittivity, the sum of both. Means are those of the diagonal."
)
INDEX_NOTE = "n = √(mean of ε∞'s diagonal), Materials Project's definition. "
REFLECTANCE_NOTE = (
    " Reflectance is ((n − 1) / (n + 1))² at normal incidence for each principal index: for light of photon "
    "energies well below the band gap and well above the lattice vibrations."
)
DOUBT = "(?)"  # behind a doubtful value
USELESS = "no useful prediction"
NO_TENSOR = "No dielectric tensor is shown here."
SEEN = 0.01  # of a tensor's components
INDEX = "Refractive index n"
NOT_STATED = "polymorph not stated"
REFLECTANCE = "Reflectance, principal"
STRUCTURE_AXES, IEEE_AXES = "structure Cartesian axes", "IEEE axes"
Sources = dict[str, Prediction | Material]


class Axes(NamedTuple):
    """A rotation [3, 3] from the structure's Cartesian axes, and what the axes are called."""

    rotation: np.ndarray
    name: str

    def of(self, tensor: np.ndarray) -> np.ndarray:
        """[3, 3] a tensor of the structure's axes, in these."""
        return self.rotation @ tensor @ self.rotation.T


def summary(prediction: Prediction | None, dft: Material | None, measured: Measurement | None = None) -> None:
    """Table of the quantities that are the same in every frame: prediction, its intervals, DFT, measurement.

    What stands in a box with vacuum has its own response above, and no quantities of light below.
    """
    gap = None if dft is None else dft.band_gap
    columns = {}
    if prediction is not None:
        columns["Prediction"] = _useful(_quantities(prediction, gap) | _rounded(prediction), prediction.useless)
        columns[INTERVAL] = _intervals(prediction)
    if dft is not None:
        columns["DFT"] = _marked(_quantities(dft, gap), dft.doubts)
    if measured is not None:
        columns[f"Measured ({measured.phase or NOT_STATED})"] = _optics(
            np.diag(measured.principal**2), None, gap, len(measured.rays)
        )
    if box := box_of(prediction, dft):
        low_dimensional_view.own_response(box, prediction, dft)
        columns = {name: low_dimensional_view.of_box(column) for name, column in columns.items()}
    shown = {name: {k: v for k, v in column.items() if v != DASH} for name, column in columns.items()}
    show_table({name: column for name, column in shown.items() if column})


def predicted_rows(prediction: Prediction | None, dft: Material) -> dict[str, str]:
    """The same of a prediction alone, its intervals in brackets; of a metal, that it is one."""
    if prediction is None:
        return {}
    if stands_for_nothing(prediction, dft):
        return {INDEX: f"likely a metal ({100 * prediction.metallic:.0f}{PERCENT})"}
    rows = _useful(_quantities(prediction, dft.band_gap) | _rounded(prediction), prediction.useless)
    bounds = _intervals(prediction)
    rows = {row: f"{text} [{bounds[row]}]" if row in bounds else text for row, text in rows.items()}
    own = prediction.low_dimensional
    return rows if own is None else low_dimensional_view.own_rows(own) | low_dimensional_view.of_box(rows)


def dft_rows(dft: Material) -> dict[str, str]:
    """The same of DFT, doubtful values marked."""
    rows = _marked(_quantities(dft, dft.band_gap), dft.doubts)
    return low_dimensional_view.of_box(rows) if box_of(dft) else rows


def choose_axes(structure: Structure, key: str) -> Axes:
    """The axes that the visitor wants matrices and cuts in; the structure's own where IEEE axes are undefined."""
    chosen = st.segmented_control(
        "Axes of matrices and cuts",
        [STRUCTURE_AXES, IEEE_AXES],
        default=STRUCTURE_AXES,
        key=f"{key}-axes",
        required=True,
        bind="query-params",
    )
    if chosen == IEEE_AXES:
        try:
            return Axes(axes.ieee_rotation(structure), IEEE_AXES)
        except EngineError as error:
            st.info(f"{error}. All below stays in the structure's Cartesian axes.", icon=":material/info:")
    return Axes(np.eye(3), STRUCTURE_AXES)


def matrices(structure: Structure, sources: Sources, axes: Axes, key: str) -> None:
    """Each tensor as a heat map; where there are prediction and DFT, both and their difference on one scale."""
    whose = OF_BOX if box_of(*sources.values()) else ""
    if not sources:
        st.caption(NO_TENSOR)
    if len(sources) == 2:
        for part, title in PARTS.items():
            mark = _mark(sources.values(), part)
            _draw(title + whose, _compared(part, sources, axes), f"{key}-{part}", axes, mark)
    else:
        for name, source in sources.items():
            marks = [_mark([source], part) for part in PARTS]
            _draw(name + whose, _each_part(source, axes), f"{key}-{name}", axes, "; ".join(filter(None, marks)))
    forbidden_note(sources)
    _axes_note(structure, axes)


def with_tensors(prediction: Prediction | None, dft: Material | None) -> Sources:
    """Those of both that hold a tensor, by the name that pages call them."""
    found = {"Prediction": prediction, "DFT": dft}
    return {
        name: one for name, one in found.items() if one and any(getattr(one, part) is not None for part in PARTS)
    }


def tensors_of(part: str, sources: Sources, axes: Axes, *, whole: bool = False) -> dict[str, np.ndarray]:
    """[3, 3] electronic, ionic or total tensor of each source that has it, in these axes.

    As symmetry allows, or the `whole` of it, as files have it.
    """
    of = getattr if whole else _allowed
    found = {name: of(source, part) for name, source in sources.items()}
    return {name: axes.of(tensor) for name, tensor in found.items() if tensor is not None}


def _allowed(source: Prediction | Material, part: str) -> np.ndarray | None:
    tensor = getattr(source, part)
    return None if tensor is None else allowed_part(tensor, source.structure)


def forbidden_note(sources: Sources) -> None:
    """How much DFT's tensors have that the symmetry forbids and that is not drawn, where it is enough to see."""
    dft = sources.get("DFT")
    if dft is None:
        return
    left_out = [
        float(np.abs(getattr(dft, part) - allowed).max())
        for part in PARTS
        if (allowed := _allowed(dft, part)) is not None
    ]
    if left_out and max(left_out) > SEEN:
        st.caption(
            f"DFT's components that the crystal's symmetry forbids, up to {number(max(left_out))}, are noise and "
            "not shown; the files have them."
        )


def reading_notes(prediction: Prediction | None, measured: Measurement | None) -> None:
    """What the rows of the summary hold for, and what the intervals promise where the model has them."""
    st.caption(PARTS_NOTE if box_of(prediction) else INDEX_NOTE + PARTS_NOTE + REFLECTANCE_NOTE)
    if measured is not None:
        st.caption(
            f"Measured at {measured.wavelength:.2f} µm, room temperature, {measured.name}: see the tab Measured."
        )
    if prediction is not None and prediction.ionic_method:
        st.caption(WAYS[prediction.ionic_method])
    if prediction is not None and _intervals(prediction):
        st.caption(
            "The 90 % intervals are calibrated on crystals left out of training: over many of those, nine in ten "
            "DFT means lie inside; the Model page has the share in each group. That is no promise for a single "
            "crystal, nor for crystals unlike the data. They are wider where the networks disagree or the crystal "
            "is unusual."
        )


def doubts_note(dft: Material) -> None:
    """Why values that carry `DOUBT` in the summary may be wrong."""
    show_warnings([f"{DOUBT} DFT, {doubt}." for doubt in dft.doubts])


def _marked(rows: dict[str, str], doubts: Sequence[str]) -> dict[str, str]:
    """The rows that hang on a doubtful part, with `DOUBT` behind the value."""
    parts = doubtful_parts(doubts)
    doubtful = set(rows) - {f"{PARTS['ionic']}, mean"} if "electronic" in parts else set()
    doubtful |= {f"{PARTS[part]}, mean" for part in parts}
    return {row: f"{text} {DOUBT}" if row in doubtful and text != DASH else text for row, text in rows.items()}


def doubtful_parts(doubts: Sequence[str]) -> set[str]:
    """Parts of DFT's tensor that its doubts, see `Material.doubts`, are about; the total hangs on both others."""
    parts = {doubt.split()[0] for doubt in doubts}
    return parts | ({"total"} if parts else set())


def _useful(rows: dict[str, str], useless: Collection[str]) -> dict[str, str]:
    """The rows without values that say nothing: those of light hang on the electronic part."""
    return {row: USELESS if part_of(row) in useless else text for row, text in rows.items()}


def _intervals(prediction: Prediction) -> dict[str, str]:
    return {row: span(bounds) for row, (_, bounds) in bounded(prediction).items()}


def _rounded(prediction: Prediction) -> dict[str, str]:
    """Values with no more digits than their intervals leave them."""
    found = bounded(prediction)
    rows = {row: uncertain(value, bounds) for row, (value, bounds) in found.items()}
    if INDEX in found and prediction.electronic is not None:
        bounds = found[INDEX][1]
        indices = tensors.principal_refractive_indices(prediction.electronic)
        rows["Principal indices"] = ", ".join(uncertain(float(one), bounds) for one in indices)
    return rows


def part_of(row: str) -> str:
    """Part of the tensor that a row of the summary hangs on."""
    return {f"{title}, mean": part for part, title in PARTS.items()}.get(row, "electronic")


def bounded(prediction: Prediction) -> dict[str, tuple[float, Sequence[float]]]:
    """Row of the summary -> value and interval, of those that have one."""
    found: dict[str, tuple[float, Sequence[float]]] = {}
    for part, title in PARTS.items():
        with suppress(EngineError):  # a model without this part, or never calibrated
            bounds, value = prediction.interval(part), tensors.mean(getattr(prediction, part))
            found[f"{title}, mean"] = (value, bounds)
            if part == "electronic":
                found[INDEX] = (float(np.sqrt(value)), np.sqrt(bounds).tolist())
    return found


def _quantities(source: Prediction | Material, gap: float | None) -> dict[str, str]:
    electronic = source.allowed_electronic if isinstance(source, Material) else source.electronic
    rows = _optics(electronic, source.n, gap, distinct_values(source.structure))
    for part, title in PARTS.items():
        tensor = getattr(source, part)
        rows |= {} if tensor is None else {f"{title}, mean": number(tensors.mean(tensor))}
    return rows


def _optics(electronic: np.ndarray | None, n: float | None, gap: float | None, distinct: int) -> dict[str, str]:
    if electronic is None:
        return {INDEX: number(n)}
    rows = {
        INDEX: number(tensors.refractive_index(electronic)),
        "Principal indices": _list(tensors.principal_refractive_indices(electronic)),
        "Birefringence Δn": number(tensors.birefringence(electronic)),
        "Optical class": _optical_class(electronic, distinct),
    }
    if gap != 0:  # light is absorbed at every wavelength where there is no gap
        rows[REFLECTANCE] = ", ".join(f"{100 * one:.1f}" for one in tensors.reflectance(electronic)) + PERCENT
    return rows


def _optical_class(electronic: np.ndarray, distinct: int) -> str:
    """With the sign in brackets, as optical mineralogy writes it, and the acute angle between the optic axes."""
    found = tensors.optical_class(electronic, distinct)
    if found != "biaxial":
        return found.replace("positive", "(+)").replace("negative", "(−)")
    angle = tensors.optic_axial_angle(electronic)
    return f"biaxial {'(+)' if angle < 90 else '(−)'}, 2V = {min(angle, 180 - angle):.0f}°"


def _list(values: np.ndarray) -> str:
    return ", ".join(number(float(value)) for value in values)


def _compared(part: str, sources: Sources, axes: Axes) -> dict[str, np.ndarray]:
    panels = tensors_of(part, sources, axes)
    if len(panels) == 2:
        panels["Prediction − DFT"] = panels["Prediction"] - panels["DFT"]
    return panels


def _each_part(source: Prediction | Material, axes: Axes) -> dict[str, np.ndarray]:
    found = {title: _allowed(source, part) for part, title in PARTS.items()}
    return {title: axes.of(tensor) for title, tensor in found.items() if tensor is not None}


def _mark(sources: Collection[Prediction | Material], part: str) -> str:
    """What is to be said beside a part: that the prediction is useless, or DFT's value doubtful."""
    said = []
    for source in sources:
        if isinstance(source, Prediction) and part in source.useless:
            said.append(f"{USELESS} of the {part} tensor")
        if isinstance(source, Material) and part in doubtful_parts(source.doubts):
            said.append(f"{DOUBT} DFT's {part} tensor is doubtful")
    return "; ".join(said)


def _draw(title: str, panels: dict[str, np.ndarray], key: str, axes: Axes, mark: str) -> None:
    if not panels:
        return
    st.markdown(f"**{title}** :gray[in {axes.name}]" + (f" :orange[{mark}]" if mark else ""))
    figure = charts.tensor_panels(panels, dark=st.context.theme.type == "dark")
    st.plotly_chart(figure, key=key, config=PLOT, alt=f"{title} in {axes.name}: {', '.join(panels)}")


def _axes_note(structure: Structure, axes: Axes) -> None:
    with st.expander("Lattice vectors in these axes"):
        vectors = dict(zip("abc", structure.lattice.matrix @ axes.rotation.T, strict=True))
        show_table({f"{x} (Å)": {n: f"{v[i]:.4f}" for n, v in vectors.items()} for i, x in enumerate(charts.AXES)})
        st.caption(
            "IEEE axes follow the IEEE standard on piezoelectricity of 1987, from the conventional cell."
            if axes.name == IEEE_AXES
            else "x, y and z are those of the drawing and of the structure file. A CIF stores no orientation, so "
            "compare matrices from elsewhere only after checking their axes."
        )
