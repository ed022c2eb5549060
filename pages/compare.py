"""Up to six crystals side by side: tensors, indices, birefringence, spectra."""

import json
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlencode

import numpy as np
import streamlit as st

from engine.crystals.material import Material
from engine.data.catalogue import energy_above_hull
from engine.errors import EngineError
from engine.prediction.prediction import Prediction
from engine.prediction.records import material_record, records_to_csv, to_records
from pages.components import basket, cached, charts
from pages.components.material import comparison_charts, tensor_view
from pages.components.material.low_dimensional_view import OF_BOX, box_of
from pages.components.material.metal_notice import stands_for_nothing
from pages.components.site import header
from pages.components.widgets import DASH, PLOT, number, show_table, space_group, subscripts

EXAMPLES = {
    "Polymorphs of TiO₂": ["mp-2657", "mp-390", "mp-554278"],
    "Semiconductors": ["mp-149", "mp-32", "mp-2534", "mp-20351", "mp-2176"],
    "Window materials": ["mp-2741", "mp-1029", "mp-1138", "mp-1249", "mp-1143", "mp-1265"],
    "High permittivity": ["mp-5986", "mp-3731", "mp-2657", "mp-352", "mp-2858"],
}
IN_A_ROW = 3  # heat maps
DAMPING = 8.0  # cm^-1
YES_NO = {True: "yes", False: "no"}


class Column(NamedTuple):
    """A crystal of the comparison."""

    title: str
    material: Material
    prediction: Prediction | None


def columns_of(names: list[str]) -> list[Column]:
    """The crystals of these names, each once; says which names mean nothing."""
    found: dict[str, Column] = {}
    unknown = []
    for name in names:
        one = basket.named(name)
        if one is None:
            unknown.append(name)
            continue
        material, predict = one
        title = title_of(material)
        if title not in found:
            found[title] = Column(title, material, asked(predict))
    if unknown:
        st.info(f"Nothing in the local data matches {', '.join(unknown)}.", icon=":material/search_off:")
    return list(found.values())


def asked(predict: Callable[[], Prediction]) -> Prediction | None:
    """The prediction, or nothing where there is none."""
    try:
        return predict()
    except EngineError:
        return None


def title_of(material: Material) -> str:
    """Formula, space group and ID."""
    facts = [subscripts(material.formula), space_group(material.space_group_symbol), material.material_id]
    return " · ".join(filter(None, facts))


def linked(column: Column) -> str:
    """The title as the head of a table's column, which leads to the crystal's own page."""
    material = column.material
    return f"[{column.title}](./?{urlencode({'mp_id': material.material_id or material.formula})})"


def facts(column: Column) -> dict[str, str]:
    """What is known beside the tensors."""
    material, hull = column.material, energy_above_hull(column.material)
    rows = {
        "crystal system": material.crystal_system,
        "PBE band gap (eV)": number(material.band_gap),
        "above the hull (eV per atom)": DASH if hull is None else f"{hull:.2f}",
        "formula left out of training": DASH if column.prediction is None else YES_NO[column.prediction.held_out],
    }
    return {row: text for row, text in rows.items() if text != DASH}


def tables(columns: list[Column]) -> None:
    """Quantities that do not depend on axes: predictions with their intervals, then DFT's."""
    st.subheader("Prediction", anchor=False)
    predicted = {
        linked(one): facts(one) | tensor_view.predicted_rows(one.prediction, one.material) for one in columns
    }
    show_table(predicted)
    st.caption(
        "Means are those of the diagonal, in brackets the 90 % interval. A formula is left out of training where "
        "no crystal of it taught the networks that answered, by tensor, index or vibrations. The head of a column "
        "leads to the crystal."
    )
    known = {linked(one): tensor_view.dft_rows(one.material) for one in columns if one.material.n is not None}
    if any(known.values()):
        st.subheader("DFT", anchor=False)
        show_table(known)


