"""A phone: the menu gets out of the way, all is in sight, and a finger scrolls the page wherever it begins."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from engine.teaching.tour import STOPS
from tests.browser.conftest import report_problems
from tests.browser.server import PATIENCE
from tests.browser.waiting import settled, until

expect.set_options(timeout=PATIENCE)

SCROLLED = "document.querySelector('[data-testid=stMain]').scrollTop"
RANGE = "chart => String(chart._fullLayout.xaxis.range)"
COVERED = """chart => [...chart.querySelectorAll("text")].filter(text => {
    const heading = text.getBoundingClientRect();
    return [...chart.querySelectorAll(".modebar-btn")].some(button => {
        const box = button.getBoundingClientRect();
        return button.checkVisibility({visibilityProperty: true}) && box.left < heading.right
            && heading.left < box.right && box.top < heading.bottom && heading.top < box.bottom;
    });
}).map(text => text.textContent)"""


@pytest.fixture
def phone(browser: Browser) -> Iterator[Callable[[str], Page]]:
    """Open an address on a phone; afterwards nothing may have gone wrong."""
    problems: list[str] = []
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)

    def open_page(url: str) -> Page:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        report_problems(page, url, problems)
        page.goto(url)
        settled(page)
        return page

    yield open_page
    context.close()
    assert problems == []


def swipe(page: Page, over: Locator, across: float, down: float) -> None:
    """Put a finger on the middle of an element and move it by so many pixels."""
    over.evaluate("element => element.scrollIntoView({block: 'center'})")
    page.wait_for_timeout(1000)  # Plotly listens a little after it has drawn
    box = over.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    finger = page.context.new_cdp_session(page)
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for part in (0.2, 0.4, 0.6, 0.8, 1.0):
        point = {"x": x + part * across, "y": y + part * down}
        finger.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def expect_to_scroll(page: Page, over: Locator) -> None:
    """A finger moves the page; one that a busy browser swallowed comes again."""
    swipe(page, over, 0, 0)
    before = page.evaluate(SCROLLED)

    def scrolled() -> bool:
        swipe(page, over, 5, 120)
        page.wait_for_timeout(1000)
        return page.evaluate(SCROLLED) < before - 40

    until(page, scrolled)


def test_a_chart_can_be_moved_and_scrolled_past_and_the_menu_closes(
    app: str, phone: Callable[[str], Page]
) -> None:
    page = phone(f"{app}/explore")
    chart = page.locator(".st-key-scatter .js-plotly-plot")
    expect_to_scroll(page, chart)
    before = chart.evaluate(RANGE)
    swipe(page, chart, 100, 5)
    until(page, lambda: chart.evaluate(RANGE) != before)
    page.get_by_test_id("stExpandSidebarButton").tap()
    page.get_by_test_id("stSidebarNavLink").filter(has_text="Demo").tap()
    expect(page.get_by_role("heading", name="Demo")).to_be_visible()
    expect(page.get_by_test_id("stSidebar")).not_to_be_in_viewport()
    settled(page)
    crystals = page.get_by_role("radio")
    expect(crystals).to_have_count(len(STOPS))
    for crystal in crystals.all():
        expect(crystal).to_be_in_viewport(ratio=0.99)


def test_crystal_and_tensors_are_scrolled_past_and_no_button_lies_on_a_heading(
    app: str, phone: Callable[[str], Page]
) -> None:
    page = phone(f"{app}/demo?crystal={STOPS[0].material_id}")
    expect(page.frame_locator("iframe").first.locator("canvas").first).to_be_visible()
    settled(page)
    expect_to_scroll(page, page.locator("iframe").first)
    chart = page.locator(".js-plotly-plot").first
    expect(chart.locator(".modebar-btn")).to_be_hidden()
    assert chart.evaluate(COVERED) == []
    expect_to_scroll(page, chart)
    chart.tap()
    expect(chart.locator(".modebar-btn")).to_be_visible()
