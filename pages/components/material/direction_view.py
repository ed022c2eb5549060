"""What a tensor says along directions: its surface in the crystal, its principal axes, its plane cuts."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

import numpy as np
import streamlit as st
from pymatgen.core import Structure

from engine.crystals.material import Material
from engine.errors import EngineError
from engine.prediction.prediction import Prediction
from engine.tensors import surfaces, tensors
from engine.tensors.axes import allowed_part, distinct_values
from engine.tensors.principal_axes import PrincipalAxis, conventional_cell, principal_axes
from engine.tensors.surfaces import Directional
from pages.components.crystal.overlay import Overlay
from pages.components.crystal.viewer import structure_view
from pages.components.material.cut_charts import LINES, NEGATIVE, POSITIVE, polar_cut
from pages.components.material.low_dimensional_view import OF_BOX, box_of
from pages.components.material.tensor_view import (
    DOUBT,
    NO_TENSOR,
    PARTS,
    USELESS,
    Axes,
    Sources,
    doubtful_parts,
    forbidden_note,
    tensors_of,
)
from pages.components.widgets import DASH, INTERVAL, PLOT, number, show_table, span, uncertain

NOTHING = "none"
INDEX: Final = "index ellipsoid"
DRAWN = {part: f"{title} ε(direction)" for part, title in PARTS.items()} | {INDEX: "Refractive-index ellipsoid"}
MEANS = {
    "permittivity": "The radius is ε(n) = nᵀ ε n, the permittivity that a field along the direction n meets.",
    INDEX: "The radius is the index of light whose D field is along that direction; the semi-axes are nᵢ = √εᵢ "
    "of the electronic tensor.",
}


def crystal(structure: Structure, sources: Sources, key: str, more: Mapping[str, Overlay] | None = None) -> None:
    """The crystal with the surface of a tensor in it.

    Args:
        more: surfaces of other tensors that may be drawn, by a short name.
    """
    place = st.container()
    overlay = choose_overlay(sources, key, more or {})
    with place:
        structure_view(structure, key, overlay)


def choose_overlay(sources: Sources, key: str, more: Mapping[str, Overlay]) -> Overlay | None:
    """The surface that the visitor wants in the crystal."""
    options = [NOTHING, *_available(sources), *more]
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    drawn = left.selectbox(
        "Surface in the crystal", options, index=min(1, len(options) - 1), key=f"{key}-surface",
        format_func=lambda one: more[one].name if one in more else _name(one), bind="query-params",
    )  # fmt: skip
    if drawn == NOTHING or drawn in more:
        return more.get(drawn)
    held = _tensors(sources, drawn)
    holders = list(held)
    source = right.segmented_control(
        "of", holders, default=holders[-1], key=f"{key}-of-{'-'.join(holders)}", required=True
    )
    try:
        quantity = surfaces.of_tensor(held[source], _shape(drawn))
        surfaces.check_body(quantity)
    except EngineError as error:
        st.caption(f"{_name(drawn)} of the {source}: {error}.")
        return None
    name = f"{_name(drawn)}, {source}{OF_BOX if box_of(*sources.values()) else ''}"
    return Overlay(quantity=quantity, name=name)


def axes_table(structure: Structure, sources: Sources) -> None:
    """Each principal value and the crystal direction along which it holds."""
    cell, distinct = conventional_cell(structure), distinct_values(structure)
    columns: dict[str, dict[str, str]] = {name: {} for name in sources}
    for part, title in PARTS.items():
        for name, tensor in tensors_of(part, sources, Axes(np.eye(3), "")).items():
            found, source = principal_axes(tensor, cell, distinct), sources[name]
            columns[name] |= _rows(title, part, found, tensor, source)
    prediction = sources.get("Prediction")
    if isinstance(prediction, Prediction):
        columns = {"Prediction": columns["Prediction"], INTERVAL: _intervals(prediction, cell, distinct)} | columns
    if not columns:
        st.caption(NO_TENSOR)
        return
    show_table(columns)
    lengths = ", ".join(
        f"{x} = {length:.3f} Å" for x, length in zip("abc", np.linalg.norm(cell, axis=1), strict=True)
    )
    st.caption(
        f"Directions [uvw] and angles count along the conventional cell, {lengths}, "
        "which may be larger than the drawn one; ≈ marks a direction up to 2° off. The anisotropy ratio is the "
        "largest value over the smallest."
    )
    forbidden_note(sources)


def cuts(sources: Sources, axes: Axes, key: str) -> None:
    """Polar plots of one quantity in three planes, prediction and DFT over each other."""
    options = _available(sources)
    if not options:
        st.caption("No dielectric tensor is shown here, so there is none to cut.")
        return
    drawn = st.segmented_control(
        "Quantity", options, default=options[0], format_func=_name, key=f"{key}-cut", required=True
    )
    shape, found = _shape(drawn), tensors_of(_part(drawn), sources, axes)
    try:
        draw_cuts(
            _name(drawn), {name: surfaces.of_tensor(one, shape) for name, one in found.items()}, axes.name, key
        )
    except EngineError as error:
        st.info(f"{_name(drawn)}: {error}.", icon=":material/info:")
        return
    st.caption(f"{MEANS[shape]} No unit; all three planes have one scale that begins at 0.")


def draw_cuts(title: str, quantities: Mapping[str, Directional], axes_name: str, key: str) -> None:
    """Polar plots in three planes, a line a source, or two where the sign changes; raises as `surfaces.cut`."""
    curves = {
        plane: dict(line for name, one in quantities.items() for line in _lines(name, one, plane).items())
        for plane in surfaces.PLANES
    }
    signed = any(one.signed for one in quantities.values())
    largest = max(np.nanmax(radii, initial=0) for plane in curves.values() for _, radii in plane.values())
    if signed:
        largest = max(one.largest for one in quantities.values())
    names = next(iter(curves.values()))
    lines = " · ".join(f":{_COLOR_NAMES[name]}[**{_MARKS[name]}** {name}]" for name in names if name in LINES)
    st.markdown(f"{lines} :gray[in {axes_name}]")
    for place, (plane, of_plane) in zip(st.columns(3), curves.items(), strict=True):
        place.plotly_chart(
            polar_cut(of_plane, plane, largest), key=f"{key}-cut-{plane}", config=PLOT,
            alt=f"{title} in the {plane} plane of {axes_name}: {', '.join(of_plane)}",
        )  # fmt: skip


def _lines(name: str, quantity: Directional, plane: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The name of each line, and its angles and radii; nan where the value has the other sign."""
    angles, values = surfaces.cut(quantity, plane)
    if not quantity.signed:
        return {name: (angles, values)}
    parts = {POSITIVE: values >= 0, NEGATIVE: values <= 0}
    return {line: (angles, np.where(there, np.abs(values), np.nan)) for line, there in parts.items()}


