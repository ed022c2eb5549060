"""The main path of a visitor, in a real browser with no network but the app."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.server import ARTIFACTS, running_app
from tests.browser.visits import Visit
from tests.browser.waiting import WATCH, expect_canvas, moved, settled, switch_theme, until

MATERIAL = "mp-554278"  # TiO2, monoclinic
TITLES = {
    "/": "Look up",
    "/explore": "Explore",
    "/predict": "Predict",
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


def expect_structure(page: Page) -> None:
    canvas = expect_canvas(page)
    until(page, lambda: min(canvas.bounding_box()[side] for side in ("width", "height")) > 200)


def expect_tensors(page: Page, count: int) -> None:
    """Heat maps with a number in each of their nine cells, on the tab that is open."""
    charts = page.locator(".js-plotly-plot:visible")
    expect(charts).to_have_count(count)
    for index in range(count):
        expect(charts.nth(index).locator(".heatmap-label")).to_have_count(27)


@pytest.fixture(scope="module")
def typed(app: str, stay: Visit) -> Page:
    """The page after an ID was typed that no other test has had predicted: where things stood from then on."""
    page = stay(app)
    expect(page.locator(".st-key-map .js-plotly-plot")).to_be_visible()
    settled(page)
    page.evaluate(WATCH, {"heading": "h2", "summary": "[data-testid=stColumn]:last-child table"})
    page.get_by_label("Materials Project ID").fill("mp-5986")
    return page


def test_a_material_stays_in_place_while_its_drawings_come(typed: Page) -> None:
    expect_structure(typed)
    expect_tensors(typed, 3)
    settled(typed)
    found = moved(typed)
    assert found.keys() == {"heading", "summary"}
    assert max(found.values()) <= 1, found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_typing_an_id_shows_the_crystal_and_prediction_dft_and_difference(scheme: str, typed: Page) -> None:
    switch_theme(typed, scheme)
    expect(typed.get_by_role("heading", name="BaTiO")).to_be_visible()
    expect_structure(typed)
    expect_tensors(typed, 3)
    for panel in ("Prediction", "DFT", "Prediction − DFT"):
        expect(typed.locator(".js-plotly-plot").first.get_by_text(panel, exact=True)).to_be_visible()
    expect(typed).to_have_url(re.compile("mp_id=mp-5986"))
    typed.screenshot(path=ARTIFACTS / f"look_up_{scheme}.png")


def test_the_crystal_can_be_drawn_without_webgl(typed: Page) -> None:
    typed.get_by_text("Without WebGL").click()
    expect(typed.locator(".js-plotly-plot .scatterlayer .point").first).to_be_visible()
    expect(typed.locator("iframe")).to_have_count(0)


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


def test_an_example_shows_its_crystal_on_the_first_screen(app: str, visit: Visit) -> None:
    page = visit(f"{app}/predict")
    page.get_by_text("BaTiO₃, perovskite").click()
    expect_structure(page)
    assert page.locator("iframe").first.bounding_box()["y"] < 500


@pytest.fixture(scope="module")
def uploaded(app: str, stay: Visit) -> Page:
    """The page after two files were uploaded, one of them broken, and the other was chosen."""
    page = stay(f"{app}/predict")
    page.locator("input[type=file]").set_input_files(
        [
            {"name": "POSCAR", "mimeType": "text/plain", "buffer": ROCK_SALT.encode()},
            {"name": "broken.cif", "mimeType": "text/plain", "buffer": b"data_x\n_cell_length_a nonsense\n"},
        ]
    )
    page.get_by_text("NaCl, POSCAR").click()
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_uploaded_files_are_answered_one_by_one(scheme: str, uploaded: Page) -> None:
    switch_theme(uploaded, scheme)
    expect(uploaded.get_by_text("broken.cif:")).to_be_visible()
    expect_structure(uploaded)
    expect(uploaded.locator(".js-plotly-plot .heatmap-label")).to_have_count(27)
    with uploaded.expect_download() as download:
        uploaded.get_by_role("button", name="Download JSON").click()
    assert '"formula": "NaCl"' in Path(download.value.path()).read_text()
    uploaded.locator("iframe").scroll_into_view_if_needed()
    uploaded.screenshot(path=ARTIFACTS / f"predict_{scheme}.png")


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
