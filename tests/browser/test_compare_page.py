"""A comparison in a real browser: put together on Look up, kept by its address, printed without its controls."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.server import ARTIFACTS, PATIENCE
from tests.browser.waiting import settled

SHEET = 794  # pixels, width of A4

expect.set_options(timeout=PATIENCE)


def test_two_crystals_from_look_up_are_compared_and_the_address_keeps_them(
    app: str, visit: Callable[..., Page]
) -> None:
    page = visit(f"{app}/?mp_id=mp-149")
    page.get_by_role("button", name="Add to comparison").click()
    expect(page.get_by_role("link", name="Compare 1")).to_be_visible()
    page.get_by_label("Materials Project ID").fill("mp-8062")
    page.get_by_label("Materials Project ID").press("Enter")
    expect(page.get_by_role("heading", name="SiC", exact=True)).to_be_visible()
    settled(page)
    page.get_by_role("button", name="Add to comparison").click()
    page.get_by_role("link", name="Compare 2").click()
    expect(page).to_have_url(re.compile("of=mp-149&of=mp-8062"))
    for formula in ("Si · ", "SiC · "):
        expect(page.get_by_role("link", name=formula).first).to_be_visible()
    expect(page.locator(".st-key-spectra .scatterlayer .trace")).to_have_count(2)
    page.reload()
    expect(page.locator(".st-key-spectra .scatterlayer .trace")).to_have_count(2)
    settled(page)
    page.emulate_media(media="print")
    expect(page.get_by_test_id("stMultiSelect")).to_be_hidden()
    expect(page.locator(".st-key-downloads")).to_be_hidden()
    expect(page.get_by_role("link", name="SiC · ").first).to_be_visible()
    (ARTIFACTS / "compare.pdf").write_bytes(page.pdf(format="A4"))
    right = "charts => Math.max(...charts.map(chart => chart.getBoundingClientRect().right))"
    assert page.locator(".main-svg").evaluate_all(right) < SHEET  # for it is not drawn anew to be printed
    page.emulate_media(media="screen")
    with page.expect_popup() as opened:  # the comparison stays
        page.get_by_role("link", name="SiC · ").first.click()
    expect(opened.value.get_by_role("heading", name="SiC", exact=True)).to_be_visible()
    opened.value.close()
