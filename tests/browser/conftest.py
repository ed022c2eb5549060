"""A real server and a real browser that may speak to it and to nobody else."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Route, sync_playwright

from tests.browser.server import ARTIFACTS, PATIENCE, running_app

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
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


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open an address as a new visitor; afterwards nothing may have been asked of another host or gone wrong."""
    problems: list[str] = []
    contexts = []

    def open_page(url: str, **options: object) -> Page:
        own = url.split("/", 3)[2]

        def guard(route: Route) -> None:
            if route.request.url.split("/", 3)[2] == own:
                route.continue_()
            else:
                problems.append(f"asked another host: {route.request.url}")
                route.abort()

        def listen(message: ConsoleMessage) -> None:
            # On a deep link Streamlit's own front end tries the page's path for these first.
            probe = message.location.get("url", "").endswith(("/_stcore/health", "/_stcore/host-config"))
            if message.type == "error" and not probe:
                problems.append(message.text)

        context = browser.new_context(**({"viewport": {"width": 1280, "height": 720}} | options))
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        context.route(lambda address: address.startswith(("http", "ws")), guard)
        page = context.new_page()
        page.on("console", listen)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []
