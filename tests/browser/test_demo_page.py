"""The demo in a real browser: it goes on by itself, and by key."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from engine.teaching.tour import STAY, STOPS
from tests.browser.server import ARTIFACTS, PATIENCE, PROJECTOR
from tests.browser.test_every_page import expect_no_wider_than_a_phone
from tests.browser.waiting import settled

expect.set_options(timeout=PATIENCE)

Visit = Callable[..., Page]


def expect_stop(page: Page, number: int) -> None:
    expect(page.get_by_role("heading", name=STOPS[number].title)).to_be_visible()
    labels = 0 if STOPS[number].spectrum else 27
    expect(page.locator(".js-plotly-plot .heatmap-label")).to_have_count(labels)
    expect(page.locator(".js-plotly-plot")).to_have_count(1)
    expect(page.frame_locator("iframe").first.locator("canvas").first).to_be_visible()


def test_one_button_starts_it_and_it_goes_on_by_itself(app: str, visit: Visit) -> None:
    """On the real clock: where drawing a crystal takes longer than its stay, any later one may be seen first."""
    page = visit(f"{app}/demo", color_scheme="dark")
    expect(page.get_by_role("button", name="Start the demo")).to_be_visible()
    expect_no_wider_than_a_phone(page, "demo_start")
    page.set_viewport_size(PROJECTOR)
    page.get_by_role("button", name="Start the demo").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    later = "|".join(stop.material_id for stop in STOPS[1:])
    expect(page).to_have_url(re.compile(f"crystal=({later})$"), timeout=1000 * STAY + PATIENCE)
    expect(
        page.get_by_role("heading", name=re.compile("|".join(stop.title for stop in STOPS[1:]))).first
    ).to_be_visible()


def test_crystal_words_and_tensor_of_each_stop_fit_a_projector(app: str, visit: Visit) -> None:
    page = visit(f"{app}/demo?crystal={STOPS[0].material_id}", viewport=PROJECTOR)
    for number, stop in enumerate(STOPS):
        expect_stop(page, number)
        settled(page)
        for drawn in (page.locator("iframe").first, page.locator(".js-plotly-plot").first):
            box = drawn.bounding_box()
            assert box["y"] + box["height"] < PROJECTOR["height"], stop.title
        page.keyboard.press("ArrowRight")


def test_a_large_screen_is_filled(app: str, visit: Visit) -> None:
    page = visit(f"{app}/demo?crystal={STOPS[0].material_id}", viewport={"width": 1920, "height": 1080})
    expect_stop(page, 0)
    settled(page)
    boxes = [page.locator(one).first.bounding_box() for one in ("iframe", ".js-plotly-plot")]
    assert boxes[0]["x"] < 160
    assert boxes[1]["x"] + boxes[1]["width"] > 1760
    assert all(box["y"] + box["height"] < 1080 for box in boxes)
    drawing = page.locator(".js-plotly-plot .main-svg").first.bounding_box()
    assert abs(drawing["width"] - boxes[1]["width"]) < 2
    assert page.evaluate("document.documentElement.scrollWidth") <= 1920
    page.screenshot(path=ARTIFACTS / "demo_1920.png")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_keys_step_pause_and_leave(scheme: str, app: str, visit: Visit) -> None:
    page = visit(f"{app}/demo?crystal={STOPS[-2].material_id}", color_scheme=scheme)
    expect_stop(page, -2)
    page.keyboard.press("ArrowRight")
    expect_stop(page, -1)
    page.screenshot(path=ARTIFACTS / f"demo_{scheme}.png")
    page.keyboard.press("ArrowRight")
    expect_stop(page, 0)
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Start the demo")).to_be_visible()
