"""The material on the Look up page in a real browser."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from pages.components.crystal.controls import BAR
from tests.browser.server import ARTIFACTS, PATIENCE, PROJECTOR
from tests.browser.waiting import settled, until

expect.set_options(timeout=PATIENCE)

MATERIAL = "mp-1943"  # GaSe, uniaxial, with measurements
Visit = Callable[..., Page]

# Of the pixels of the WebGL drawing that are neither grey nor black: their number, and the box around them (left,
# top, right, bottom as shares of the drawing).
PAINTED = """canvas => {
    const flat = document.createElement("canvas");
    [flat.width, flat.height] = [canvas.width, canvas.height];
    const context = flat.getContext("2d");
    context.drawImage(canvas, 0, 0);
    const data = context.getImageData(0, 0, flat.width, flat.height).data;
    let count = 0, [left, top, right, bottom] = [1, 1, 0, 0];
    for (let i = 0; i < data.length; i += 4) {
        const color = data.slice(i, i + 3);
        if (Math.max(...color) - Math.min(...color) <= 40) continue;
        const x = ((i / 4) % flat.width) / flat.width, y = Math.floor(i / 4 / flat.width) / flat.height;
        [left, top] = [Math.min(left, x), Math.min(top, y)];
        [right, bottom] = [Math.max(right, x), Math.max(bottom, y)];
        count += 1;
    }
    return [count, left, top, right, bottom];
}"""
COUNTING = """window.wiped = 0;
for (const { prototype } of [WebGLRenderingContext, WebGL2RenderingContext]) {
    const clear = prototype.clear;
    prototype.clear = function (mask) { window.wiped += 1; clear.call(this, mask); };
}"""
LONGEST = "chart => Math.max(...chart._fullData.flatMap(trace => Array.from(trace.r)))"


def painted(page: Page) -> list[float]:
    canvas = page.frame_locator("iframe").first.locator("canvas").first
    expect(canvas).to_be_visible()
    settled(page)
    until(page, lambda: canvas.evaluate(PAINTED)[0] > 0)  # the drawing follows its frame
    return canvas.evaluate(PAINTED)


def open_material(app: str, visit: Visit, **options: object) -> Page:
    page = visit(f"{app}/?mp_id={MATERIAL}", **({"viewport": {"width": 1280, "height": 1400}} | options))
    expect(page.get_by_role("tab", name="Plane cuts")).to_be_visible()
    return page


def expect_longest(page: Page, radius: float) -> None:
    """The largest radius in the first plane, to two digits."""
    chart = page.locator(".js-plotly-plot:visible").first
    until(page, lambda: chart.evaluate(LONGEST) == pytest.approx(radius, rel=0.02))


def choose(page: Page, name: str) -> None:
    page.get_by_label("Surface in the crystal").click()
    page.get_by_role("option", name=name).click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_tensor_is_drawn_into_the_crystal_and_can_be_taken_out(scheme: str, app: str, visit: Visit) -> None:
    page = open_material(app, visit, color_scheme=scheme)
    with_surface, *_ = painted(page)
    page.screenshot(path=ARTIFACTS / f"material_{scheme}.png")
    choose(page, "none")
    expect(page.get_by_text("Electronic ε(direction), DFT:")).to_have_count(0)
    until(page, lambda: 2 * painted(page)[0] < with_surface)
    choose(page, "Refractive-index ellipsoid")
    expect(page.get_by_text("Refractive-index ellipsoid, DFT:")).to_be_visible()
    expect(page).to_have_url(re.compile("view-surface="))


@pytest.mark.parametrize(("material_id", "width"), [("mp-2998", 1280), ("mp-2998", 390), ("mp-1143", 1280)])
def test_a_crystal_fills_its_frame_and_none_of_it_is_cut_off(
    material_id: str, width: int, app: str, visit: Visit
) -> None:
    page = visit(f"{app}/?mp_id={material_id}", viewport={"width": width, "height": 1400})
    _, left, top, right, bottom = painted(page)
    assert min(left, top, 1 - right, 1 - bottom) > 0.01
    frame = page.frame_locator("iframe").first
    top_of, bottom_of = (f"e => e.getBoundingClientRect().{side}" for side in ("top", "bottom"))
    assert frame.locator("canvas").first.evaluate(top_of) >= frame.locator("#views").evaluate(bottom_of)
    assert max(right - left, bottom - top) > 0.75


def test_the_wheel_over_the_crystal_scrolls_the_page(app: str, visit: Visit) -> None:
    page = open_material(app, visit, viewport={"width": 1280, "height": 720})
    expect(page).to_have_title("GaSe · mp-1943 · Dielectric tensors")  # of the tab, bookmark and history
    canvas = page.frame_locator("iframe").first.locator("canvas").first
    expect(canvas).to_be_visible()
    settled(page)
    canvas.hover()
    main = page.get_by_test_id("stMain")
    before = main.evaluate("element => element.scrollTop")  # to have the pointer there may take some pixels

    def rolled() -> bool:
        page.mouse.wheel(0, 30)
        return main.evaluate("element => element.scrollTop") > before + 100

    until(page, rolled)


def test_without_a_graphics_card_the_crystal_is_drawn_no_finer_than_its_frame(app: str, visit: Visit) -> None:
    page = open_material(app, visit)
    canvas = page.frame_locator("iframe").first.locator("canvas").first
    expect(canvas).to_be_visible()
    assert canvas.evaluate("canvas => canvas.width === canvas.clientWidth")


def test_a_crystal_is_drawn_once_which_without_a_graphics_card_takes_a_while(app: str, visit: Visit) -> None:
    page = visit(app)
    page.context.add_init_script(COUNTING)
    page.goto(f"{app}/?mp_id={MATERIAL}")
    painted(page)
    page.wait_for_timeout(500)  # 3Dmol's observers tell it of its size a moment later
    frame = page.frame_locator("iframe").first.locator("body")
    at_first = frame.evaluate("window.wiped")
    frame.evaluate("viewer_crystal.render()")
    assert at_first == frame.evaluate("window.wiped") - at_first


def test_plane_cuts_show_the_chosen_quantity_in_three_planes(app: str, visit: Visit) -> None:
    page = open_material(app, visit)
    page.get_by_role("tab", name="Plane cuts").click()
    charts = page.locator(".js-plotly-plot:visible")
    expect(charts).to_have_count(3)
    expect(charts.first.locator(".scatterlayer .js-line")).to_have_count(2)
    expect_longest(page, 7.7)  # the permittivity across the axis
    page.get_by_role("radio", name="Refractive-index ellipsoid").click()
    expect(page.get_by_text("the semi-axes are")).to_be_visible()
    expect_longest(page, 2.77)
    page.screenshot(path=ARTIFACTS / "material_cuts.png", full_page=True)


def test_each_tab_has_its_numbers_and_a_similar_crystal_opens(app: str, visit: Visit) -> None:
    page = open_material(app, visit)
    page.get_by_role("tab", name="Principal axes").click()
    expect(page.get_by_text("4.422, [001]")).to_be_visible()
    page.get_by_role("tab", name="Infrared").click()
    expect(page.get_by_text("Vibrations at the zone centre")).to_be_visible()
    expect(page.get_by_text("Born charges", exact=True)).to_be_visible()
    expect(page.locator("iframe")).to_have_count(2)  # the crystal, and one that moves
    page.get_by_role("tab", name="Matrices").click()
    page.get_by_text("Copy a tensor").click()
    expect(page.get_by_test_id("stCode")).to_be_visible()
    page.get_by_role("tab", name="Measured").click()
    expect(page.get_by_role("link", name="Kato et al. 2013")).to_be_visible()
    page.get_by_role("tab", name="Similar crystals").click()
    page.get_by_role("link", name="distance").first.click()
    expect(page.get_by_role("tab", name="Matrices")).to_be_visible()
    expect(page.get_by_role("heading", name="GaSe", exact=True)).to_have_count(0)
    page.go_back()
    expect(page.get_by_role("heading", name="GaSe", exact=True)).to_be_visible()


def test_the_tensors_can_be_downloaded_with_their_axes(app: str, visit: Visit) -> None:
    page = open_material(app, visit)
    with page.expect_download() as download:
        page.get_by_role("button", name="Tensors as CSV").click()
    assert download.value.suggested_filename == f"{MATERIAL}.csv"
    header, *rows = download.value.path().read_text().splitlines()
    assert "lattice_ax" in header
    assert len(rows) == 2


def test_the_crystal_is_seen_along_an_axis_and_on_the_whole_screen(app: str, visit: Visit) -> None:
    page = visit(f"{app}/?mp_id={MATERIAL}")
    frame = page.frame_locator("iframe").first
    expect(frame.locator("canvas").first).to_be_visible()
    before = frame.locator("body").evaluate("viewer_crystal.getView()")
    frame.get_by_role("button", name="View along c").click()
    assert frame.locator("body").evaluate("viewer_crystal.getView()")[4:] != before[4:]
    frame.get_by_role("button", name="First view again").click()
    assert frame.locator("body").evaluate("viewer_crystal.getView()") == pytest.approx(before, abs=1e-3)
    frame.get_by_role("button", name="Whole screen").click()
    height = "document.fullscreenElement && document.querySelector('canvas').getBoundingClientRect().height"
    until(page, lambda: frame.locator("body").evaluate(height) == PROJECTOR["height"] - BAR)


def test_the_stiffest_direction_of_silicon_is_seen_in_the_crystal_and_in_the_cuts(app: str, visit: Visit) -> None:
    page = visit(f"{app}/?mp_id=mp-149&view-tab=Elastic", viewport={"width": 1280, "height": 1400})
    expect(page.get_by_text("Stiffness C (GPa)")).to_be_visible()
    choose(page, "none")
    bare = painted(page)[0]
    choose(page, "Young's modulus E(direction), DFT")
    expect(page.get_by_text("172 GPa")).to_be_visible()
    until(page, lambda: painted(page)[0] > 2 * bare)
    cuts = [page.locator(".js-plotly-plot:visible").nth(place).evaluate(LONGEST) for place in (1, 2, 3)]
    assert 115 < max(cuts) <= 172.5
