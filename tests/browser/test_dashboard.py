"""The main path of a visitor, in a real browser with no network but the app."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.server import ARTIFACTS, PATIENCE, running_app
from tests.browser.waiting import until

expect.set_options(timeout=PATIENCE)

MATERIAL = "mp-554278"  # TiO2, monoclinic
TITLES = {
    "/": "Look up",
    "/explore": "Explore",
    "/compare": "Compare",
    "/predict": "Predict",
    "/screen": "Screen",
    "/model": "Model",
    "/train": "Train",
    "/theory": "Theory",
    "/demo": "Demo",
}
ROCK_SALT = """rock salt
1.0
0.0 2.82 2.82
2.82 0.0 2.82
2.82 2.82 0.0
Na Cl
1 1
direct
0.0 0.0 0.0
0.5 0.5 0.5
"""

Visit = Callable[..., Page]


def expect_structure(page: Page) -> None:
    canvas = page.frame_locator("iframe").first.locator("canvas").first
    expect(canvas).to_be_visible()
    until(page, lambda: min(canvas.bounding_box()[side] for side in ("width", "height")) > 200)


def expect_tensors(page: Page, count: int) -> None:
    """Heat maps with a number in each of their nine cells, on the tab that is open."""
    charts = page.locator(".js-plotly-plot:visible")
    expect(charts).to_have_count(count)
    for index in range(count):
        expect(charts.nth(index).locator(".heatmap-label")).to_have_count(27)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_typing_an_id_shows_the_crystal_and_prediction_dft_and_difference(
    scheme: str, app: str, visit: Visit
) -> None:
    page = visit(app, color_scheme=scheme)
    page.get_by_label("Materials Project ID").fill(MATERIAL)
    expect(page.get_by_role("heading", name="TiO")).to_be_visible()
    expect_structure(page)
    expect_tensors(page, 3)
    for panel in ("Prediction", "DFT", "Prediction − DFT"):
        expect(page.locator(".js-plotly-plot").first.get_by_text(panel, exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile(f"mp_id={MATERIAL}"))
    page.screenshot(path=ARTIFACTS / f"look_up_{scheme}.png")


def test_a_shared_link_opens_its_material_as_the_first_request_of_a_server(tmp_path: Path, visit: Visit) -> None:
    with running_app(tmp_path) as address:
        page = visit(f"{address}/?mp_id={MATERIAL}")
        expect(page.get_by_role("heading", name="TiO")).to_be_visible()
        expect_structure(page)
        expect_tensors(page, 3)
        page.close()  # before its server goes


@pytest.mark.parametrize("path", list(TITLES))
def test_each_page_can_be_the_first_request_of_a_server(path: str, tmp_path: Path, visit: Visit) -> None:
    with running_app(tmp_path) as address:
        page = visit(address + path)
        expect(page.get_by_role("heading", name=TITLES[path], level=1)).to_be_visible()
        menu = page.get_by_test_id("stTopNavLink")
        expect(menu).to_have_text(list(TITLES.values()))
        menu.filter(has_text="Look up").click()
        expect(page.get_by_role("heading", name="Look up", level=1)).to_be_visible()
        page.close()  # before its server goes


def test_an_unknown_id_gets_a_sentence_and_a_way_on(app: str, visit: Visit) -> None:
    page = visit(f"{app}/?mp_id=mp-9999999")
    expect(page.get_by_text("With an API key it is fetched")).to_be_visible()
    page.get_by_text("TiO2", exact=True).click()
    expect(page.get_by_role("heading", name="TiO")).to_be_visible()


def test_the_crystal_can_be_drawn_without_webgl(app: str, visit: Visit) -> None:
    page = visit(f"{app}/?mp_id={MATERIAL}")
    page.get_by_text("Without WebGL").click()
    expect(page.locator(".js-plotly-plot .scatterlayer .point").first).to_be_visible()
    expect(page.locator("iframe")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_uploaded_files_are_answered_one_by_one(scheme: str, app: str, visit: Visit) -> None:
    page = visit(f"{app}/predict", color_scheme=scheme)
    page.locator("input[type=file]").set_input_files(
        [
            {"name": "POSCAR", "mimeType": "text/plain", "buffer": ROCK_SALT.encode()},
            {"name": "broken.cif", "mimeType": "text/plain", "buffer": b"data_x\n_cell_length_a nonsense\n"},
        ]
    )
    expect(page.get_by_text("broken.cif:")).to_be_visible()
    page.get_by_text("NaCl, POSCAR").click()
    expect_structure(page)
    expect(page.locator(".js-plotly-plot .heatmap-label")).to_have_count(27)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download JSON").click()
    assert '"formula": "NaCl"' in Path(download.value.path()).read_text()
    page.locator("iframe").scroll_into_view_if_needed()
    page.screenshot(path=ARTIFACTS / f"predict_{scheme}.png")


def test_an_example_shows_its_crystal_on_the_first_screen(app: str, visit: Visit) -> None:
    page = visit(f"{app}/predict")
    page.get_by_text("BaTiO₃, perovskite").click()
    expect_structure(page)
    assert page.locator("iframe").first.bounding_box()["y"] < 500


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_training_can_be_started_watched_found_again_and_stopped(scheme: str, app: str, visit: Visit) -> None:
    page = visit(f"{app}/train", color_scheme=scheme)
    page.get_by_role("radio", name="from scratch", exact=True).click()
    expect(page.get_by_text("learns everything from these crystals")).to_be_visible()
    expect(page.get_by_text("Learn the mean from refractive indices too")).to_have_count(0)
    page.get_by_label("Epochs").fill("500")
    page.get_by_label("Batch size").fill("128")
    page.get_by_text("Network and split").click()
    for label, value in {"Neighbour radius (Å)": "3", "Layers": "1", "Channels": "4"}.items():
        page.get_by_role("spinbutton", name=label).fill(value)
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_text(re.compile("running, epoch [1-9]"))).to_be_visible()
    expect(page.locator(".st-key-loss .scatterlayer .point").first).to_be_visible()
    expect(page).to_have_url(re.compile("run="))
    page.locator(".st-key-loss").scroll_into_view_if_needed()
    page.screenshot(path=ARTIFACTS / f"train_{scheme}.png")
    again = visit(page.url)
    expect(again.get_by_text("epoch").first).to_be_visible()
    again.get_by_role("button", name="Stop training").click()
    expect(again.get_by_text("stopped, epoch")).to_be_visible()
