"""One material: its crystal, its DFT tensors and the prediction beside them."""

import json
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pandas as pd
import streamlit as st

from engine.crystals.material import Material
from engine.data.catalogue import energy_above_hull, uncertain
from engine.data.datasets import EMBEDDED
from engine.data.search import lacks_structure, plain_material_id, suggestions
from engine.data.structure_types import structure_type_of
from engine.errors import EngineError
from engine.network.feature_cache import structure_key
from engine.optics.measured import measurements
from engine.prediction.prediction import Prediction
from engine.prediction.records import material_record, records_to_csv, to_records
from engine.prediction.warnings import of_known_gap
from pages.components import basket, cached
from pages.components.crystal.viewer import structure_view
from pages.components.explore import scatter_charts
from pages.components.material import copy_view, direction_view, live, mechanical_view, tensor_view
from pages.components.material.details import details
from pages.components.material.metal_notice import unless_metal
from pages.components.site import PREDICT, header, name_tab
from pages.components.widgets import (
    ON_HULL,
    PLOT,
    SOURCES,
    clicked_rows,
    crystal_names,
    material_label,
    show_warnings,
    space_group,
    subscripts,
)

ANSWERED = "answered"  # of the session's state: crystals that were predicted for the visitor
CHOSEN_AMONG = "chosen-among"  # of the session's state: what was asked as one of several hits was chosen
EXAMPLES = ("mp-149", "mp-2998", "quartz", "barium titanate", "TiO2", "Ba-O-Ti")


def open_example(key: str) -> None:
    """Put the clicked suggestion into the search field."""
    if st.session_state[key]:
        st.session_state.mp_id = st.session_state[key]
        st.session_state[key] = None


def start() -> None:
    """What there is: examples to pick, and all crystals with a tensor to click."""
    rows = shipped()
    known = rows["total"].notna()
    st.caption(
        f"{cached.named():,} Materials Project IDs ship with the app, {known.sum():,} with DFT tensors: no "
        "network is needed. Any other ID is fetched from Materials Project, with an API key."
    )
    offer("For example", list(EXAMPLES), "examples")
    rows = rows[known]
    st.plotly_chart(
        scatter_charts.overview(rows, crystal_names(rows)), key="map", on_select=open_clicked, config=PLOT,
        selection_mode="points", alt="Band gap against refractive index, a point a crystal with a DFT tensor",
    )  # fmt: skip
    st.caption("Each point is a crystal with a DFT tensor: click one to open it.")


def open_clicked() -> None:
    """Put the clicked crystal's ID into the search field (a callback)."""
    rows = clicked_rows("map")
    if rows:
        st.session_state.mp_id = cached.table()["id"][rows[0]]


def offer(label: str, queries: list[str], key: str) -> None:
    """Queries to click instead of typing."""
    st.pills(label, queries, key=key, on_change=open_example, args=(key,))


def nothing_found(query: str) -> None:
    """Why there is no hit and what to do, with near hits to choose from."""
    near = suggestions(cached.materials(), query, limit=12)
    if not near:
        st.info(
            f"Nothing in the local data matches **{query}**. Give a Materials Project ID (mp-2998), "
            "a name (rutile), a formula (TiO2) or a chemical system (Ba-O-Ti); any other crystal can be uploaded "
            "on the Predict page.",
            icon=":material/search_off:",
        )
    if near:
        offer("Did you mean", near, "near")
    else:
        offer("For example", list(EXAMPLES), "examples")
    st.page_link(PREDICT, label="Predict for a structure of your own", icon=":material/upload_file:")


def shipped() -> pd.DataFrame:
    """The rows of the embedded materials."""
    rows = cached.table()
    return rows[rows["source"].isin(EMBEDDED)]