def tensors(columns: list[Column]) -> None:
    """One tensor of each crystal, all on one colour scale, each in its structure's axes."""
    st.subheader("Tensors", anchor=False)
    with st.container(horizontal=True):
        part = st.segmented_control(
            "Tensor", list(tensor_view.PARTS), default="electronic", format_func=tensor_view.PARTS.__getitem__,
            key="part", required=True, bind="query-params", width="content",
        )  # fmt: skip
        source = st.segmented_control(
            "by", ["Prediction", "DFT"], default="Prediction", key="by", required=True, bind="query-params",
            width="content",
        )  # fmt: skip
    found: dict[str, np.ndarray] = {}
    for one in columns:
        tensor = getattr(one.prediction if source == "Prediction" else one.material, part, None)
        metal = one.prediction is not None and stands_for_nothing(one.prediction, one.material)
        if tensor is not None and not (source == "Prediction" and metal):
            found[one.title + (OF_BOX if box_of(one.prediction, one.material) else "")] = tensor
    if not found:
        st.caption(
            f"None of these crystals has {'a predicted' if source == 'Prediction' else 'a DFT'} tensor here."
        )
        return
    limit = max(float(np.abs(tensor).max()) for tensor in found.values())
    titles = list(found)
    for start in range(0, len(titles), IN_A_ROW):
        row = {title: found[title] for title in titles[start : start + IN_A_ROW]}
        figure = charts.tensor_panels(row, dark=st.context.theme.type == "dark", limit=limit)
        st.plotly_chart(figure, key=f"panels-{start}", config=PLOT, alt=f"{part} tensors of {', '.join(row)}")
    st.caption("Each in the Cartesian axes of its structure, colours on one scale.")


def spectra(columns: list[Column]) -> None:
    """What a powder of each would show in the infrared."""
    crystals = [one for one in columns if not box_of(one.prediction, one.material)]
    found = {one.title: one.prediction.vibrating.modes for one in crystals if one.prediction}
    moving = {title: modes for title, modes in found.items() if modes is not None and len(modes)}
    if not moving:
        return
    st.subheader("Infrared", anchor=False)
    quantity = st.segmented_control(
        "Spectrum", comparison_charts.QUANTITIES, default=comparison_charts.QUANTITIES[0], key="quantity",
        required=True, bind="query-params",
    )  # fmt: skip
    figure = comparison_charts.spectra(moving, quantity, DAMPING)
    st.plotly_chart(figure, key="spectra", config=PLOT, alt=f"{quantity} of {', '.join(moving)}")
    st.caption(
        "Predicted by PBEsol, the permittivity's mean over all directions, damped by "
        f"{DAMPING:g} cm⁻¹; for single directions see each crystal's own page."
    )


def downloads(columns: list[Column]) -> None:
    """All of it as files, in the layout of the command line."""
    model = cached.predictor(None).name
    answers = [(f"prediction, {model}, {one.title}", one.prediction) for one in columns if one.prediction]
    records = to_records(answers) + [material_record(one.material) for one in columns]
    with st.container(horizontal=True, vertical_alignment="center", key="downloads"):
        text = json.dumps(records, indent=1)
        st.download_button("Tensors as JSON", text, "comparison.json", "application/json", on_click="ignore")
        st.download_button(
            "Tensors as CSV", records_to_csv(records), "comparison.csv", "text/csv", on_click="ignore"
        )
        st.caption("The address holds the comparison; printed, the page is without its controls.")


def take(key: str) -> None:
    """Compare the crystals of the clicked example (a callback)."""
    if st.session_state[key]:
        st.session_state.of = EXAMPLES[st.session_state[key]]
        st.session_state[key] = None


header("Compare", f"Up to {basket.MOST} crystals side by side.")
names = st.multiselect(
    "Crystals",
    st.session_state.get("of", []),
    key="of",
    bind="query-params",
    accept_new_options=True,
    max_selections=basket.MOST,
    placeholder="Materials Project ID, name or formula",
    label_visibility="collapsed",
)
if not names:
    st.caption("Type an ID, a name or a formula and press Enter, or add crystals on Look up.")
    st.pills("For example", list(EXAMPLES), key="example", on_change=take, args=("example",))
elif columns := columns_of(names):
    tables(columns)
    tensors(columns)
    spectra(columns)
    downloads(columns)
