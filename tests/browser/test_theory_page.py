"""The Theory page in a real browser."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.server import ARTIFACTS, PATIENCE
from tests.browser.waiting import settled

expect.set_options(timeout=PATIENCE)

Visit = Callable[..., Page]
MATRIX, PRODUCTS = 0, 1  # tables in their order on the page
ROW = 35  # pixels of a table's row
SURFACE = "chart => chart._fullData.find(trace => trace.type === 'mesh3d').y.slice(0, 500).join()"


def open_theory(app: str, visit: Visit, **options: object) -> Page:
    page = visit(
        f"{app}/theory?crystal=mp-2815&axis=x&angle=30", **({"viewport": {"width": 1280, "height": 900}} | options)
    )
    expect(page.get_by_text("Read on")).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(13)
    expect(page.locator(".js-plotly-plot canvas").first).to_be_visible()
    page.wait_for_timeout(1000)  # tables listen for clicks a little after they are drawn
    return page


def chart(page: Page, key: str) -> Locator:
    return page.locator(f".st-key-{key} .js-plotly-plot")


def click_cell(page: Page, table: int, row: int, share: float) -> None:
    """Click into a row of a table, at a share of its width."""
    grid = page.get_by_test_id("stDataFrame").nth(table)
    grid.scroll_into_view_if_needed()
    box = grid.bounding_box()
    grid.click(position={"x": share * box["width"], "y": ROW * (row + 1.5)})
    page.wait_for_timeout(500)  # the table takes keys a little after it was clicked


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_surface_of_the_equivariant_network_turns_with_the_slider(app: str, visit: Visit, scheme: str) -> None:
    page = open_theory(app, visit, color_scheme=scheme)
    expect(page.get_by_text("the whole tensor is off by")).to_be_visible()
    before = chart(page, "equivariant-surface").evaluate(SURFACE)
    page.get_by_role("slider", name="Angle").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => location.search.includes('angle=35')")
    page.wait_for_function(
        f"before => ({SURFACE})(document.querySelector('.st-key-equivariant-surface .js-plotly-plot')) !== before",
        arg=before,
    )
    expect(page).to_have_url(re.compile("crystal=mp-2815"))
    page.screenshot(path=ARTIFACTS / f"theory_{scheme}.png", full_page=True)


def test_the_figures_live_through_many_steps_of_the_slider(app: str, visit: Visit) -> None:
    """A browser lets a page have some sixteen WebGL contexts, and ends the oldest for a new one."""
    page = open_theory(app, visit)
    warnings: list[str] = []
    page.on("console", lambda message: warnings.append(message.text))
    page.get_by_role("slider", name="Angle").focus()
    for step in range(1, 25):
        page.keyboard.press("ArrowRight")
        page.wait_for_function(f"() => location.search.includes('angle={30 + 5 * step}')")
    settled(page)
    assert [text for text in warnings if "WebGL" in text] == []
    lost = (
        "() => [...document.querySelectorAll('.js-plotly-plot canvas')].map(canvas => canvas.getContext('webgl'))"
    )
    assert page.evaluate(f"({lost})().filter(gl => gl && gl.isContextLost()).length") == 0


def test_the_crystal_and_both_surfaces_are_on_the_first_screen_of_a_projector(app: str, visit: Visit) -> None:
    page = open_theory(app, visit, viewport={"width": 1280, "height": 720})
    for key in ("crystal-drawing", "equivariant-surface", "ordinary-surface"):
        box = chart(page, key).bounding_box()
        assert box["y"] + box["height"] < 720
    slider, label = page.get_by_role("slider", name="Angle"), page.get_by_test_id("stSlider").get_by_text("Angle")
    assert slider.bounding_box()["y"] > label.bounding_box()["y"] + label.bounding_box()["height"]


def test_another_crystal_changes_the_whole_page(app: str, visit: Visit) -> None:
    page = open_theory(app, visit)
    page.get_by_role("combobox", name="Crystal").click()
    page.get_by_role("option", name=re.compile("BaTiO.*cubic")).click()
    expect(page).to_have_url(re.compile("crystal=mp-2998"))
    expect(page.get_by_role("combobox", name="Atom")).to_have_value(re.compile("Ba|Ti|O"))


def test_clicking_a_product_shows_its_coefficients(app: str, visit: Visit) -> None:
    page = open_theory(app, visit)
    expect(page.get_by_text("Coefficients of 1o ⊗ 1o → 1e")).to_be_visible()
    expect(chart(page, "coefficients").locator(".heatmap-label")).to_have_count(27)
    click_cell(page, PRODUCTS, row=3, share=0.9)
    expect(page.get_by_text("Coefficients of 3o ⊗ 3o → 3e")).to_be_visible()
    expect(page.get_by_role("radio", name="6e")).to_be_visible()


def test_a_typed_number_changes_the_parts_of_the_matrix(app: str, visit: Visit) -> None:
    page = open_theory(app, visit)
    expect(page.get_by_text("axial vector (0.5, −0.25, 0.5)")).to_be_visible()
    click_cell(page, MATRIX, row=1, share=0.3)
    page.keyboard.type("1")
    expect(page.locator("#portal input")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_text("axial vector (0.5, −0.25, 0)")).to_be_visible()


def test_harmonics_and_neighbours_can_be_chosen(app: str, visit: Visit) -> None:
    page = open_theory(app, visit)
    page.locator(".st-key-degree").get_by_role("radio", name="3").click()
    expect(page.get_by_role("figure", name="Spherical harmonic of degree 3 and order 0")).to_be_visible()
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    page.get_by_role("radiogroup", name="Order m").get_by_role("radio", name="−2").click()
    expect(page.get_by_text("is proportional to xyz")).to_be_visible()
    expect(page).to_have_url(re.compile("degree=3"))
    page.locator(".st-key-sum-degree").get_by_role("radio", name="0").click()
    expect(page.get_by_text("Power 1.00 for ℓ = 0")).to_be_visible()