def choose(hits: list[int], query: str) -> int:
    """The one hit, or the visitor's choice among several, which the address keeps until another query."""
    if st.session_state.setdefault(CHOSEN_AMONG, query) != query:
        st.session_state[CHOSEN_AMONG] = query
        st.query_params.pop("row", None)
    if len(hits) == 1:
        return hits[0]
    materials = cached.materials()
    rows = [str(hit) for hit in hits]
    wanted = st.query_params.get("row")
    st.session_state.hit = wanted if wanted in rows else rows[0]
    row = st.selectbox(
        f"{len(hits)} crystals match",
        rows,
        format_func=lambda row: material_label(materials[int(row)]),
        key="hit",
        on_change=name_choice,
    )
    return int(row)


def name_choice() -> None:
    """Put the chosen one of several hits into the address (a callback)."""
    st.query_params["row"] = st.session_state.hit


def identity(material: Material) -> None:
    """Name, symmetry, ID and where the numbers come from."""
    st.header(subscripts(material.formula), anchor=False)
    name_tab(" · ".join(filter(None, (subscripts(material.formula), material.material_id))))
    facts = [
        f"space group **{space_group(material.space_group_symbol)}** (no. {material.space_group_number})",
        material.crystal_system,
        f"{material.natoms} atoms in the cell",
    ]
    kind = structure_type_of(material)
    if kind:
        facts.insert(2, f"{kind} type")
    hull = energy_above_hull(material)
    if hull is not None:
        facts.append("on the convex hull" if hull < ON_HULL else f"{hull:.2f} eV per atom above the hull")
    if material.band_gap is not None:
        facts.append(f"PBE band gap {material.band_gap:.2f} eV")
    if material.material_id:
        facts.append(
            f"[{material.material_id}](https://next-gen.materialsproject.org/materials/{material.material_id})"
        )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(" · ".join(facts), width="content")
        if material.material_id:
            live.freshness(material)


def polymorphs(material: Material) -> None:
    """A link to the comparison of the stablest crystals of the formula, this one among them."""
    rows = cached.search(material.formula)
    names = [basket.name_of(cached.materials()[row], row) for row in rows]
    if len(names) < 2:
        return
    own = [name for name in names if name == material.material_id]
    chosen = [*own, *(name for name in names if name not in own)][: basket.MOST]
    number = f"{len(chosen)} of {len(names)}" if len(chosen) < len(names) else f"{len(chosen)}"
    basket.link(f"Compare {number} polymorphs", chosen)


def notes(material: Material, prediction: Prediction | None) -> None:
    """Which networks answered, and what there is to compare with."""
    if prediction is not None:
        predictor, formula = cached.predictor(None), subscripts(material.formula)
        if not any(material.formula in seen for seen in predictor.trained_on):
            text = f"The prediction is out-of-fold: the model was trained on no crystal of the formula {formula}."
        elif prediction.held_out:
            text = (
                f"The prediction is out-of-fold: it comes from networks of {predictor.name} that were trained on "
                f"no crystal of the formula {formula}, neither on a tensor nor on a refractive index nor on "
                "vibrations. The Predict page asks all networks, so its numbers for this crystal differ."
            )
        else:
            text = (
                f"The prediction is not out-of-fold: all networks of {predictor.name} were trained on a crystal "
                f"of the formula {formula}, by its tensor, its refractive index or its vibrations."
            )
        st.caption(text)
    if material.fetched is not None:
        live.provenance(material)
    elif material.electronic is None and material.n is not None:
        st.caption("The data hold the DFT refractive index only; there is no DFT tensor to compare with.")
    elif material.electronic is None:
        st.caption("The data hold the crystal only: the prediction stands alone.")
    if material.fetched is None and uncertain(material):
        st.caption(uncertain(material))
    if material.flags and material.fetched is None:
        st.caption(f"Data check: {'; '.join(material.flags)}.")


def embedded(index: int) -> None:
    """Everything about a material of a data set."""
    result(cached.materials()[index], partial(cached.prediction_of, index), index)


def fetched(material: Material) -> None:
    """Everything about a material of the store."""
    date = material.fetched.date if material.fetched else ""
    result(material, partial(cached.prediction_of_fetched, material.material_id or "", date))


