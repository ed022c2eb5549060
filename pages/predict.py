"""Tensors for structures that the visitor brings."""

import json
from pathlib import Path

import pandas as pd
import streamlit as st
from pymatgen.core import Structure

from engine.crystals.approximations import formula_of
from engine.crystals.material import Material
from engine.crystals.own_tensors import own_tensors
from engine.crystals.read_as import read_as
from engine.crystals.reader import MAX_RUN, Disordered, SettingNeeded
from engine.errors import EngineError
from engine.model.shipped_models import available_models
from engine.optics.measured import measurements
from engine.prediction.prediction import Functional, Prediction
from engine.prediction.records import Answer, records_to_csv, to_records
from engine.prediction.spread import Approximated, approximated, in_words
from engine.runs.run import Run
from engine.tensors import tensors
from pages.components import cached
from pages.components.crystal import viewer
from pages.components.material import direction_view, live, tensor_view
from pages.components.material.details import details
from pages.components.material.metal_notice import unless_metal
from pages.components.site import header
from pages.components.widgets import DASH, number, run_title, show_warnings, space_group, subscripts

KEPT = "kept-files"  # of the session's state
PARTS = {part: f"{title.lower()}, mean" for part, title in tensor_view.PARTS.items()}
MAX_SHOWN = 30  # structures drawn on the page; the downloads hold all
EXAMPLES = {"mp-2998": "BaTiO₃, perovskite", "mp-2815": "MoS₂, layers", "mp-7029": "SiO₂, cristobalite"}


def chosen_model() -> tuple[str, float] | None:
    """Name or folder of the model to ask and when it was last written; None where there is no model yet."""
    models = {name: name for name in available_models()}
    models |= {str(run.folder): f"{run_title(run)} (your training)" for run in Run.all() if run.has_model}
    if not models:
        st.info("No model is there yet. Train one on the Train page; it appears here when it has finished.")
        return None
    wanted = st.query_params.get("model")
    start = next((i for i, name in enumerate(models) if Path(name).name == wanted), 0)
    name = st.selectbox("Model", list(models), format_func=models.__getitem__, key="model", index=start)
    return name, cached.changed(name)


def chosen_functional(model: tuple[str, float]) -> Functional:
    """The functional whose tensors are asked for; no choice where the model knows one alone."""
    known = cached.predictor(*model).functionals
    if len(known) == 1:
        return known[0]
    asked = st.segmented_control(
        "Functional",
        known,
        default=known[0],
        key="functional",
        width="content",
        help="Tensors as density functional theory gives them. The model is calibrated for PBE, the functional of "
        "Materials Project's tensors; phonon data taught it how those of PBEsol differ.",
    )
    return asked or known[0]


def brought() -> list[tuple[str, bytes]]:
    """Name and content of each upload, of the example, and of the pasted text."""
    uploads = st.file_uploader(
        "CIF, POSCAR, extended XYZ, XSF, JSON, phonopy.yaml or vasprun.xml",
        accept_multiple_files=True,
        key="files",
        max_upload_size=MAX_RUN >> 20,
        on_change=keep,
    )
    files: list[tuple[str, bytes]] = st.session_state.get(KEPT, [])
    if files and not uploads:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"Still here: {', '.join(name for name, _ in files)}", width="content")
            st.button("Put them away", on_click=st.session_state.pop, args=(KEPT,), type="tertiary")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("For example", width="content")
        example = st.pills(
            "For example",
            list(EXAMPLES),
            format_func=EXAMPLES.__getitem__,
            key="try",
            width="content",
            label_visibility="collapsed",
        )
        with st.popover("Paste a structure", icon=":material/content_paste:"):
            text = st.text_area(
                "Structure as text", key="pasted", height=160, placeholder="CIF, POSCAR, extxyz or JSON"
            )
    found = list(files)
    if example:
        material = cached.materials()[cached.search(example)[0]]
        found.append(as_file(f"example {example}", material))
    return found + ([("", text.encode())] if text.strip() else [])


def keep() -> None:
    """Remember the uploads, which the browser forgets when the visitor opens another page (a callback)."""
    st.session_state[KEPT] = [(file.name, file.getvalue()) for file in st.session_state.files]


def as_file(name: str, material: Material) -> tuple[str, bytes]:
    """Name and content of a file that holds the structure of a material."""
    return f"{name}.json", json.dumps(material.structure.as_dict()).encode()


