"""Which crystal the Theory page is about, and how its running text is set."""

from collections.abc import Callable

import streamlit as st

from pages.components import cached
from pages.components.widgets import space_group, subscripts

CRYSTALS = ("mp-2815", "mp-5986", "mp-2998", "mp-830", "mp-10919", "mp-27850", "mp-9252", "mp-554278")
WIDTH = 880  # pixels of running text


def asked_crystal() -> str:
    """What the address names, where that is a crystal; otherwise the first of those offered."""
    asked = st.query_params.get("crystal", "")
    return asked if cached.search(asked) else CRYSTALS[0]


def choose_crystal(shown: str) -> None:
    """The crystals to choose from; another one than the shown goes into the address and draws the page anew."""
    options = list(dict.fromkeys([*CRYSTALS, shown]))
    chosen = st.selectbox("Crystal", options, options.index(shown), format_func=crystal_name, key="chosen")
    if chosen != shown:
        st.query_params["crystal"] = chosen
        st.rerun()  # all of the page, not only the part that holds the choice


def crystal_name(mp_id: str) -> str:
    """Formula, space group and crystal system in one line."""
    material = cached.materials()[cached.search(mp_id)[0]]
    return f"{subscripts(material.formula)}, {space_group(material.space_group_symbol)}, {material.crystal_system}"


def text(*paragraphs: str) -> None:
    """Running text, no wider than the eye likes; what stands between $$ is a formula on a line of its own."""
    with st.container(width=WIDTH):
        for paragraph in paragraphs:
            st.markdown(paragraph.replace("$$", "\n$$\n"))


def beside(section: Callable[[], None], *paragraphs: str) -> None:
    """Running text on the left, and on the right what it speaks of."""
    left, right = st.columns([2, 3], gap="large")
    with left:
        text(*paragraphs)
    with right:
        section()