_COLOR_NAMES = {"Prediction": "blue", "DFT": "orange", POSITIVE: "green", NEGATIVE: "violet"}
_MARKS = {"Prediction": "—", "DFT": "- -", POSITIVE: "—", NEGATIVE: "- -"}


def _available(sources: Sources) -> list[str]:
    of_light = {INDEX} if box_of(*sources.values()) else set()  # no wave sees a box with vacuum as one crystal
    return [drawn for drawn in DRAWN if drawn not in of_light and _tensors(sources, drawn)]


def _tensors(sources: Sources, drawn: str) -> dict[str, np.ndarray]:
    """The tensor of each source that has it, in the structure's own axes."""
    return tensors_of(_part(drawn), sources, Axes(np.eye(3), ""))


def _part(drawn: str) -> str:
    return "electronic" if drawn == INDEX else drawn


def _shape(drawn: str) -> surfaces.Shape:
    return INDEX if drawn == INDEX else "permittivity"


def _name(drawn: str) -> str:
    return DRAWN.get(drawn, drawn)


def _rows(
    title: str, part: str, found: list[PrincipalAxis], tensor: np.ndarray, source: Prediction | Material
) -> dict[str, str]:
    """Principal values and anisotropy ratio of a part."""
    texts, ratio = [USELESS] * 3, DASH
    if not (isinstance(source, Prediction) and part in source.useless):
        bounds = _bounds(source, part, found) if isinstance(source, Prediction) else []
        texts, ratio = _described(found, bounds), _ratio(tensor)
    doubtful = isinstance(source, Material) and part in doubtful_parts(source.doubts)
    rows = {_row(title, i): text for i, text in enumerate(texts)} | {f"{title} anisotropy ratio": ratio}
    return {row: f"{text} {DOUBT}" if doubtful and text != DASH else text for row, text in rows.items()}


def _described(found: list[PrincipalAxis], bounds: Sequence[Sequence[float]]) -> list[str]:
    """One text a principal value, three in all, with no more digits than its bounds leave, where there are any."""
    texts: list[str] = []
    for one in found:
        where = "every direction"
        if one.times < 3:
            where = ("all directions ⟂ " if one.times == 2 else "") + direction_text(one)
        value = uncertain(one.value, bounds[len(texts)]) if len(bounds) else number(one.value)
        texts += [f"{value}, {where}"] * one.times
    return texts


def _row(title: str, index: int) -> str:
    return f"{title} ε{'₁₂₃'[index]}"


def _ratio(tensor: np.ndarray) -> str:
    positive = tensors.principal_values(tensor)[0] > surfaces.SMALLEST
    return number(tensors.anisotropy_ratio(tensor)) if positive else DASH


def _bounds(prediction: Prediction, part: str, found: list[PrincipalAxis]) -> list[tuple[float, float]]:
    """Interval of each principal value, the same for those that symmetry makes equal; none if never calibrated."""
    bounds: list[tuple[float, float]] = []
    with suppress(EngineError):  # a model that was never calibrated
        each = prediction.principal_intervals(part)
        for one in found:
            own = each[len(bounds) : len(bounds) + one.times]
            bounds += [(float(own[:, 0].min()), float(own[:, 1].max()))] * one.times
    return bounds


def _intervals(prediction: Prediction, cell: np.ndarray, distinct: int) -> dict[str, str]:
    found: dict[str, str] = {}
    for part, title in PARTS.items():
        tensor = getattr(prediction, part)
        if tensor is not None:
            axes = principal_axes(allowed_part(tensor, prediction.structure), cell, distinct)
            found |= {_row(title, i): span(one) for i, one in enumerate(_bounds(prediction, part, axes))}
    return found


def direction_text(one: PrincipalAxis) -> str:
    """[uvw] of a principal axis, how far off it is, or its angles to the lattice vectors."""
    if one.uvw is None:
        angles = ", ".join(f"{angle:.0f}°" for angle in one.angles)
        return f"{angles} to a, b, c"
    indices = (" " if min(one.uvw) < 0 else "").join(str(i).replace("-", "−") for i in one.uvw)
    return f"[{indices}]" if one.off < 0.1 else f"≈ [{indices}], {one.off:.1f}° off"
