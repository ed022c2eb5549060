"""A screening in a real browser: brought, watched, left and found again, stopped, gone on with, looked at."""

import re
from collections.abc import Callable

from playwright.sync_api import FilePayload, Page, expect

from tests.browser.server import ARTIFACTS, PATIENCE
from tests.browser.test_dashboard import ROCK_SALT, expect_structure
from tests.browser.test_every_page import expect_no_serious_barrier, expect_no_wider_than_a_phone
from tests.browser.waiting import settled

expect.set_options(timeout=PATIENCE)

Visit = Callable[..., Page]
FRONT_POINT = """chart => {
    const front = chart._fullData.at(-1), {xaxis, yaxis} = chart._fullLayout, box = chart.getBoundingClientRect();
    return [box.x + xaxis._offset + xaxis.d2p(front.x[0]), box.y + yaxis._offset + yaxis.d2p(front.y[0])];
}"""


def salts(count: int) -> list[FilePayload]:
    """Rock salt at as many bond lengths."""
    return [
        {
            "name": f"salt{number}.vasp",
            "mimeType": "text/plain",
            "buffer": ROCK_SALT.replace("2.82", f"{2.7 + 0.01 * number:.2f}").encode(),
        }
        for number in range(count)
    ]


def test_many_files_are_screened_watched_stopped_gone_on_with_ranked_and_opened(app: str, visit: Visit) -> None:
    page = visit(f"{app}/screen")
    page.get_by_role("radio", name="files").click()
    page.get_by_role("radio", name="electronic").click()
    settled(page)  # files that come while the page's first script still loads torch may be lost
    broken: FilePayload = {"name": "broken.cif", "mimeType": "text/plain", "buffer": b"data_x\n"}
    page.locator("input[type=file]").set_input_files([*salts(24), broken])
    expect(page.get_by_text("25 structures, about")).to_be_visible()
    settled(page)
    page.get_by_role("button", name="Start screening").click()
    expect(page).to_have_url(re.compile("screening="))
    expect(page.get_by_role("progressbar").first).to_be_visible()
    settled(page)
    expect_no_serious_barrier(page)
    page.get_by_role("button", name="Stop screening").click()
    expect(page.get_by_text(re.compile("stopped, .*(of 25 structures|taking stock)"))).to_be_visible()
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text(re.compile("(starting|running), "))).to_be_visible()
    page.screenshot(path=ARTIFACTS / "screen-running.png")
    again = visit(page.url)  # a second tab, or a reload
    page.close()
    finished = again.get_by_text("finished, 25 of 25 structures, 1 refused")
    expect(finished).to_be_visible(timeout=3 * PATIENCE)
    expect(again.get_by_text(re.compile(" of 24 crystals pass"))).to_be_visible()
    chart = again.locator(".st-key-front .js-plotly-plot")
    expect(chart.locator(".scatterlayer .point").first).to_be_visible()
    settled(again)
    again.wait_for_timeout(1500)  # Plotly listens for clicks a little after it has drawn
    chart.scroll_into_view_if_needed()
    again.mouse.click(*chart.evaluate(FRONT_POINT))
    expect_structure(again)
    expect(again).to_have_url(re.compile("shown=structures"))
    again.screenshot(path=ARTIFACTS / "screen-finished.png")
    again.get_by_role("button", name="Tensor and its interval").click()
    expect(again.get_by_role("cell", name="Electronic, mean")).to_be_visible()
    settled(again)
    expect_no_serious_barrier(again)
    again.get_by_role("tab", name="Refused (1)").click()
    expect(again.get_by_test_id("stDataFrame")).to_be_visible()
    again.get_by_role("tab", name="Table").click()
    expect(again.get_by_role("button", name="Download Parquet")).to_be_visible()
    expect_no_wider_than_a_phone(again, "screen-finished")


def test_predict_hands_many_files_over_and_leads_to_their_screening(app: str, visit: Visit) -> None:
    page = visit(f"{app}/predict")
    page.locator("input[type=file]").set_input_files(salts(21))
    page.get_by_role("button", name="Screen these 21 structures").click()
    expect(page.get_by_role("heading", name="Screen", level=1)).to_be_visible()
    expect(page).to_have_url(re.compile("screen[?]screening="))
    expect(page.get_by_text(re.compile("of 21 structures|taking stock"))).to_be_visible()
    page.get_by_role("button", name="Stop screening").click()
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
