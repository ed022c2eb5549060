"""Tensors for structures that the visitor brings."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from engine.crystals.approximations import formula_of
from engine.crystals.material import Material
from engine.crystals.reader import Disordered, SettingNeeded, distinct_names
from engine.errors import EngineError
from engine.hosting.pool import is_final
from engine.hosting.predictions import Asked, warm_up
from engine.prediction.prediction import Functional, Prediction
from engine.prediction.records import Answer, records_to_csv, to_records
from engine.prediction.spread import Approximated, approximated, in_words
from engine.runs.screening_run import Screening
from engine.tensors import tensors
from pages.components import cached, waiting
from pages.components.crystal import viewer
from pages.components.crystal.frame import SCRIPT
from pages.components.material import answer_view, live, tensor_view
from pages.components.model.choice import chosen_functional, chosen_model
from pages.components.screen import form
from pages.components.site import SCREEN, header
from pages.components.uploads import uploader
from pages.components.widgets import DASH, attempt, literal, number, refusal, span, subscripts, uncertain

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

KEPT = "kept-files"  # of the session's state
READ = "files read", "being read"
PARTS = {part: f"{title.lower()}, mean" for part, title in tensor_view.PARTS.items()}
# Of a row of the summary, in a column's head.
SHORT = {tensor_view.INDEX: "n"} | {f"{title}, mean": PARTS[part] for part, title in tensor_view.PARTS.items()}
MOST = 20  # structures that are computed in the request; of more, a screening is made
MAX_SHOWN = 30  # structures drawn on the page, where ordered crystals make them many; the downloads hold all
EXAMPLES = {"mp-2998": "BaTiO₃, perovskite", "mp-2815": "MoS₂, layers", "mp-7029": "SiO₂, cristobalite"}


def brought() -> list[tuple[str, bytes]]:
    """Name and content of each upload, of the example, and of the pasted text."""
    uploads = uploader("CIF, POSCAR, extended XYZ, XSF, JSON, phonopy.yaml or vasprun.xml", "files", keep)
    files: list[tuple[str, bytes]] = st.session_state.get(KEPT, [])
    if files and not uploads:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"Still here: {', '.join(literal(name) for name, _ in files)}", width="content")
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


def keep(uploads: "Sequence[UploadedFile]") -> None:
    """Remember the uploads, which the browser forgets when the visitor opens another page (a callback).

    Their names are a stranger's words, and are shown: what could act there goes here.
    """
    names = distinct_names(file.name for file in uploads)
    st.session_state[KEPT] = [(name, file.getvalue()) for name, file in zip(names, uploads, strict=True)]


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
    chosen = st.segmented_control(
        f"{literal(shown)} fits several settings. Which is meant?", list(reason.choices), key=key
    )
    for column, (setting, structure) in zip(st.columns(len(reason.choices)), reason.choices.items(), strict=True):
        with column:
            st.caption(f"**{setting}** {answer_view.understood(structure)}")
            viewer.draw(structure, 1, f"{key}-{setting}", None, flat=not SCRIPT.is_file())
    return chosen or ""


def wants_orderings(name: str, content: bytes) -> bool:
    """Whether the visitor takes ordered crystals for the disordered one of this file."""
    _, reason = cached.parsed(name, content)
    if not isinstance(reason, Disordered):
        return False
    shown = name or "The pasted text"
    return st.toggle(
        f"{literal(shown)}: predict ordered approximations of {subscripts(formula_of(reason.structure))}",
        key=f"orderings-{shown}",
        help="At most ten crystals with whole atoms on the shared sites of a small supercell, the most symmetric "
        "first. None of them is the disordered crystal. Each takes as long as a crystal of its own.",
    )


File = tuple[str, bytes, str, bool]  # name, content, setting, whether orderings are wanted
Question = tuple[str, float, str, bytes, str, bool, Functional, int]  # see `cached.question_of_file`


def read(files: list[File]) -> bool:
    """Whether these files are read; until then a bar and a stop stand here."""
    asked = [cached.reading(*file) for file in files]
    return waiting.finished(asked, "Your files" if len(files) > 1 else files[0][0] or "Your text", READ)


def answers(model: tuple[str, float], functional: Functional, files: list[File]) -> list[Answer]:
    """One entry a structure of these files: the prediction, or the reason why there is none."""
    found: list[tuple[str, str | int]] = []  # name, and the reason or the number of the question
    asked: list[Question] = []
    for name, content, setting, orderings in files:
        shown = name or "pasted text"
        structures, reason = cached.parsed(name, content, setting, orderings)
        if reason:
            found.append((shown, str(reason)))
            continue
        many, what = len(structures) > 1 or orderings, "ordering " if orderings else "#"
        for index in range(len(structures)):
            found.append((f"{shown} {what}{index + 1}" if many else shown, len(asked)))
            asked.append((*model, name, content, setting, orderings, functional, index))
    questions = [cached.question_of_file(*one) for one in asked]
    told = waiting.answers(questions, "Your files" if len(files) > 1 else found[0][0].split(" #")[0])
    stopped = [one for one, question in zip(asked, questions, strict=True) if not is_final(question)]
    unread = [file for file in files if not is_final(cached.reading(*file))]
    if stopped or unread:
        st.button(
            "Go on with what was stopped", on_click=_forget, args=(stopped, unread), icon=":material/play_arrow:"
        )
    return [
        (name, said if isinstance(said, str) else _said(name, told[said], questions[said])) for name, said in found
    ]


def _said(name: str, answer: Prediction | EngineError, question: Asked) -> Prediction | str:
    if not isinstance(answer, EngineError):
        return answer
    return str(answer) if is_final(question) else f"{name}: {answer}"


def _forget(asked: list[Question], unread: list[File]) -> None:
    """Ask for these predictions and read these files once more (a callback)."""
    for one in asked:
        cached.question_of_file.clear(*one)
    for file in unread:
        cached.reading.clear(*file)


def downloads(found: list[Answer]) -> None:
    """The same records that the command line writes."""
    records = to_records(found)
    with st.container(horizontal=True):
        text = json.dumps(records, indent=1)
        st.download_button("Download JSON", text, "predictions.json", "application/json", on_click="ignore")
        st.download_button(
            "Download CSV", records_to_csv(records), "predictions.csv", "text/csv", on_click="ignore"
        )


def answer(model: tuple[str, float], functional: Functional, files: list[tuple[str, bytes]]) -> None:
    """Predict what was read, with what the visitor chooses where a file leaves a choice."""
    meant = [
        (name, content, chosen_setting(name, content), wants_orderings(name, content)) for name, content in files
    ]
    if not read(meant):
        return
    try:
        found = answers(model, functional, meant)
    except EngineError as error:
        st.error(literal(str(error)), icon=":material/block:")
        return
    listing(found)
    downloads(found)


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
    numbers = {title: st.column_config.NumberColumn(format="%.4g") for title in ("n", *PARTS.values())}
    st.dataframe(
        pd.DataFrame(rows).dropna(axis="columns", how="all"), hide_index=True, key="overview",
        column_config=numbers, placeholder=DASH, height=min(36 * (len(rows) + 1) + 2, 380),
        alt="All structures with their key figures",
    )  # fmt: skip


def overview_row(name: str, answer: Prediction | str) -> dict[str, str | float | None]:
    """Key figures of an answer, with the digits that their intervals leave; none without a meaning left."""
    titles = [one for title in ("n", *PARTS.values()) for one in (title, within(title))]
    row: dict[str, str | float | None] = dict.fromkeys(("file", "formula", *titles, "remarks"))
    row["file"] = name
    if isinstance(answer, str):
        return row | {"remarks": answer}
    row |= {"formula": subscripts(answer.formula), "remarks": " ".join(answer.warnings)}
    if answer.likely_metal:
        return row
    values = {"n": None if answer.low_dimensional else answer.n}
    values |= {
        title: None if (tensor := getattr(answer, part)) is None else tensors.mean(tensor)
        for part, title in PARTS.items()
    }
    bounds = {SHORT[title]: known for title, (_, known) in tensor_view.bounded(answer).items()}
    useless = {SHORT[title] for title in SHORT if tensor_view.part_of(title) in answer.useless}
    for title, value in values.items():
        if value is not None and title not in useless:
            known = bounds.get(title)
            row[title] = value if known is None else float(uncertain(value, known))
            row[within(title)] = None if known is None else span(known)
    return row


def within(title: str) -> str:
    """Name of the column that holds the interval of a quantity."""
    return f"{title}, 90 %"


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
            st.error(literal(answer), icon=":material/block:")
            continue
        written = subscripts(answer.formula)
        title = f"**{written}**, {literal(name)}"
        if answer.likely_metal:
            title += ", likely a metal"
        elif answer.low_dimensional:
            title += f", a {answer.low_dimensional.kind}"
        elif "electronic" in answer.useless:
            title += f", {tensor_view.USELESS}"
        elif (known := tensor_view.bounded(answer).get(tensor_view.INDEX)) is not None:
            title += f", n = {uncertain(*known)}"
        elif answer.n is not None:
            title += f", n = {number(answer.n)}"
        if answer.warnings:
            title += f", {len(answer.warnings)} warning{'s' if len(answer.warnings) > 1 else ''}"
        box = st.expander(title, expanded=len(found) == 1, key=f"answer-{position}", on_change="rerun")
        if box.open:  # what is closed is not drawn: thirty crystals would take seconds
            with box:
                answer_view.show(answer, key=f"predict-{position}")
    if len(found) > MAX_SHOWN:
        st.caption(f"{len(found) - MAX_SHOWN} more are in the downloads.")


def too_many(files: list[tuple[str, bytes]]) -> int:
    """How many structures are in these files, about, where they are more than `MOST`; else 0."""
    count = len(files)
    if count <= MOST:
        count = sum(max(1, len(cached.parsed(name, content)[0])) for name, content in files)
    return count if count > MOST else 0


def hand_over(files: list[tuple[str, bytes]], count: int, model: str, functional: Functional) -> None:
    """What is done with more structures than this page computes, and the button that does it."""
    st.info(
        f"{count:,} structures are more than the {MOST} that this page computes at once. A screening answers them "
        "in a process of its own, with a bar, to be stopped and gone on with, and ranks them. It keeps all that "
        "you have brought.",
        icon=":material/filter_alt:",
    )
    settings = form.settings_of(model, form.chosen_method("handed"), functional)
    form.time_needed(count, settings)
    st.button(
        f"Screen these {count:,} structures", type="primary", on_click=attempt,
        args=(lambda: form.start(Screening.of_files(files, settings)),),
    )  # fmt: skip
    refusal()
    if form.BEGUN in st.session_state:
        st.switch_page(SCREEN, query_params={"screening": st.session_state[form.BEGUN]})


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
    warm_up(*model)
    st.caption("Each structure gets its tensors, or the reason why not.")
if model and files and (len(files) > MOST or read([(*file, "", False) for file in files])):
    many = too_many(files)
    if many:
        hand_over(files, many, model[0], functional)
    else:
        answer(model, functional, files)
