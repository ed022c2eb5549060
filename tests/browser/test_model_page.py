"""The Model page in a real browser."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.server import ARTIFACTS, PATIENCE
from tests.browser.waiting import settled, until

expect.set_options(timeout=PATIENCE)

Visit = Callable[..., Page]

# Where on the page the lone point with the largest DFT mean lies, and which material it is.
FURTHEST = """chart => {
    const traces = chart._fullData.filter(t => t.customdata);
    const points = traces.flatMap(t => Array.from(t.x, (x, i) => [x, t.y[i], t.customdata[i][0]]));
    const [x, y, id] = points.reduce((far, point) => point[0] > far[0] ? point : far);
    const {xaxis, yaxis} = chart._fullLayout, box = chart.getBoundingClientRect();
    return [box.x + xaxis._offset + xaxis.d2p(x), box.y + yaxis._offset + yaxis.d2p(y), id];
}"""
POINTS = "chart => chart._fullData.filter(t => t.customdata).reduce((n, t) => n + t.x.length, 0)"

# Whether the plot has taken the width that its frame gives it.
FILLS = """chart => {
    const frame = chart.closest("[data-testid=stPlotlyChart]").getBoundingClientRect();
    return frame.right <= innerWidth && Math.abs(chart._fullLayout.width - frame.width) <= 2;
}"""
# Pairs of names in the plot that overlap, and names that leave it.
COVERED = """chart => {
    const names = Array.from(chart.querySelectorAll(".annotation-text"), n => n.getBoundingClientRect());
    const whole = chart.getBoundingClientRect();
    const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
    const pairs = names.flatMap((a, i) => names.slice(i + 1).filter(b => meet(a, b)));
    return pairs.length + names.filter(n => n.left < whole.left || n.right > whole.right).length;
}"""
# Whether the buttons lie over the legend, the colour bar or the plot itself.
OVER = """chart => {
    const box = name => chart.querySelector(name)?.getBoundingClientRect();
    const bar = box(".modebar-container .modebar");
    return [".legend", ".colorbar", ".nsewdrag"].map(box).filter(b => b && b.right > bar.left && b.bottom > bar.top
        && b.left < bar.right && b.top < bar.bottom).length;
}"""


def open_model(app: str, visit: Visit, query: str = "", **options: object) -> Page:
    page = visit(f"{app}/model{query}", **({"viewport": {"width": 1280, "height": 1400}} | options))
    expect(plots(page)).to_have_count(1)
    page.wait_for_timeout(1000)  # Plotly listens for clicks a little after it has drawn
    return page


def plots(page: Page) -> Locator:
    return page.locator(".js-plotly-plot:visible:has(.nsewdrag)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_plot_follows_tensor_quantity_and_colour_and_the_address_keeps_them(
    scheme: str, app: str, visit: Visit
) -> None:
    page = open_model(app, visit, color_scheme=scheme)
    page.get_by_role("radio", name="total").click()
    expect(plots(page).get_by_text("mean total permittivity, DFT")).to_be_visible()
    crystals = plots(page).evaluate(POINTS)
    page.screenshot(path=ARTIFACTS / f"model_{scheme}.png")
    page.get_by_role("radio", name="components").click()
    expect(plots(page).get_by_text("total permittivity component, DFT")).to_be_visible()
    assert plots(page).evaluate(POINTS) == 6 * crystals > 0
    page.get_by_role("radio", name="anisotropy").click()
    page.get_by_role("radio", name="density").click()
    expect(plots(page).get_by_text("total anisotropy ratio, DFT")).to_be_visible()
    expect(plots(page).get_by_text("points within 2 % of the axis length")).to_be_visible()
    for part in ("tensor=total", "quantity=anisotropy", "colour=density"):
        expect(page).to_have_url(re.compile(part))
    again = visit(page.url)
    expect(plots(again).get_by_text("total anisotropy ratio, DFT")).to_be_visible()
    expect(again.get_by_text("points within 2 % of the axis length")).to_be_visible()


def test_each_tab_draws_its_figures(app: str, visit: Visit) -> None:
    page = open_model(app, visit, "?tensor=total")
    page.get_by_role("tab", name="Where it errs").click()
    expect(page.locator(".js-plotly-plot:visible")).to_have_count(3)
    expect(page.locator(".js-plotly-plot:visible .annotation")).to_have_count(118)
    expect(page.locator(".js-plotly-plot:visible .boxlayer .box").first).to_be_visible()
    page.get_by_role("tab", name="Intervals").click()
    expect(page.locator(".js-plotly-plot:visible .scatterlayer .js-line")).to_have_count(4)
    expect(page.get_by_role("cell", name="all crystals")).to_be_visible()
    page.get_by_role("tab", name="Learning curve").click()
    expect(page.locator(".js-plotly-plot:visible")).to_have_count(2)
    expect(page).to_have_url(re.compile("errors=Learning"))


def test_clicking_a_point_of_the_parity_plot_opens_its_material(app: str, visit: Visit) -> None:
    page = open_model(app, visit)
    across, up, material_id = plots(page).evaluate(FURTHEST)
    page.mouse.click(across, up)
    expect(page.get_by_role("heading", name="Look up", level=1)).to_be_visible()
    expect(page.get_by_role("link", name=material_id)).to_be_visible()
    expect(page).to_have_url(re.compile(f"mp_id={material_id}$"))


def test_a_crystal_that_is_furthest_off_is_named_and_linked(app: str, visit: Visit) -> None:
    page = open_model(app, visit)
    link = page.get_by_role("link", name="too small").first
    formula = link.locator("strong").inner_text()
    expect(plots(page).locator(".annotation-text").first).to_have_text(formula)
    material_id = link.get_attribute("href").split("mp_id=")[1]
    link.click()
    expect(page.get_by_role("heading", name="Look up", level=1)).to_be_visible()
    expect(page.get_by_role("link", name=material_id)).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("query", ["", "?tensor=ionic&quantity=components&colour=density"])
def test_names_and_buttons_cover_nothing_and_the_plot_can_be_kept_at_any_width(
    query: str, theme: str, app: str, visit: Visit
) -> None:
    page = open_model(app, visit, query, viewport={"width": 1280, "height": 900}, color_scheme=theme)
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        until(page, lambda: plots(page).evaluate(FILLS))
        settled(page)
        expect(plots(page).locator(".annotation-text").first).to_be_visible()
        assert plots(page).evaluate(COVERED) == 0, width
        assert plots(page).evaluate(OVER) == 0, width
        assert page.get_by_test_id("stMain").evaluate("e => e.scrollWidth") <= width
        with page.expect_download() as download:
            plots(page).locator("[data-title^='Download plot']").click()
        assert download.value.suggested_filename.endswith(".png")
        page.screenshot(path=ARTIFACTS / f"model_{width}_{theme}.png")
