"""Every page as it opens, in both themes: seen on a projector without scrolling, and nothing that a screen reader,
weak eyes or a phone would stumble over."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.server import ARTIFACTS, PATIENCE, PROJECTOR
from tests.browser.waiting import settled

PHONE = {"width": 390, "height": 844}
PAGES = {
    "start": "/",
    "material": "/?mp_id=mp-2815",
    "explore": "/explore?shown=20",
    "elements": "/explore?view=Elements",
    "predict": "/predict",
    "screen": "/screen",
    "model": "/model",
    "train": "/train",
    "theory": "/theory",
    "compare": "/compare?of=mp-2657&of=mp-7000&of=mp-149&of=mp-696752&of=mp-66&of=mp-5986",
    "demo": "/demo?crystal=mp-1186",
}
FIRST_LOOK = {  # what a page is opened for
    "material": ["iframe"],
    "explore": [".st-key-scatter .js-plotly-plot"],
    "model": [".st-key-parity .js-plotly-plot"],
    "theory": [".st-key-crystal-drawing .js-plotly-plot"],
    "demo": ["iframe", ".st-key-tensor .annotation-text"],
}

expect.set_options(timeout=PATIENCE)


def expect_on_first_screen(page: Page, selector: str) -> None:
    box = page.locator(selector).first.bounding_box()
    assert box["y"] >= 0
    assert box["y"] + box["height"] / 2 <= PROJECTOR["height"]


def expect_no_serious_barrier(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    serious = [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found
               if rule["impact"] in ("serious", "critical")]  # fmt: skip
    assert serious == []


def expect_no_wider_than_a_phone(page: Page, name: str) -> None:
    page.set_viewport_size(PHONE)
    settled(page)
    page.wait_for_timeout(500)  # charts follow their frame a little later
    assert page.get_by_test_id("stMain").evaluate("e => e.scrollWidth") <= PHONE["width"]
    page.screenshot(path=ARTIFACTS / f"phone_{name}.png", full_page=True)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", list(PAGES))
def test_a_page_opens_on_what_it_is_for_has_no_serious_barrier_and_fits_a_phone(
    name: str, theme: str, app: str, visit: Callable[..., Page]
) -> None:
    page = visit(app + PAGES[name], viewport=PROJECTOR, color_scheme=theme)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    for selector in FIRST_LOOK.get(name, []):
        expect(page.locator(selector).first).to_be_visible()
    settled(page)
    page.wait_for_timeout(1000)  # WebGL draws after the page has settled
    page.screenshot(path=ARTIFACTS / f"{name}-{theme}.png")
    for selector in FIRST_LOOK.get(name, []):
        expect_on_first_screen(page, selector)
    expect_no_serious_barrier(page)
    if theme == "dark":
        expect_no_wider_than_a_phone(page, name)
