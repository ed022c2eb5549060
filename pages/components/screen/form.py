"""The form that begins a screening: what is screened, and how."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import streamlit as st

from engine.data.datasets import SHIPPED, available_datasets
from engine.data.search import plain_material_id
from engine.errors import EngineError
from engine.model.shipped_models import available_models
from engine.prediction.prediction import Functional
from engine.runs.screening_run import Screening, count_of, seconds_expected
from engine.runs.uploads import File
from engine.screening.parts import FAST, Method, Settings
from pages.components.model.choice import chosen_functional, chosen_model
from pages.components.uploads import uploader
from pages.components.visitor import visitor
from pages.components.widgets import attempt, duration, refusal

SETS, IDS, FILES = "a set", "IDs", "files"
TARGETS = {"total": ("electronic", "ionic"), "electronic": ("electronic",), "ionic": ("ionic",)}
WHAT_SETS_HOLD = {
    SHIPPED[0]: "crystals with DFT tensors",
    SHIPPED[1]: "crystals with refractive indices",
    SHIPPED[2]: "crystals with an ID",
}
NOTES: dict[Method, str] = {
    "direct": "The ionic part comes from the network's own force constants: quick, and less exact.",
    "full": "The ionic part also asks the potential for force constants: the most exact, and seconds to minutes a "
    "crystal.",
    "fast": "A small network of its own: the quickest, and less exact.",
}
Begin = Callable[[Settings, str], Screening]
BEGUN = "begun"  # of the session's state: the screening that the form began


def form(key: str) -> None:
    """The form; `key` tells one from the next, which begins empty."""
    left, right = st.columns(2, gap="large")
    with left:
        count, begin = _what(key)
    with right:
        settings = chosen_settings(key)
        title = st.text_input("Name", key=f"title-{key}", max_chars=60, placeholder="to know it by, if you like")
        if settings and count:
            time_needed(count, settings)
        st.button(
            "Start screening",
            type="primary",
            disabled=not (settings and count),
            on_click=attempt,
            args=(partial(_begin, begin, settings, title),),
        )
    refusal()


def _begin(begin: Begin | None, settings: Settings | None, title: str) -> None:
    if begin and settings:
        start(begin(settings, title))


def start(screening: Screening) -> None:
    """Start a screening that was written down, and have the page show it."""
    screening.begin(visitor())
    st.session_state[BEGUN] = screening.name


def chosen_method(key: str) -> Method:
    """How the ionic part is found; the fast model where it ships."""
    known = [method for method in NOTES if method != FAST or FAST in available_models()]
    method = st.segmented_control("Method", known, default="direct", key=f"method-{key}", required=True)
    st.caption(NOTES[method])
    return method


def chosen_settings(key: str) -> Settings | None:
    """How the crystals are to be predicted; None where no model is there."""
    method = chosen_method(key)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        target = st.segmented_control(
            "Compute", list(TARGETS), default="total", key=f"target-{key}", required=True,
            help="No more than this: the electronic part alone takes the least time.",
        )  # fmt: skip
        model = (FAST, 0.0) if method == FAST else chosen_model()
        functional = chosen_functional(model) if model else "PBE"
    return None if model is None else settings_of(model[0], method, functional, TARGETS[target])


def settings_of(
    model: str, method: Method, functional: Functional, targets: tuple[str, ...] = TARGETS["total"]
) -> Settings:
    """The settings that a model's name or folder, a method and a functional make; the fast method has a model."""
    folder = Path(model)
    name = "" if method == FAST else str(folder.resolve()) if folder.is_dir() else model
    return Settings(model=name, method=method, targets=targets, functional=functional)


def time_needed(count: int, settings: Settings) -> None:
    """How long it would take, in words."""
    seconds, known = seconds_expected(count, settings)
    seconds = seconds if seconds < 100 else 60 * round(seconds / 60)
    by = "by the last such screening here" if known else "very roughly: the first parts tell more"
    st.caption(f"{count:,} structures, about {duration(seconds)}, {by}. It can be stopped and gone on with.")


def _what(key: str) -> tuple[int, Begin | None]:
    """How many structures, about, and what makes a screening of them; None where there is nothing yet."""
    origin = st.segmented_control("Screen", [SETS, IDS, FILES], default=SETS, key=f"origin-{key}", required=True)
    if origin == SETS:
        return _set(key)
    return _ids(key) if origin == IDS else _files(key)


def _set(key: str) -> tuple[int, Begin | None]:
    sets = {}
    for one in dict.fromkeys([SHIPPED[2], *available_datasets()]):
        with suppress(EngineError):  # a file that is cut short
            sets[one] = count_of(one)
    name = st.selectbox(
        "Data set", list(sets), key=f"set-{key}",
        format_func=lambda one: f"{Path(one).stem}: {sets[one]:,} {WHAT_SETS_HOLD.get(one, 'fetched materials')}",
    )  # fmt: skip
    return sets[name], lambda settings, title: Screening.of_set(name, settings, title)


def _ids(key: str) -> tuple[int, Begin | None]:
    text = st.text_area("Materials Project IDs", key=f"ids-{key}", height=160, placeholder="mp-2657, mp-149 ...")
    words = text.replace(",", " ").split()
    wrong = [word for word in words if plain_material_id(word) is None]
    if wrong:
        st.error(
            f"{', '.join(wrong[:3])}: no Materials Project ID; one reads like mp-149.", icon=":material/block:"
        )
        return 0, None
    st.caption(
        "With lines, spaces or commas between. An ID that is not on this machine is refused: fetch it first."
    )
    return len(words), lambda settings, title: Screening.of_ids(text, settings, title)


def _files(key: str) -> tuple[int, Begin | None]:
    label = "CIF, POSCAR, extended XYZ, JSON, Parquet, or a ZIP of them: as many as you like"
    uploads = uploader(label, f"files-{key}")
    st.caption("A file that cannot be read gets a row with the reason, and stops no other.")

    def brought() -> list[File]:
        return [(file.name, file.getvalue()) for file in uploads]

    return len(uploads), lambda settings, title: Screening.of_files(brought(), settings, title)
