"""One material: its crystal, its DFT tensors and the prediction beside them."""

from collections.abc import Callable
from functools import partial

import pandas as pd
import streamlit as st

from engine.dataset import EMBEDDED, suggestions
from engine.errors import EngineError
from engine.materials import Material
from engine.prediction import Prediction
from pages.components import cached, live, tensor_view
from pages.components.site import PREDICT, header
from pages.components.viewer import structure_view
from pages.components.widgets import SOURCES, material_label, show_warnings, space_group, subscripts

EXAMPLES = ("mp-441", "mp-2998", "TiO2", "ZnO", "Ba-O-Ti")


def open_example(key: str) -> None:
    """Put the clicked suggestion into the search field."""
    if st.session_state[key]:
        st.session_state.mp_id = st.session_state[key]
        st.session_state[key] = None


def offer(label: str, queries: list[str], key: str) -> None:
    """Queries to click instead of typing."""
    st.pills(label, queries, key=key, on_change=open_example, args=(key,))


def nothing_found(query: str) -> None:
    """Why there is no hit and what to do, with near hits to choose from."""
    near = suggestions(cached.materials(), query, limit=12)
    if not near:
        st.info(
            f"Nothing in the local data matches **{query}**. Give a Materials Project ID (mp-2998), "
            "a formula (TiO2) or a chemical system (Ba-O-Ti); any other crystal can be uploaded on the "
            "Predict page.",
            icon=":material/search_off:",
        )
    if near:
        offer("Begins with what you typed", list(dict.fromkeys(m.material_id or m.formula for m in near)), "near")
    else:
        offer("For example", list(EXAMPLES), "examples")
    st.page_link(PREDICT, label="Predict for a structure of your own", icon=":material/upload_file:")


def shipped() -> pd.DataFrame:
    """The rows of the embedded materials."""
    rows = cached.table()
    return rows[rows["source"].isin(EMBEDDED)]


def choose(hits: list[int]) -> int:
    """The one hit, or the visitor's choice among several; the address names the choice."""
    if len(hits) == 1:
        st.query_params.pop("row", None)
        return hits[0]
    materials = cached.materials()
    rows = [str(hit) for hit in hits]
    wanted = st.query_params.get("row")
    row = st.selectbox(
        f"{len(hits)} crystals match",
        rows,
        index=rows.index(wanted) if wanted in rows else 0,
        format_func=lambda row: material_label(materials[int(row)]),
        key="hit",
    )
    st.query_params["row"] = row
    return int(row)


def identity(material: Material) -> None:
    """Name, symmetry, ID and where the numbers come from."""
    st.header(subscripts(material.formula), anchor=False)
    facts = [
        f"space group **{space_group(material.space_group_symbol)}** (no. {material.space_group_number})",
        material.crystal_system,
        f"{material.natoms} atoms in the cell",
    ]
    if material.band_gap is not None:
        facts.append(f"band gap {material.band_gap:.2f} eV")
    if material.material_id:
        facts.append(
            f"[{material.material_id}](https://next-gen.materialsproject.org/materials/{material.material_id})"
        )
    st.markdown(" · ".join(facts))


def notes(material: Material, prediction: Prediction | None) -> None:
    """Which networks answered, how sure they are, and what there is to compare with."""
    if prediction is not None:
        tensor_view.interval_note(prediction)
    if prediction is not None and prediction.held_out:
        st.caption(
            f"The prediction is out-of-fold: it comes from those networks of {cached.predictor(None).name} "
            f"that never saw the formula {subscripts(material.formula)} in training."
        )
    if material.fetched is not None:
        live.provenance(material)
    elif material.electronic is None:
        st.caption("This data set holds the DFT refractive index only; there is no DFT tensor to compare with.")
    if material.flags and material.fetched is None:
        st.caption(f"Data check: {'; '.join(material.flags)}.")


def embedded(index: int) -> None:
    """Everything about a material of a data set."""
    result(cached.materials()[index], partial(cached.prediction_of, index))


def fetched(material: Material) -> None:
    """Everything about a material of the store."""
    date = material.fetched.date
    result(material, partial(cached.prediction_of_fetched, material.material_id, date))


def result(material: Material, predict: Callable[[], Prediction]) -> None:
    """Everything about one material."""
    prediction = None
    try:
        prediction = predict()
    except EngineError as error:
        st.info(f"There is no prediction: {error}", icon=":material/info:")
    identity(material)
    if material.material_id:
        live.freshness(material)
    left, right = st.columns([1, 1], gap="large")
    with left:
        structure_view(material.structure, key="look-up")
    with right:
        tensor_view.summary(prediction, material)
        notes(material, prediction)
    if prediction is not None:
        show_warnings(prediction.warnings)
    st.subheader("Tensors", anchor=False)
    tensor_view.matrices(material.structure, prediction, material, key="look-up")
    st.caption(f"DFT data: {SOURCES.get(material.source, material.source)}")


header(
    "Look up",
    "A crystal, its dielectric tensor from DFT, and what the network predicts without having seen it.",
)
query = st.text_input(
    "Materials Project ID, formula or chemical system",
    key="mp_id",
    bind="query-params",
    type="search",
    placeholder="mp-2998, TiO2, Ba-O-Ti",
    live="400ms",
    max_chars=80,
).strip()
if not query:
    known = shipped()["total"].notna()
    st.caption(
        f"{known.sum():,} crystals with DFT tensors and their IDs, and {(~known).sum():,} more with the "
        "refractive index, ship with the app: no network is needed. Any other ID is fetched from "
        "Materials Project, with an API key."
    )
    offer("For example", list(EXAMPLES), "examples")
else:
    mp_id = live.material_id(query)
    stored = live.local(mp_id)
    found = [] if stored else cached.search(mp_id or query)
    if found:
        embedded(choose(found))
    elif not mp_id:
        nothing_found(query)
    elif material := stored or live.material(mp_id):
        fetched(material)
