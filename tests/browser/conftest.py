"""A real server and a real browser that can speak to it and to nobody else."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from tests.browser.server import ARTIFACTS, PATIENCE, running_app
from tests.browser.visits import Visit, visits

# The headless shell takes a quarter less of the processor, and is the same engine.
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
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

expect.set_options(timeout=PATIENCE)


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
def profile(browser: Browser) -> BrowserContext:
    """What all visits share: the cache of scripts."""
    profile = browser.new_context()
    profile.set_default_timeout(PATIENCE)
    return profile


@pytest.fixture
def visit(profile: BrowserContext) -> Iterator[Visit]:
    """Visits that end with the test."""
    with visits(profile) as visit:
        yield visit


@pytest.fixture(scope="module")
def stay(profile: BrowserContext) -> Iterator[Visit]:
    """Visits that end with the file: its tests share a page, and each sets what it needs on it."""
    with visits(profile) as visit:
        yield visit