def of_id() -> list[tuple[str, bytes]]:
    """The structure of a material by its ID, as a file; none where none was asked for, or after saying why."""
    query = st.text_input("Or a Materials Project ID", key="id", placeholder="mp-149", max_chars=40).strip()
    if not query:
        return []
    mp_id = live.material_id(query)
    if not mp_id:
        st.error(f"{query!r} is no Materials Project ID; one reads like mp-149.", icon=":material/block:")
        return []
    position = next(iter(cached.search(mp_id)), None)
    material = live.local(mp_id) or (live.material(mp_id) if position is None else cached.materials()[position])
    return [] if material is None else [as_file(mp_id, material)]


def chosen_setting(name: str, content: bytes) -> str:
    """What the visitor takes of several settings that a file fits, each drawn; empty without a choice."""
    _, reason = cached.parsed(name, content)
    if not isinstance(reason, SettingNeeded):
        return ""
    shown = name or "The pasted text"
    key = f"setting-{shown}"
    chosen = st.segmented_control(f"{shown} fits several settings. Which is meant?", list(reason.choices), key=key)
    for column, (setting, structure) in zip(st.columns(len(reason.choices)), reason.choices.items(), strict=True):
        with column:
            st.caption(f"**{setting}** {understood(structure)}")
            viewer.draw(structure, 1, f"{key}-{setting}", None, flat=not viewer.SCRIPT.is_file())
    return chosen or ""


def wants_orderings(name: str, content: bytes) -> bool:
    """Whether the visitor takes ordered crystals for the disordered one of this file."""
    _, reason = cached.parsed(name, content)
    if not isinstance(reason, Disordered):
        return False
    shown = name or "The pasted text"
    return st.toggle(
        f"{shown}: predict ordered approximations of {subscripts(formula_of(reason.structure))}",
        key=f"orderings-{shown}",
        help="At most ten crystals with whole atoms on the shared sites of a small supercell, the most symmetric "
        "first. None of them is the disordered crystal. Each takes as long as a crystal of its own.",
    )


def answers(
    model: tuple[str, float], functional: Functional, name: str, content: bytes, setting: str, orderings: bool
) -> list[Answer]:
    """One entry a structure of this file: the prediction, or the reason why there is none."""
    shown = name or "pasted text"
    structures, reason = cached.parsed(name, content, setting, orderings)
    if reason:
        return [(shown, str(reason))]
    asked = (*model, name, content, setting, orderings, functional)
    bar, results = st.empty(), []
    for index in range(len(structures)):
        if len(structures) > 1:
            bar.progress(index / len(structures), f"{shown}: {index} of {len(structures)} crystals predicted")
        results.append(cached.file_prediction(*asked, index))
    bar.empty()
    many, what = len(structures) > 1 or orderings, "ordering " if orderings else "#"
    return [
        (f"{shown} {what}{i}" if many else shown, str(result) if isinstance(result, EngineError) else result)
        for i, result in enumerate(results, start=1)
    ]


def downloads(found: list[Answer]) -> None:
    """The same records that the command line writes."""
    records = to_records(found)
    with st.container(horizontal=True):
        text = json.dumps(records, indent=1)
        st.download_button("Download JSON", text, "predictions.json", "application/json", on_click="ignore")
        st.download_button(
            "Download CSV", records_to_csv(records), "predictions.csv", "text/csv", on_click="ignore"
        )


def understood(structure: Structure) -> str:
    """What was read, to be checked against the file."""
    facts = read_as(structure)
    group = f", {space_group(facts['space_group'])} ({facts['number']})" if facts["space_group"] else ""
    lengths = ", ".join(f"{length:.3f}" for length in facts["lengths"])
    angles = ", ".join(f"{angle:.4g}" for angle in facts["angles"])
    atoms = f"{facts['atoms']} atom{'s' if facts['atoms'] > 1 else ''} in the cell"
    line = (
        f"Read as {subscripts(facts['formula'])}{group}: {atoms}, {lengths} Å, {angles}°, "
        f"{facts['density']:.2f} g/cm³."
    )
    return " ".join([line, *facts["assumed"]])


def show(name: str, prediction: Prediction, key: str) -> None:
    """One crystal and its tensors."""
    found, own = measurements(prediction.structure), own_tensors(prediction.structure)
    st.caption(understood(prediction.structure))
    left, right = st.columns([6, 7], gap="large")
    with right:
        shown = unless_metal(prediction, None, key)
        tensor_view.summary(shown, own, found[0] if found else None)
        formula = prediction.formula
        show_warnings([warning.replace(formula, subscripts(formula)) for warning in prediction.warnings])
        tensor_view.reading_notes(shown, found[0] if found else None)
        if not prediction.held_out:
            st.caption(
                f"All networks answered, also those trained on the formula {subscripts(prediction.formula)}. The "
                "Look up page asks only networks that were not, to compare with DFT: its numbers differ."
            )
        if own is not None:
            st.caption("DFT: tensors of the run that the file comes from, by its own functional and settings.")
    with left:
        direction_view.crystal(prediction.structure, tensor_view.with_tensors(shown, own), key)
    details(prediction.structure, shown, own, found, key)


def introduce(mark: Approximated) -> None:
    """What the answers that follow are, and what they differ by."""
    st.warning(
        f"Ordered approximations, none of which is {subscripts(mark['of'])} itself: "
        f"{in_words(mark).replace(mark['of'], subscripts(mark['of']))}. This spread is no part of the intervals, "
        "which are each ordered crystal's own.",
        icon=":material/shuffle:",
    )


def overview(found: list[Answer]) -> None:
    """All answers as one table, to sort by any quantity."""
    rows = [overview_row(name, answer) for name, answer in found]
    numbers = {title: st.column_config.NumberColumn(format="%.3f") for title in ("n", *PARTS.values())}
    st.dataframe(
        pd.DataFrame(rows), hide_index=True, key="overview", column_config=numbers, placeholder=DASH,
        height=min(36 * (len(rows) + 1) + 2, 380), alt="All structures with their key figures",
    )  # fmt: skip


def overview_row(name: str, answer: Prediction | str) -> dict[str, str | float | None]:
    """Key figures of an answer: none that its interval takes all meaning from."""
    row: dict[str, str | float | None] = dict.fromkeys(("file", "formula", "n", *PARTS.values(), "remarks"))
    row["file"] = name
    if isinstance(answer, str):
        return row | {"remarks": answer}
    row |= {"formula": subscripts(answer.formula), "remarks": " ".join(answer.warnings)}
    if answer.likely_metal:
        return row
    useless = answer.useless
    row["n"] = None if "electronic" in useless or answer.low_dimensional else answer.n
    for part, title in PARTS.items():
        tensor = getattr(answer, part)
        row[title] = None if tensor is None or part in useless else tensors.mean(tensor)
    return row


def listing(found: list[Answer]) -> None:
    """Each answer in the order of the files; the first is open."""
    marks = approximated([answer for _, answer in found])
    if len(found) > 1:
        overview(found)
    for position, (name, answer) in enumerate(found[:MAX_SHOWN]):
        mark = marks[position]
        if mark and mark["number"] == 1:
            introduce(mark)
        if isinstance(answer, str):
            st.error(answer, icon=":material/block:")
            continue
        written = subscripts(answer.formula)
        title = f"**{written}**, {name}"
        if answer.likely_metal:
            title += ", likely a metal"
        elif answer.low_dimensional:
            title += f", a {answer.low_dimensional.kind}"
        elif "electronic" in answer.useless:
            title += f", {tensor_view.USELESS}"
        elif answer.n is not None:
            title += f", n = {number(answer.n)}"
        if answer.warnings:
            title += f", {len(answer.warnings)} warning{'s' if len(answer.warnings) > 1 else ''}"
        box = st.expander(title, expanded=len(found) == 1, key=f"answer-{position}", on_change="rerun")
        if box.open:  # what is closed is not drawn: thirty crystals would take seconds
            with box:
                show(name, answer, key=f"predict-{position}")
    if len(found) > MAX_SHOWN:
        st.caption(f"{len(found) - MAX_SHOWN} more are in the downloads.")


header("Predict", "The dielectric tensor of a crystal of your own. Files stay on the machine that runs this app.")
left, right = st.columns([2, 1], gap="large")
with left:
    files = brought()
with right:
    files += of_id()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        model = chosen_model()
        functional = chosen_functional(model) if model else "PBE"
if model and not files:
    st.caption("Each structure gets its tensors, or the reason why not.")
if model and files:
    meant = [
        (name, content, chosen_setting(name, content), wants_orderings(name, content)) for name, content in files
    ]
    try:
        with st.spinner("Reading and predicting …"):
            found = [answer for file in meant for answer in answers(model, functional, *file)]
    except EngineError as error:
        st.error(str(error), icon=":material/block:")
    else:
        listing(found)
        downloads(found)
