"""Nothing jumps while a page is drawn or used."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.server import PATIENCE
from tests.browser.test_explore_page import POINT
from tests.browser.waiting import settled

expect.set_options(timeout=PATIENCE)

# From now on, the place of each element in every frame of the browser.
WATCH = """selectors => {
    window.places = {};
    const look = () => {
        for (const [name, selector] of Object.entries(selectors)) {
            const box = document.querySelector(selector)?.getBoundingClientRect();
            if (box) (window.places[name] ??= []).push([box.x, box.y, box.width, box.height]);
        }
        requestAnimationFrame(look);
    };
    look();
}"""
# The cumulative layout shift: shifts less than a second apart are summed, over five seconds at most; the largest.
SHIFT = """() => new Promise(resolve => new PerformanceObserver(list => {
    let [largest, sum, first, last] = [0, 0, -Infinity, -Infinity];
    for (const {startTime, value, hadRecentInput} of list.getEntries()) {
        if (hadRecentInput) continue;
        if (startTime - last > 1000 || startTime - first > 5000) [sum, first] = [0, startTime];
        [sum, last] = [sum + value, startTime];
        largest = Math.max(largest, sum);
    }
    resolve(largest);
}).observe({type: "layout-shift", buffered: true}))"""
Visit = Callable[..., Page]


def expect_canvas(page: Page) -> None:
    expect(page.frame_locator("iframe").first.locator("canvas").first).to_be_visible()


def moved(page: Page) -> dict[str, float]:
    """How far each watched element has moved or grown since it appeared, in pixels."""
    page.wait_for_timeout(1500)  # what is drawn late
    places = page.evaluate("window.places")
    return {
        name: max(abs(now - first) for box in boxes for now, first in zip(box, boxes[0], strict=True))
        for name, boxes in places.items()
    }


def test_a_material_stays_in_place_while_its_drawings_come(app: str, visit: Visit) -> None:
    page = visit(app)
    expect(page.locator(".st-key-map .js-plotly-plot")).to_be_visible()
    settled(page)
    page.evaluate(WATCH, {"heading": "h2", "summary": "[data-testid=stColumn]:last-child table"})
    page.get_by_label("Materials Project ID").fill("mp-5986")  # which no other test has had predicted
    expect_canvas(page)
    expect(page.locator(".js-plotly-plot:visible .heatmap-label")).to_have_count(81)
    settled(page)
    found = moved(page)
    assert found.keys() == {"heading", "summary"}
    assert max(found.values()) <= 1, found


def test_the_scatter_stays_in_place_when_a_crystal_is_shown_beside_it(app: str, visit: Visit) -> None:
    page = visit(f"{app}/explore")
    chart = page.locator(".st-key-scatter .js-plotly-plot")
    expect(chart.locator(".nsewdrag")).to_be_visible()
    settled(page)
    page.wait_for_timeout(1000)  # Plotly listens for clicks a little after it has drawn
    chart.scroll_into_view_if_needed()
    page.evaluate(WATCH, {"scatter": ".st-key-scatter .js-plotly-plot"})
    page.mouse.click(*chart.evaluate(POINT))
    expect(page).to_have_url(re.compile("shown="))
    expect_canvas(page)
    settled(page)
    assert moved(page)["scatter"] <= 1


def test_the_parity_plot_stays_in_place_when_it_is_coloured_anew(app: str, visit: Visit) -> None:
    page = visit(f"{app}/model")
    expect(page.locator(".st-key-parity .nsewdrag")).to_be_visible()
    settled(page)
    page.evaluate(WATCH, {"plot": ".st-key-parity .js-plotly-plot"})
    page.get_by_role("radio", name="density").click()
    expect(page.get_by_text("points within 2 % of the axis length")).to_be_visible()
    settled(page)
    assert moved(page)["plot"] <= 1


def test_hardly_anything_jumps_while_a_material_opens(app: str, visit: Visit) -> None:
    """Below 0.1 is what https://web.dev/articles/cls calls good."""
    page = visit(f"{app}/?mp_id=mp-2815", viewport={"width": 1280, "height": 900})
    expect_canvas(page)
    settled(page)
    page.wait_for_timeout(1500)  # what is drawn late
    assert page.evaluate(SHIFT) < 0.1
