"""Thousands of crystals predicted in a process of their own, ranked while they come."""

from datetime import datetime
from functools import partial
from pathlib import Path

import streamlit as st

from engine.errors import EngineError
from engine.runs.job import LIVE
from engine.runs.screening_run import ASKED, Screening
from engine.screening.screening import Progress
from pages.components.screen.form import BEGUN, form
from pages.components.screen.results import results
from pages.components.site import header
from pages.components.visitor import visitor
from pages.components.widgets import STATES, attempt, duration, refusal

WORDS = STATES | {"stopping": f"{STATES['stopping']}, what is done is kept"}
TAKEN = "taken-up"  # of the session's state: the files whose rows are shown, by screening


def title_of(screening: Screening) -> str:
    """One line by which to tell screenings apart."""
    asked = screening.asked
    what = "total" if len(asked.settings.targets) > 1 else asked.settings.targets[0]
    begun = datetime.fromtimestamp((screening.folder / ASKED).stat().st_mtime).strftime("%d %b %H:%M")
    state = screening.state()
    return " · ".join([asked.title, asked.settings.method, what, "at work" if state in LIVE else state, begun])


def told(progress: Progress, state: str, asked: int) -> str:
    """How far it is, in words."""
    if progress.state == "reading":
        return f"{WORDS[state]}, taking stock of what is to be screened"
    done, of = progress.done, progress.structures or asked
    text = f"{WORDS[state]}, {done:,} of {of:,} structures, {progress.refused:,} refused"
    if state == "running" and progress.seconds_left is not None:
        text += f", {progress.rate:.1f} a second, about {duration(progress.seconds_left)} left"
    return text


def follow(name: str, polled: bool) -> None:
    """Draw one screening as it stands now; `polled` says whether that is done every two seconds."""
    screening = next((one for one in Screening.all() if one.name == name), None)
    if screening is None:  # deleted in another tab
        st.rerun()
    state, progress = screening.state(), screening.progress()
    if (state in LIVE) != polled:
        if polled:
            take_up(screening)
        st.rerun()  # the whole page, so that it asks every two seconds, or no more
    asked = screening.asked.structures
    words = told(progress, state, asked)
    if state != "finished":
        st.progress(min(progress.done / (progress.structures or asked or 1), 1.0), text=words)
    if screening.error():
        st.error(screening.error(), icon=":material/block:")
    with st.container(horizontal=True, vertical_alignment="center"):
        if state == "finished":
            st.markdown(words, width="content")
        controls(screening, state)
        if state in LIVE:
            new_rows(screening)


def controls(screening: Screening, state: str) -> None:
    """What can be done with it now."""
    if state in LIVE:
        st.button("Stop screening", on_click=screening.stop, icon=":material/stop:", disabled=state == "stopping")
        return
    if state != "finished":
        st.button(
            "Go on",
            on_click=attempt,
            args=(partial(screening.resume, visitor()),),
            icon=":material/play_arrow:",
            type="primary",
        )
    with st.popover("Delete", icon=":material/delete:", type="tertiary"):
        st.markdown("The screening, what was brought for it and its rows are gone for good.")
        st.button("Delete this screening", on_click=attempt, args=(screening.delete,), type="primary")


def new_rows(screening: Screening) -> None:
    """The first rows come by themselves, later ones when they are asked for: nobody's view changes unasked."""
    there, shown = len(screening.tables()), len(taken_up(screening))
    if there > shown == 0:
        take_up(screening)
        st.rerun()
    if there > shown and st.button("Show the rows that came since", icon=":material/refresh:"):
        take_up(screening)
        st.rerun()


def take_up(screening: Screening) -> None:
    """Show all rows that are there now."""
    st.session_state.setdefault(TAKEN, {})[screening.name] = screening.tables()


def taken_up(screening: Screening) -> list[Path]:
    """The files whose rows are shown; all that are there when the visitor comes, or when they have been joined."""
    known = st.session_state.setdefault(TAKEN, {})
    if screening.name not in known or not all(path.is_file() for path in known[screening.name]):
        take_up(screening)
    return known[screening.name]


def watch(screenings: list[Screening]) -> None:
    """The screening that the visitor or the address chooses, as it goes on, and its rows."""
    labels = {one.name: title_of(one) for one in screenings}
    begun = st.session_state.pop(BEGUN, None)
    wanted = begun or ("screening" not in st.session_state and st.query_params.get("screening"))
    if wanted in labels:
        st.session_state.screening = wanted
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    name = left.selectbox("Screening", list(labels), format_func=labels.__getitem__, key="screening")
    if st.query_params.get("screening") != name:
        st.query_params["screening"] = name  # the address leads back to it, for this visitor or another
    state = next(one for one in screenings if one.name == name).state()
    with right if state == "finished" else st.container():
        st.fragment(follow, run_every=2 if state in LIVE else None)(name, state in LIVE)
    refusal()
    screening = next(one for one in screenings if one.name == name)
    paths = taken_up(screening)
    if not paths:
        words = "Rows appear here as soon as the first part is done." if state in LIVE else "There are no rows."
        st.caption(words)
        return
    try:
        results(screening, paths)
    except EngineError as error:
        st.error(str(error), icon=":material/block:")


header(
    "Screen",
    "Thousands of crystals, ranked. The work is done in a process of its own: close the page, it goes on.",
)
screenings = Screening.all()
with st.expander("New screening", expanded=not screenings, key=f"new-{len(screenings)}"):
    form(str(len(screenings)))
if screenings:
    watch(screenings)
else:
    st.markdown(
        "**No screening yet.** Its crystals appear here as they are answered: ranked by any quantity, drawn as a "
        "scatter with the Pareto front, to be filtered and taken away."
    )
