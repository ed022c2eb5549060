"""Materials that are not on this machine: the visitor's key, fetching, and how old what was fetched is."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial

import streamlit as st

from engine.crystals.material import Material
from engine.data.catalogue import SOURCES
from engine.errors import EngineError
from engine.hosting.secrets import hide
from engine.materials_project.client import HOW_TO_GET_A_KEY, key_from_environment, plain_id, warm_up
from engine.materials_project.fetch import fetch_one
from engine.materials_project.store import MaterialStore
from pages.components import waiting

AT_ONCE = 4  # questions to the service, of all visitors
_KEY = "materials-project-key"  # of the session's state: in no cache, address or log
_WIDGET = f"{_KEY}-field"
_FAILED = "fetch-failed"
_ASKED = "fetch-asked"  # ID -> what it will bring


def material_id(query: str) -> str:
    """The ID in its usual form where the query is one, else nothing."""
    try:
        return plain_id(query)
    except EngineError:
        return ""


def local(mp_id: str) -> Material | None:
    """The material as it was fetched last."""
    return MaterialStore().get(mp_id) if mp_id else None


def material(mp_id: str) -> Material | None:
    """The material from the store, else fetched now if there is a key; None after saying why there is none."""
    if not _came(mp_id):
        return None
    found = local(mp_id)
    if found is not None:
        return found
    failed = st.session_state.get(_FAILED, {}).get(mp_id)
    if failed:
        st.error(failed, icon=":material/cloud_off:")
    key = _key()
    if not key:
        st.info(
            f"**{mp_id}** is not on this machine. With an API key it is fetched from Materials Project. "
            f"{HOW_TO_GET_A_KEY}",
            icon=":material/key:",
        )
        _key_field()
        return None
    if failed:
        st.button("Ask again", on_click=_forget, args=(mp_id,), icon=":material/refresh:")
        with st.popover("Use another key", icon=":material/key:"):
            _key_field()
        return None
    _fetch(mp_id, key)
    return material(mp_id)


def freshness(shown: Material) -> None:
    """Where a material with an ID comes from and how old that is, with a button that fetches it anew."""
    if shown.fetched is None:
        age = f"Embedded data of {2015 if shown.source in SOURCES else 2017}."
    else:
        age = f"Fetched {_ago(shown.fetched.date)}, database version {shown.fetched.db_version}."
    if not _came(shown.material_id or ""):
        return
    failed = st.session_state.get(_FAILED, {}).pop(shown.material_id, None)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(age, width="content")
        if not _key():
            with st.popover("Refresh", icon=":material/refresh:", type="tertiary"):
                st.caption(f"This needs an API key of Materials Project. {HOW_TO_GET_A_KEY}")
                _key_field()
        elif shown.material_id and st.button(
            "Refresh", key="refresh", type="tertiary", icon=":material/refresh:", help="Ask for the current data."
        ):
            _fetch(shown.material_id, _key())
            st.rerun()  # with the bar, and then with what came
    if failed:
        st.error(failed, icon=":material/cloud_off:")


def provenance(shown: Material) -> None:
    """How the tensors of a fetched material came into the axes of its structure, or why there are none."""
    fetched = shown.fetched
    if fetched is None:
        return
    if fetched.rejected:
        st.caption(f"The DFT tensors of Materials Project are left out or flagged: {fetched.rejected}.")
    elif fetched.route == "":
        st.caption("Materials Project has no DFT tensor for this material: the prediction stands alone.")
    elif fetched.route == "task":
        st.caption(f"Structure and tensors are those of one calculation, task {fetched.task_id}.")
    else:
        doubt = (
            ""
            if fetched.verifiable
            else (
                f" In {shown.crystal_system} crystals the symmetry cannot tell whether the axes are the right "
                "ones."
            )
        )
        st.caption(f"The DFT tensors were turned from IEEE axes into those of the structure.{doubt}")


def _key() -> str:
    return st.session_state.get(_KEY, "") or key_from_environment()


def _key_field() -> None:
    """A field whose content lives in this visitor's session alone."""
    warm_up()
    st.text_input(
        "API key of Materials Project", type="password", key=_WIDGET, on_change=_keep_key, max_chars=64,
        help="Kept for this visit only, on this machine; sent to Materials Project and nowhere else.",
    )  # fmt: skip


def _keep_key() -> None:
    """A field that is no longer drawn loses its content; the session's own entry does not."""
    st.session_state[_KEY] = st.session_state[_WIDGET].strip()
    hide(st.session_state[_KEY])
    st.session_state.pop(_FAILED, None)


def _fetch(mp_id: str, key: str) -> None:
    """Begin to fetch into the store, by a thread of its own: the service may take its time."""
    st.session_state.setdefault(_ASKED, {})[mp_id] = _questions().submit(fetch_one, mp_id, key)


@st.cache_resource(show_spinner=False)
def _questions() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="materials-project")


def _came(mp_id: str) -> bool:
    """Whether nothing is asked about this ID any more; else a bar stands here.

    Why it did not come is remembered: another run of the page must not ask again by itself.
    """
    asked = st.session_state.get(_ASKED, {}).get(mp_id)
    if asked is None:
        return True
    stop = partial(_give_up, mp_id)
    if not waiting.finished([asked], mp_id, ("", "being asked for at Materials Project"), stop):
        return False
    del st.session_state[_ASKED][mp_id]
    try:
        asked.result()
    except EngineError as error:
        st.session_state.setdefault(_FAILED, {})[mp_id] = str(error)
    return True


def _give_up(mp_id: str) -> None:
    """Wait no more (a callback); what comes nevertheless is kept for the next look-up."""
    st.session_state[_ASKED].pop(mp_id).cancel()
    st.session_state.setdefault(_FAILED, {})[mp_id] = f"{mp_id} was stopped before it came."


def _forget(mp_id: str) -> None:
    st.session_state.get(_FAILED, {}).pop(mp_id, None)


def _ago(date: str) -> str:
    """ "3 hours ago" for an ISO date."""
    minutes = (datetime.now(UTC) - datetime.fromisoformat(date)).total_seconds() / 60
    for unit, size in (("day", 1440), ("hour", 60), ("minute", 1)):
        count = int(minutes // size)
        if count > 0:  # of a clock that was ahead, it may be less
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"
