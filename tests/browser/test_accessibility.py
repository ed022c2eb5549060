"""Every page, in both themes: nothing that a screen reader or weak eyes would stumble over."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.server import ARTIFACTS, PATIENCE
from tests.browser.waiting import settled

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


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", list(PAGES))
def test_a_page_has_no_serious_barrier(name: str, theme: str, app: str, visit: Callable[..., Page]) -> None:
    page = visit(app + PAGES[name], color_scheme=theme)
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=PATIENCE)
    settled(page)
    page.wait_for_timeout(1000)  # WebGL draws after the page has settled
    page.screenshot(path=ARTIFACTS / f"{name}-{theme}.png")
    found = Axe().run(page).response["violations"]
    serious = [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found
               if rule["impact"] in ("serious", "critical")]  # fmt: skip
    assert serious == []
