"""The first seconds of a server, in which it imports what all pages need: visitors are told so."""

from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache
from importlib import import_module
from types import ModuleType

import streamlit as st

AT_ONCE = 1.5  # s
NEEDED = "pages.components.site"


def started() -> bool:
    """Whether everything is imported; until then a sentence stands here, and the page is drawn again by itself."""
    imports = _imports()
    wait([imports], AT_ONCE)
    if not imports.done():
        _follow()
        return False
    imports.result()  # raises what the import raised
    return True


@cache
def _imports() -> "Future[ModuleType]":
    return ThreadPoolExecutor(1, thread_name_prefix="starting").submit(import_module, NEEDED)


@st.fragment(run_every=0.5)
def _follow() -> None:
    if _imports().done():
        st.rerun()
    st.info(
        "This server has just been started and reads its libraries: some ten seconds.", icon=":material/hourglass:"
    )
