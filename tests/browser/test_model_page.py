"""The Model page in a real browser."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.server import ARTIFACTS, PATIENCE

expect.set_options(timeout=PATIENCE)

Visit = Callable[..., Page]

# Where on the page the lone point with the largest DFT mean lies, and which material it is.
FURTHEST = """chart => {
    const traces = chart._fullData.filter(t => t.mode === "markers");
    const points = traces.flatMap(t => Array.from(t.x, (x, i) => [x, t.y[i], t.customdata[i][0]]));
    const [x, y, id] = points.reduce((far, point) => point[0] > far[0] ? point : far);
    const {xaxis, yaxis} = chart._fullLayout, box = chart.getBoundingClientRect();
    return [box.x + xaxis._offset + xaxis.d2p(x), box.y + yaxis._offset + yaxis.d2p(y), id];
}"""
POINTS = "chart => chart._fullData.filter(t => t.mode === 'markers').reduce((n, t) => n + t.x.length, 0)"


def open_model(app: str, visit: Visit, **options: object) -> Page:
    page = visit(f"{app}/model", **({"viewport": {"width": 1280, "height": 1600}} | options))
    expect(page.locator(".js-plotly-plot:visible .nsewdrag")).to_have_count(2)
    page.wait_for_timeout(1000)  # Plotly listens for clicks a little after it has drawn
    return page


def test_each_tab_draws_its_figures_for_the_chosen_tensor(app: str, visit: Visit) -> None:
    page = open_model(app, visit)
    page.get_by_role("radio", name="total").click()
    means, components = page.locator(".js-plotly-plot:visible").all()
    expect(means.get_by_text("total mean, DFT")).to_be_visible()
    crystals = means.evaluate(POINTS)
    assert crystals > 0
    assert components.evaluate(POINTS) == 6 * crystals
    page.screenshot(path=ARTIFACTS / "model.png")
    page.get_by_role("tab", name="Where it errs").click()
    expect(page.locator(".js-plotly-plot:visible")).to_have_count(3)
    expect(page.locator(".js-plotly-plot:visible .heatmap-label")).to_have_count(118)
    expect(page.locator(".js-plotly-plot:visible .boxlayer .box").first).to_be_visible()
    page.get_by_role("tab", name="Intervals").click()
    expect(page.locator(".js-plotly-plot:visible .scatterlayer .js-line")).to_have_count(4)
    expect(page.get_by_role("cell", name="all crystals")).to_be_visible()
    assert "tensor=total" in page.url


def test_clicking_a_point_of_the_parity_plot_opens_its_material(app: str, visit: Visit) -> None:
    page = open_model(app, visit)
    across, up, material_id = page.locator(".js-plotly-plot:visible").first.evaluate(FURTHEST)
    page.mouse.click(across, up)
    expect(page.get_by_role("heading", name="Look up", level=1)).to_be_visible()
    expect(page.get_by_role("link", name=material_id)).to_be_visible()
    assert f"mp_id={material_id}" in page.url
