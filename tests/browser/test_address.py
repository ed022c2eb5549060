"""The address in a real browser: it names what is drawn, and Back undoes one step."""

import re
import urllib.request
from collections.abc import Callable
from http.client import HTTPResponse

import pytest
from playwright.sync_api import Page, expect

from tests.browser.server import PATIENCE
from tests.browser.waiting import settled, until

expect.set_options(timeout=PATIENCE)
Visit = Callable[..., Page]


def search(page: Page, query: str) -> None:
    """Type over what the search field holds, without Enter."""
    page.get_by_role("searchbox").click()
    page.keyboard.press("Control+a")
    page.keyboard.type(query)


def expect_shown(page: Page, query: str, heading: str) -> None:
    """The address asks for what is drawn, also after the page's script has ended."""
    expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    settled(page)
    expect(page).to_have_url(re.compile(rf"\?mp_id={query}($|&)"))


def test_the_address_names_the_crystal_that_is_drawn_after_each_search(app: str, visit: Visit) -> None:
    page = visit(f"{app}/?mp_id=mp-2998&view-tab=Measured")
    expect_shown(page, "mp-2998", "BaTiO₃")
    search(page, "TiO2")
    expect_shown(page, "TiO2", "TiO₂")
    search(page, "nothing like it")  # the tabs go, and their part of the address
    expect(page.get_by_text("Nothing in the local data matches")).to_be_visible()
    settled(page)
    expect(page).to_have_url(re.compile(r"mp_id=nothing(\+|%20)like"))
    search(page, "mp-441")
    expect_shown(page, "mp-441", "Rb₂Te")
    page.reload()
    expect_shown(page, "mp-441", "Rb₂Te")


def test_the_address_names_the_chosen_polymorph(app: str, visit: Visit) -> None:
    page = visit(f"{app}/?mp_id=TiO2")
    page.get_by_role("combobox", name="crystals match").click()
    page.get_by_role("option").nth(2).click()
    expect(page).to_have_url(re.compile("row="))
    chosen = page.get_by_role("combobox", name="crystals match").input_value()
    page.reload()
    expect(page.get_by_role("combobox", name="crystals match")).to_have_value(chosen)


@pytest.mark.parametrize("address", ["?mp_id=TiO2", "explore?view=Table&holds=Ti"])
def test_one_press_of_back_returns_from_another_page(address: str, app: str, visit: Visit) -> None:
    page = visit(f"{app}/{address}")
    expect(page.get_by_text("crystals").first).to_be_visible()
    settled(page)
    page.get_by_role("link", name="Train").first.click()
    expect(page.get_by_role("heading", name="Train", level=1)).to_be_visible()
    settled(page)
    page.go_back()
    expect(page.get_by_role("heading", name="Train", level=1)).to_have_count(0)
    settled(page)
    expect(page).to_have_url(f"{app}/{address}")


def test_one_press_of_back_returns_from_the_crystal_that_was_ticked(app: str, visit: Visit) -> None:
    address = f"{app}/explore?view=Table&holds=Ti"
    page = visit(address)
    table = page.get_by_test_id("stDataFrame")
    expect(table).to_be_visible()
    settled(page)
    table.click(position={"x": 15, "y": 60})
    expect(page.get_by_role("heading", name="Look up", level=1)).to_be_visible()
    settled(page)
    page.go_back()
    expect(page.get_by_role("heading", name="Explore", level=1)).to_be_visible()
    settled(page)
    expect(page).to_have_url(address)


@pytest.mark.parametrize("address", ["", "explore", "nowhere", "no/where"])
def test_every_address_is_loaded_with_our_style_between_those_of_streamlit_and_its_own(
    address: str, app: str
) -> None:
    # A browser that has kept another Streamlit app's page of this address asks whether it is the same.
    kept = answer(f"{app}/{address}", Accept="*/*").headers["ETag"]
    html = answer(f"{app}/{address}", Accept="text/html,*/*", **{"If-None-Match": kept}).read().decode()
    assert html.index("<body>") < html.index(".block-container") < html.index('id="root"')


def test_what_is_no_page_comes_as_it_is(app: str) -> None:
    icon = answer(f"{app}/favicon.png", Accept="text/html,*/*")
    assert icon.headers["Content-Type"] == "image/png"
    assert icon.read().startswith(b"\x89PNG")


def test_the_code_of_charts_is_read_before_the_first_chart_is_asked_for(app: str, visit: Visit) -> None:
    page = visit(f"{app}/predict")
    settled(page)
    expect(page.locator(".stPlotlyChart")).to_have_count(0)
    files = "performance.getEntriesByType('resource').map(one => one.name)"
    until(page, lambda: any("PlotlyChart" in file for file in page.evaluate(files)))


def answer(address: str, **headers: str) -> HTTPResponse:
    """What a program hears at this address."""
    response = urllib.request.urlopen(urllib.request.Request(address, headers=headers))  # noqa: S310, our own server
    assert isinstance(response, HTTPResponse)
    return response
