"""The Explore page in a real browser: what is clicked and brushed filters, and every filter is in the address."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from engine import load_dataset
from tests.browser.server import ARTIFACTS
from tests.browser.visits import Visit
from tests.browser.waiting import WATCH, expect_canvas, moved, settled, switch_theme

# Where on the page the point with the largest value across (or up) lies, as the drawn chart itself says.
POINT = """(chart, axis) => {
    axis ??= 0;
    const points = chart._fullData.flatMap(t => Array.from(t.x, (x, i) => [x, t.y[i]]));
    const [x, y] = points.reduce((far, point) => point[axis] > far[axis] ? point : far);
    const {xaxis, yaxis} = chart._fullLayout, box = chart.getBoundingClientRect();
    return [box.x + xaxis._offset + xaxis.d2p(x), box.y + yaxis._offset + yaxis.d2p(y)];
}"""
CELL = """(chart, symbol) => {
    const bars = chart._fullData.find(t => t.type === "bar"), i = Array.from(bars.customdata).indexOf(symbol);
    const {xaxis, yaxis} = chart._fullLayout, box = chart.getBoundingClientRect();
    return [box.x + xaxis._offset + xaxis.d2p(bars.x[i]), box.y + yaxis._offset + yaxis.d2p(bars.base[i] + 0.5)];
}"""
PLACE = """(chart, [x, share]) => {
    const {xaxis, yaxis} = chart._fullLayout, box = chart.getBoundingClientRect();
    return [box.x + xaxis._offset + xaxis.d2p(x), box.y + yaxis._offset + share * yaxis._length];
}"""


@pytest.fixture(scope="module")
def explore(app: str, stay: Visit) -> Page:
    """The page; each test opens its tab and leaves no filter."""
    return open_explore(app, stay)


def open_explore(app: str, visit: Visit, query: str = "") -> Page:
    page = visit(f"{app}/explore{query}", viewport={"width": 1280, "height": 1200})
    expect(charts(page).first).to_be_visible()
    listening(page)
    return page


def open_tab(page: Page, name: str, count: int = 1) -> None:
    page.get_by_role("tab", name=name).click()
    expect(charts(page)).to_have_count(count)
    listening(page)


def listening(page: Page) -> None:
    """Plotly listens for clicks a little after it has drawn."""
    settled(page)
    page.wait_for_timeout(1000)


def charts(page: Page) -> Locator:
    return page.locator(".js-plotly-plot:visible:has(.nsewdrag)")


def click_element(page: Page, symbol: str) -> None:
    page.mouse.click(*charts(page).first.evaluate(CELL, symbol))


def drag(page: Page, start: list[float], end: list[float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=8)
    page.mouse.up()


def test_clicking_a_point_shows_its_crystal_beside_the_scatter_which_stays_in_place(explore: Page) -> None:
    open_tab(explore, "Scatter")
    explore.evaluate(WATCH, {"scatter": ".st-key-scatter .js-plotly-plot"})
    shown = ""
    for axis, scheme in enumerate(("light", "dark")):
        switch_theme(explore, scheme)
        explore.mouse.click(*charts(explore).first.evaluate(POINT, axis))
        expect(explore).to_have_url(re.compile(f"shown=(?!{shown}$)"))
        shown = explore.url.split("shown=")[1]
        expect_canvas(explore)
        expect(explore.get_by_role("cell", name="Electronic, mean")).to_be_visible()
        listening(explore)
        explore.screenshot(path=ARTIFACTS / f"explore_{scheme}.png")
    assert moved(explore)["scatter"] <= 1
    explore.get_by_role("link", name="Prediction and tensors").click()
    expect(explore.get_by_role("heading", name="Look up", level=1)).to_be_visible()
    expect(explore.get_by_role("heading", name="Tensors")).to_be_visible()
    explore.go_back()
    expect(charts(explore).first).to_be_visible()


def test_a_crystal_without_an_id_is_opened_by_formula_and_row(app: str, visit: Visit) -> None:
    page = open_explore(app, visit, "?source=matbench-dielectric&up=atoms+in+the+cell")
    expect(page.get_by_text("4,764 of 5,820 crystals: from matbench-dielectric")).to_be_visible()
    page.mouse.click(*charts(page).first.evaluate(POINT))
    page.get_by_role("link", name="Prediction and tensors").click()
    expect(page.get_by_text("there is no DFT tensor to compare with")).to_be_visible()


def test_clicking_an_element_filters_and_clicking_it_again_does_not(explore: Page) -> None:
    switch_theme(explore, "dark")
    open_tab(explore, "Elements")
    click_element(explore, "O")
    expect(explore.get_by_text("crystals: hold O", exact=False)).to_be_visible()
    listening(explore)
    click_element(explore, "Ti")
    expect(explore.get_by_text("crystals: hold O and Ti")).to_be_visible()
    expect(explore).to_have_url(re.compile("holds=O&holds=Ti(&|$)"))
    explore.screenshot(path=ARTIFACTS / "explore_elements.png")
    listening(explore)
    click_element(explore, "O")
    expect(explore.get_by_text("crystals: hold Ti")).to_be_visible()
    explore.get_by_role("button", name="Reset filters").click()
    expect(explore.get_by_text("All 5,820 crystals")).to_be_visible()
    expect(explore).not_to_have_url(re.compile("holds"))


def test_a_range_drawn_in_a_histogram_filters_and_can_be_shared(explore: Page, visit: Visit) -> None:
    open_tab(explore, "Distributions", 6)
    indices = charts(explore).first
    drag(explore, indices.evaluate(PLACE, [1.98, 0.3]), indices.evaluate(PLACE, [3.02, 0.6]))
    expect(explore.get_by_text("crystals: n from 2 to 3")).to_be_visible()
    explore.screenshot(path=ARTIFACTS / "explore_distributions.png")
    expect(explore).to_have_url(re.compile("n_from=2"))
    again = visit(explore.url)
    expect(again.get_by_text("crystals: n from 2 to 3")).to_be_visible()
    explore.get_by_role("button", name="Reset filters").click()
    expect(explore.get_by_text("All 5,820 crystals")).to_be_visible()


def test_crystals_selected_in_the_scatter_are_those_of_the_parquet_file(
    app: str, visit: Visit, tmp_path: Path
) -> None:
    page = open_explore(app, visit, "?source=petousis-2017")
    chart = charts(page).first
    box = chart.locator(".nsewdrag").bounding_box()
    chart.hover()
    page.locator("[data-title='Box Select']:visible").click()
    drag(page, [box["x"] + 5, box["y"] + 5], [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2])
    page.wait_for_timeout(1000)
    page.get_by_role("tab", name="Table").click()
    note = page.get_by_text("of them that are selected in the scatter")
    expect(note).to_be_visible()
    count = int(note.inner_text().split()[2].replace(",", ""))
    with page.expect_download() as download:
        page.get_by_role("button", name="Download Parquet").click()
    path = tmp_path / "materials.parquet"
    download.value.save_as(path)
    assert 1 < len(load_dataset(str(path))) == count < 1056
