"""The Model page in a real browser."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.server import ARTIFACTS
from tests.browser.visits import Visit, visits
from tests.browser.waiting import WATCH, moved, resize, settled, switch_theme, until

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


@pytest.fixture(scope="module")
def model(app: str, stay: Visit) -> Page:
    """The page; each test opens its tab and chooses what is plotted."""
    page = stay(f"{app}/model", viewport={"width": 1280, "height": 1400})
    listening(page)
    return page


@pytest.fixture(scope="module", params=["", "?tensor=ionic&quantity=components&colour=density"])
def asked(request: pytest.FixtureRequest, app: str, profile: BrowserContext) -> Iterator[Page]:
    """The page as an address asks for it, at any size and in any theme."""
    with visits(profile) as visit:
        yield visit(f"{app}/model{request.param}")


def listening(page: Page) -> None:
    """Plotly listens for clicks a little after it has drawn."""
    expect(plots(page)).to_have_count(1)
    settled(page)
    page.wait_for_timeout(1000)


def plots(page: Page) -> Locator:
    return page.locator(".js-plotly-plot:visible:has(.nsewdrag)")


def choose(page: Page, *names: str) -> None:
    for name in names:
        page.get_by_role("radio", name=name).click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_plot_follows_tensor_quantity_and_colour(scheme: str, model: Page) -> None:
    switch_theme(model, scheme)
    choose(model, "total", "mean", "crystal system")
    expect(plots(model).get_by_text("mean total permittivity, DFT")).to_be_visible()
    crystals = plots(model).evaluate(POINTS)
    model.screenshot(path=ARTIFACTS / f"model_{scheme}.png")
    choose(model, "components")
    expect(plots(model).get_by_text("total permittivity component, DFT")).to_be_visible()
    assert plots(model).evaluate(POINTS) == 6 * crystals > 0
    choose(model, "anisotropy", "density")
    expect(plots(model).get_by_text("total anisotropy ratio, DFT")).to_be_visible()
    expect(plots(model).get_by_text("points within 2 % of the axis length")).to_be_visible()


def test_the_address_keeps_tensor_quantity_and_colour(model: Page, visit: Visit) -> None:
    choose(model, "total", "anisotropy", "density")
    for part in ("tensor=total", "quantity=anisotropy", "colour=density"):
        expect(model).to_have_url(re.compile(part))
    again = visit(model.url, color_scheme="dark")
    expect(plots(again).get_by_text("total anisotropy ratio, DFT")).to_be_visible()
    expect(again.get_by_text("points within 2 % of the axis length")).to_be_visible()


def test_the_plot_stays_in_place_when_it_is_coloured_anew(model: Page) -> None:
    choose(model, "electronic", "mean", "crystal system")
    expect(plots(model).get_by_text("mean electronic permittivity, DFT")).to_be_visible()
    listening(model)
    model.evaluate(WATCH, {"plot": ".st-key-parity .js-plotly-plot"})
    choose(model, "density")
    expect(model.get_by_text("points within 2 % of the axis length")).to_be_visible()
    settled(model)
    assert moved(model)["plot"] <= 1


def test_clicking_a_point_of_the_parity_plot_opens_its_material(model: Page) -> None:
    choose(model, "electronic", "mean", "crystal system")
    listening(model)
    across, up, material_id = plots(model).evaluate(FURTHEST)
    model.mouse.click(across, up)
    expect_material(model, material_id)
    expect(model).to_have_url(re.compile(f"mp_id={material_id}$"))
    model.go_back()


def test_a_crystal_that_is_furthest_off_is_named_and_linked(model: Page) -> None:
    choose(model, "electronic", "mean", "crystal system")
    listening(model)
    link = model.get_by_role("link", name="too small").first
    formula = link.locator("strong").inner_text()
    expect(plots(model).locator(".annotation-text").first).to_have_text(formula)
    material_id = link.get_attribute("href").split("mp_id=")[1]
    link.click()
    expect_material(model, material_id)
    model.go_back()


def expect_material(page: Page, material_id: str) -> None:
    expect(page.get_by_role("heading", name="Look up", level=1)).to_be_visible()
    expect(page.get_by_role("link", name=material_id)).to_be_visible()


def test_each_tab_draws_its_figures(model: Page) -> None:
    choose(model, "total")
    charts = model.locator(".js-plotly-plot:visible")
    model.get_by_role("tab", name="Where it errs").click()
    expect(charts).to_have_count(3)
    expect(charts.locator(".annotation")).to_have_count(118)
    expect(charts.locator(".boxlayer .box").first).to_be_visible()
    model.get_by_role("tab", name="Intervals").click()
    expect(charts.locator(".scatterlayer .js-line")).to_have_count(4)
    expect(model.get_by_role("cell", name="all crystals")).to_be_visible()
    model.get_by_role("tab", name="Learning curve").click()
    expect(charts).to_have_count(2)
    expect(model).to_have_url(re.compile("errors=Learning"))


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_names_and_buttons_cover_nothing_and_the_plot_can_be_kept(asked: Page, theme: str, width: int) -> None:
    switch_theme(asked, theme)
    resize(asked, width, 900)
    until(asked, lambda: plots(asked).evaluate(FILLS))
    settled(asked)
    expect(plots(asked).locator(".annotation-text").first).to_be_visible()
    assert plots(asked).evaluate(COVERED) == 0
    assert plots(asked).evaluate(OVER) == 0
    assert asked.get_by_test_id("stMain").evaluate("e => e.scrollWidth") <= width
    with asked.expect_download() as download:
        plots(asked).locator("[data-title^='Download plot']").click()
    assert download.value.suggested_filename.endswith(".png")
    asked.screenshot(path=ARTIFACTS / f"model_{width}_{theme}.png")
