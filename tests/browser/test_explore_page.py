"""The Explore page in a real browser: what is clicked and brushed filters, and every filter is in the address."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from engine import load_dataset
from tests.browser.server import ARTIFACTS, PATIENCE

expect.set_options(timeout=PATIENCE)

# Where on the page the point with the largest value across lies, as the drawn chart itself says.
POINT = """chart => {
    const points = chart._fullData.flatMap(t => Array.from(t.x, (x, i) => [x, t.y[i]]));
    const [x, y] = points.reduce((far, point) => point[0] > far[0] ? point : far);
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
Visit = Callable[..., Page]


def explore(app: str, visit: Visit, query: str = "", **options: object) -> Page:
    page = visit(f"{app}/explore{query}", **({"viewport": {"width": 1280, "height": 1200}} | options))
    expect(charts(page).first).to_be_visible()
    page.wait_for_timeout(1000)  # Plotly listens for clicks a little after it has drawn
    return page


def charts(page: Page) -> Locator:
    return page.locator(".js-plotly-plot:visible:has(.nsewdrag)")


def click_element(page: Page, symbol: str) -> None:
    page.mouse.click(*charts(page).first.evaluate(CELL, symbol))


def drag(page: Page, start: list[float], end: list[float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=8)
    page.mouse.up()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_clicking_a_point_shows_its_crystal_beside_and_leads_to_its_material(
    scheme: str, app: str, visit: Visit
) -> None:
    page = explore(app, visit, color_scheme=scheme)
    page.mouse.click(*charts(page).first.evaluate(POINT))
    canvas = page.frame_locator("iframe").first.locator("canvas").first
    expect(canvas).to_be_visible()
    expect(page.get_by_role("cell", name="Electronic, mean")).to_be_visible()
    expect(page).to_have_url(re.compile("shown="))
    page.screenshot(path=ARTIFACTS / f"explore_{scheme}.png")
    page.get_by_role("link", name="Prediction and tensors").click()
    expect(page.get_by_role("heading", name="Look up", level=1)).to_be_visible()
    expect(page.get_by_role("heading", name="Tensors")).to_be_visible()


def test_a_crystal_without_an_id_is_opened_by_formula_and_row(app: str, visit: Visit) -> None:
    page = explore(app, visit, "?source=matbench-dielectric&up=atoms+in+the+cell")
    expect(page.get_by_text("4,764 of 4,787 crystals: from matbench-dielectric")).to_be_visible()
    page.mouse.click(*charts(page).first.evaluate(POINT))
    page.get_by_role("link", name="Prediction and tensors").click()
    expect(page.get_by_text("there is no DFT tensor to compare with")).to_be_visible()


def test_clicking_an_element_filters_and_clicking_it_again_does_not(app: str, visit: Visit) -> None:
    page = explore(app, visit, "?view=Elements", color_scheme="dark")
    click_element(page, "O")
    expect(page.get_by_text("crystals: hold O", exact=False)).to_be_visible()
    page.wait_for_timeout(1000)
    click_element(page, "Ti")
    expect(page.get_by_text("crystals: hold O and Ti")).to_be_visible()
    expect(page).to_have_url(re.compile("holds=O&holds=Ti$"))
    page.screenshot(path=ARTIFACTS / "explore_elements.png")
    page.wait_for_timeout(1000)
    click_element(page, "O")
    expect(page.get_by_text("crystals: hold Ti")).to_be_visible()
    page.get_by_role("button", name="Reset filters").click()
    expect(page.get_by_text("All 4,787 crystals")).to_be_visible()
    expect(page).not_to_have_url(re.compile("holds"))


def test_a_range_drawn_in_a_histogram_filters_and_can_be_shared(app: str, visit: Visit) -> None:
    page = explore(app, visit, "?view=Distributions")
    expect(charts(page)).to_have_count(6)
    indices = charts(page).first
    drag(page, indices.evaluate(PLACE, [1.98, 0.3]), indices.evaluate(PLACE, [3.02, 0.6]))
    expect(page.get_by_text("crystals: n from 2 to 3")).to_be_visible()
    page.screenshot(path=ARTIFACTS / "explore_distributions.png")
    expect(page).to_have_url(re.compile("n_from=2"))
    again = visit(page.url)
    expect(again.get_by_text("crystals: n from 2 to 3")).to_be_visible()


def test_crystals_selected_in_the_scatter_are_those_of_the_parquet_file(
    app: str, visit: Visit, tmp_path: Path
) -> None:
    page = explore(app, visit, "?source=petousis-2017")
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
