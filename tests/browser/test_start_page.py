"""The first page in a real browser: what there is, drawn at once, and a way into it by one click."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from engine import load_dataset
from tests.browser.server import ARTIFACTS, PATIENCE
from tests.browser.test_explore_page import POINT

expect.set_options(timeout=PATIENCE)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_click_on_the_map_opens_the_crystal(scheme: str, app: str, visit: Callable[..., Page]) -> None:
    known = [material for material in load_dataset("petousis-2017") if material.band_gap]
    largest = max(known, key=lambda material: material.n)
    page = visit(app, viewport={"width": 1280, "height": 900}, color_scheme=scheme)
    chart = page.locator(".js-plotly-plot")
    expect(chart.locator(".scatterlayer .point")).to_have_count(len(known))
    page.wait_for_timeout(1000)  # Plotly listens for clicks a little after it has drawn
    page.screenshot(path=ARTIFACTS / f"start_{scheme}.png")
    page.mouse.click(*chart.evaluate(POINT))
    expect(page.get_by_role("link", name=largest.material_id)).to_be_visible()
    expect(page).to_have_url(re.compile(f"mp_id={largest.material_id}"))
    expect(page.get_by_label("Materials Project ID")).to_have_value(largest.material_id)
