"""Waiting for what comes later: a script's end, a chart, a drawing, another theme."""

import tomllib
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.browser.server import PATIENCE, ROOT

STEP = 100  # ms
THEMES = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]
# Whether the style that each page brings is that of the theme.
FOLLOWED = (
    "color => [...document.querySelectorAll('style')].some(s => s.textContent.includes(`a {color: ${color}`))"
)
# Where the elements stand in every frame of the browser, from now on.
WATCH = """selectors => {
    window.places = {};
    const look = () => {
        for (const [name, selector] of Object.entries(selectors)) {
            const box = document.querySelector(selector)?.getBoundingClientRect();
            if (box) (window.places[name] ??= []).push([box.x, box.y, box.width, box.height]);
        }
        window.looking = requestAnimationFrame(look);
    };
    look();
}"""


def settled(page: Page) -> None:
    """Return once the page's script has ended and everything it sent has been drawn."""
    expect(page.locator("[data-testid=stApp][data-test-script-state=notRunning]")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0, timeout=PATIENCE)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=PATIENCE)
    expect(page.locator(".stPlotlyChart:visible:not(:has(.main-svg))")).to_have_count(0, timeout=PATIENCE)


def until(page: Page, holds: Callable[[], bool]) -> None:
    """Return once this holds."""
    for _ in range(PATIENCE // STEP):
        if holds():
            return
        page.wait_for_timeout(STEP)
    raise AssertionError(f"did not come true within {PATIENCE / 1000:.0f} s")


def switch_theme(page: Page, scheme: str) -> None:
    """Change between light and dark, as the visitor's system does, and return once the page has followed."""
    color = THEMES[scheme]["linkColor"]
    page.emulate_media(color_scheme=scheme)
    if not page.evaluate(FOLLOWED, color):
        page.evaluate("document.activeElement?.blur()")
        page.keyboard.press("r")  # the server learns of it when the script runs again
        page.wait_for_function(FOLLOWED, arg=color)
    settled(page)


def resize(page: Page, width: int, height: int) -> None:
    """Another size of the window; return once the page has followed."""
    page.set_viewport_size({"width": width, "height": height})
    until(page, lambda: page.get_by_test_id("stMain").evaluate("e => e.clientWidth") <= width)
    settled(page)


def expect_canvas(page: Page) -> Locator:
    """The drawing in three dimensions, once it is there."""
    canvas = page.frame_locator("iframe").first.locator("canvas").first
    expect(canvas).to_be_visible()
    return canvas


def moved(page: Page) -> dict[str, float]:
    """How far each element that `WATCH` has watched moved or grown since it appeared, in pixels."""
    page.wait_for_timeout(1500)  # what is drawn late
    places = page.evaluate("cancelAnimationFrame(window.looking); window.places")
    return {
        name: max(abs(now - first) for box in boxes for now, first in zip(box, boxes[0], strict=True))
        for name, boxes in places.items()
    }
