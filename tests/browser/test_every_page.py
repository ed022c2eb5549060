"""Every page as it opens: what it is for is seen at once, nothing is a barrier, and it fits a phone."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.server import ARTIFACTS, PROJECTOR
from tests.browser.visits import visits
from tests.browser.waiting import resize, settled, switch_theme

PAGES = {
    "start": "/",
    "material": "/?mp_id=mp-2815",
    "explore": "/explore?shown=20",
    "elements": "/explore?view=Elements",
    "predict": "/predict",
    "model": "/model",
    "train": "/train",
    "theory": "/theory",
    "demo": "/demo?crystal=mp-1186",
}
FIRST_LOOK = {  # what a page is opened for
    "material": ["iframe"],
    "explore": [".st-key-scatter .js-plotly-plot"],
    "model": [".st-key-parity .js-plotly-plot"],
    "theory": [".st-key-crystal-drawing .js-plotly-plot"],
    "demo": ["iframe", ".st-key-tensor .annotation-text"],
}
PHONE = {"width": 390, "height": 844}
SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module", params=list(PAGES))
def page(request: pytest.FixtureRequest, app: str, profile: BrowserContext) -> Iterator[Page]:
    """Each page, opened once; the tests change no more than its size and its theme."""
    with visits(profile) as visit:
        page = visit(app + PAGES[request.param])
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        settled(page)
        yield page


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    return request.node.callspec.params["page"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_opens_on_what_it_is_for_and_has_no_serious_barrier(page: Page, name: str, scheme: str) -> None:
    switch_theme(page, scheme)
    for thing in [page.locator(selector).first for selector in FIRST_LOOK.get(name, [])]:
        expect(thing).to_be_visible()
        box = thing.bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] / 2 <= PROJECTOR["height"]
    page.wait_for_timeout(1000)  # WebGL draws after the page has settled
    page.screenshot(path=ARTIFACTS / f"{name}-{scheme}.png")
    violations = Axe().run(page).response["violations"]
    serious = [rule for rule in violations if rule["impact"] in SERIOUS]
    assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in serious] == []


def test_no_page_is_wider_than_a_phone(page: Page, name: str) -> None:
    expect_no_wider_than_a_phone(page, name)


def expect_no_wider_than_a_phone(page: Page, name: str) -> None:
    resize(page, **PHONE)
    page.wait_for_timeout(500)  # charts follow their frame a little later
    assert page.get_by_test_id("stMain").evaluate("e => e.scrollWidth") <= PHONE["width"]
    page.screenshot(path=ARTIFACTS / f"phone_{name}.png", full_page=True)
