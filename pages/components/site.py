"""The pages of the dashboard and the frame around each of them."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

from engine.errors import EngineError, in_words
from engine.hosting.logs import event
from engine.hosting.metrics import REQUESTS
from engine.hosting.server import begin
from pages.components import cached
from pages.components.address import catch_up

PAGES_FOLDER = Path(__file__).resolve().parents[1]
ICON = PAGES_FOLDER.parent / "static" / "icon.svg"
LOOK_UP, EXPLORE, COMPARE, PREDICT, SCREEN, MODEL, TRAIN, THEORY, DEMO = (
    PAGES_FOLDER / f"{name}.py"
    for name in ("look_up", "explore", "compare", "predict", "screen", "model", "train", "theory", "demo")
)

SITE = "Dielectric tensors"
_DARK_STYLE = (
    '[data-testid^="stBaseButton-primary"] p, [data-testid="stMultiSelect"] span[title] {color: #0b1117;}'
)


def navigation(title: str = "") -> Page:
    """Page settings and the menu; returns the page that the visitor asked for."""
    name = f"{title} · {SITE}" if title else SITE
    st.set_page_config(page_title=name, page_icon=str(ICON), layout="wide")
    return st.navigation(
        [
            st.Page(LOOK_UP, title="Look up", default=True),
            st.Page(EXPLORE, title="Explore", url_path="explore"),
            st.Page(COMPARE, title="Compare", url_path="compare"),
            st.Page(PREDICT, title="Predict", url_path="predict"),
            st.Page(SCREEN, title="Screen", url_path="screen"),
            st.Page(MODEL, title="Model", url_path="model"),
            st.Page(TRAIN, title="Train", url_path="train"),
            st.Page(THEORY, title="Theory", url_path="theory"),
            st.Page(DEMO, title="Demo", url_path="demo"),
        ],
        position="top",
    )


def guarded(page: Callable[[], None]) -> None:
    """Run a page; what this machine lacks, as a file that is damaged or a full disk, ends it in a sentence."""
    try:
        page()
    except (EngineError, OSError) as error:
        reason = in_words(error) if isinstance(error, OSError) else str(error)
        event("page ended", reason=reason)
        st.error(reason, icon=":material/block:")


@cache
def settle(page: str) -> None:
    """Set apart what the first run of a page has imported, see `cached.set_apart`."""
    cached.set_apart()


def header(title: str, subtitle: str) -> None:
    """Menu, title and one sentence.

    A page can be a visitor's first request, before `app.py` has run; so each page brings the menu itself.
    """
    catch_up()
    navigation(title)
    st.html(f"<style>{_style(st.context.theme.type)}</style>")
    _ask_to_sign_in()
    st.title(title, anchor=False)
    st.caption(subtitle)
    _let_in(title)


def name_tab(title: str) -> None:
    """Give the browser's tab, and with it bookmark and history, this title."""
    st.set_page_config(page_title=f"{title} · {SITE}")


def _ask_to_sign_in() -> None:
    """Stop before a visitor who has not signed in, where secrets.toml has a section [auth] (docs/hosting.md)."""
    if st.user.get("is_logged_in", True):  # nothing is said where nobody has to
        return
    st.title(SITE, anchor=False)
    st.caption("Whoever hosts this asks its visitors to sign in.")
    if st.button("Sign in", type="primary"):
        st.login()
    st.stop()


def _let_in(page: str) -> None:
    """Count the visit; no page of a server whose limits cannot be read goes on."""
    try:
        begin()
    except EngineError as error:
        st.error(f"This server is not set up: {error}.", icon=":material/block:")
        st.stop()
    REQUESTS.labels(page).inc()


def _style(theme: str | None) -> str:
    color = st.get_option(f"theme.{theme or 'light'}.linkColor")
    return f"ul.links a {{color: {color};}}{_DARK_STYLE if theme == 'dark' else ''}"
