"""Visits to the app in one browser profile, whose cache stays warm from one to the next."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, ViewportSize

from tests.browser.server import PROJECTOR

Visit = Callable[..., Page]


@contextmanager
def visits(profile: BrowserContext) -> Iterator[Visit]:
    """Open addresses without cookies; at the end nothing may have been asked of another host or gone wrong."""
    problems: list[str] = []
    pages: list[Page] = []

    def visit(url: str, viewport: ViewportSize = PROJECTOR, color_scheme: str = "light") -> Page:
        page = profile.new_page()
        pages.append(page)
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=color_scheme)
        watch(page, url.split("/", 3)[2], problems)
        page.goto(url)
        return page

    profile.clear_cookies()
    yield visit
    for page in pages:
        if not page.is_closed():
            page.evaluate("localStorage.clear()")
            page.close()
    assert problems == [], problems


def watch(page: Page, own: str, problems: list[str]) -> None:
    """Note what the page asks of hosts other than its own, and what goes wrong in it."""

    def ask(url: str) -> None:
        if url.startswith(("http", "ws")) and url.split("/", 3)[2] != own:
            problems.append(f"asked another host: {url}")

    def listen(message: ConsoleMessage) -> None:
        # On a deep link Streamlit's own front end tries the page's path for these first.
        probe = message.location.get("url", "").endswith(("/_stcore/health", "/_stcore/host-config"))
        if message.type == "error" and not probe:
            problems.append(message.text)

    page.on("request", lambda request: ask(request.url))
    page.on("websocket", lambda socket: ask(socket.url))
    page.on("popup", partial(watch, own=own, problems=problems))
    page.on("console", listen)
    page.on("pageerror", lambda error: problems.append(str(error)))
