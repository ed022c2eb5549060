"""A real server and a real browser that may speak to it and to nobody else."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    ViewportSize,
    WebSocket,
    sync_playwright,
)

from tests.browser.server import ARTIFACTS, PATIENCE, PROJECTOR, running_app

Scheme = Literal["light", "dark"]

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_app(tmp_path_factory.mktemp("runs")) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    ARTIFACTS.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def profiles(browser: Browser) -> list[BrowserContext]:
    """Of the first visitor in a test, the second and so on; kept, emptied of all but what the browser cached."""
    return []


@pytest.fixture
def visit(browser: Browser, profiles: list[BrowserContext]) -> Iterator[Callable[..., Page]]:
    """Open an address as a new visitor; afterwards nothing may have been asked of another host or gone wrong."""
    with visitors(browser, profiles) as open_page:
        yield open_page


@contextmanager
def visitors(browser: Browser, profiles: list[BrowserContext]) -> Iterator[Callable[..., Page]]:
    """What `visit` gives, for as long as it is wanted."""
    problems: list[str] = []
    pages: list[Page] = []

    def open_page(url: str, viewport: ViewportSize = PROJECTOR, color_scheme: Scheme = "light") -> Page:
        if len(pages) == len(profiles):
            profiles.append(browser.new_context())
        page = profiles[len(pages)].new_page()
        pages.append(page)
        page.set_default_timeout(PATIENCE)
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=color_scheme)
        report_problems(page, url, problems)
        page.goto(url)
        return page

    yield open_page
    for page in pages:
        leave(page)
    assert problems == []


def report_problems(page: Page, url: str, problems: list[str]) -> None:
    """Write down what is asked of another host than this address is of, and every error."""
    own = url.split("/", 3)[2]

    def ask(request: Request | WebSocket) -> None:
        if request.url.startswith(("http", "ws")) and request.url.split("/", 3)[2] != own:
            problems.append(f"asked another host: {request.url}")

    def listen(message: ConsoleMessage) -> None:
        # On a deep link Streamlit's own front end tries the page's path for these first.
        probe = message.location.get("url", "").endswith(("/_stcore/health", "/_stcore/host-config"))
        if message.type == "error" and not probe:
            problems.append(message.text)

    page.on("request", ask)
    page.on("websocket", ask)
    page.on("console", listen)
    page.on("pageerror", lambda error: problems.append(str(error)))


def leave(page: Page) -> None:
    """Close the page, and leave nothing of the visitor but what the browser has cached."""
    if not page.is_closed():
        page.evaluate("localStorage.clear()")
    page.close()
    page.context.clear_cookies()