def asked(predict: Callable[[], Prediction]) -> Prediction | None:
    """The prediction, or nothing and the reason."""
    try:
        return predict()
    except EngineError as error:
        st.info(f"There is no prediction: {error}", icon=":material/info:")
        return None


def downloads(material: Material, prediction: Prediction | None) -> None:
    """The tensors as files, in the layout of the command line."""
    records = (
        [] if prediction is None else to_records([(f"prediction, {cached.predictor(None).name}", prediction)])
    )
    records += [material_record(material)]
    name = material.material_id or material.formula
    with st.container(horizontal=True, vertical_alignment="center"):
        text = json.dumps(records, indent=1)
        st.download_button("Tensors as JSON", text, f"{name}.json", "application/json", on_click="ignore")
        st.download_button("Tensors as CSV", records_to_csv(records), f"{name}.csv", "text/csv", on_click="ignore")
        st.caption("In the structure's Cartesian axes, with the lattice vectors that fix them.")


def result(material: Material, predict: Callable[[], Prediction], row: int | None = None) -> None:
    """Everything about one material: first what is known, where the prediction takes a while."""
    waiting = not at_hand(material)
    identity(material)
    with st.container(horizontal=True, vertical_alignment="center"):
        basket.offer(material, row)
        polymorphs(material)
    left, right = st.columns([6, 7], gap="large")
    with right:
        place = st.container()
        answer = None if waiting else asked(predict)
        prediction = unless_metal(answer, material, "view")
        found = measurements(material.structure)
        tensor_view.summary(prediction, material, found[0] if found else None)
        tensor_view.doubts_note(material)
        told = [] if answer is None else answer.warnings
        show_warnings([*told, *of_known_gap(material.band_gap, told)])
        if prediction is not None or material.n is not None:
            tensor_view.reading_notes(prediction, found[0] if found else None)
        notes(material, prediction)
    sources = tensor_view.with_tensors(prediction, material)
    with left:
        if waiting:  # a choice of surfaces made now would outlast the prediction
            structure_view(material.structure, key="view")
        else:
            direction_view.crystal(material.structure, sources, "view", mechanical_view.overlays(material))
        with st.expander("Lattice parameters, CIF and POSCAR"):
            copy_view.crystal_file(material.structure, material.material_id or material.formula, "view")
    st.subheader("Tensors", anchor=False)
    details(material.structure, prediction, material, found, "view")
    downloads(material, prediction)
    st.caption(f"DFT data: {SOURCES.get(material.source, material.source)}")
    if waiting:
        with place, suppress(EngineError):  # told when the page is drawn again
            predict()
        st.session_state[ANSWERED].add(structure_key(material))
        st.rerun()


def at_hand(material: Material) -> bool:
    """Whether the prediction ships, or was made for this visitor before."""
    answered: set[str] = st.session_state.setdefault(ANSWERED, set())
    return structure_key(material) in answered or cached.predictor(None).shipped(material) is not None


left, right = st.columns([4, 5])
with left:
    header("Look up", "A crystal, its dielectric tensor from DFT, and a prediction beside it.")
query = right.text_input(
    "Materials Project ID, name, formula or chemical system",
    key="mp_id",
    bind="query-params",
    type="search",
    placeholder="Materials Project ID, name (quartz), formula or chemical system",
    label_visibility="collapsed",
    live="400ms",
    max_chars=80,
).strip()
if not query:
    start()
else:
    mp_id = live.material_id(plain_material_id(query) or query)
    stored = live.local(mp_id)
    found = [] if stored else cached.search(mp_id or query)
    if found:
        with right:
            if not mp_id and lacks_structure(query, [cached.materials()[hit] for hit in found]):
                formula = subscripts(cached.materials()[found[0]].formula)
                st.caption(f"No crystal here has the structure of **{query}**; these are others of {formula}.")
            chosen = choose(found, query)
        embedded(chosen)
    elif not mp_id:
        nothing_found(query)
    elif material := stored or live.material(mp_id):
        fetched(material)
    else:
        offer("For example", list(EXAMPLES), "examples")
