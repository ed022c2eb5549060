"""Waiting for what comes later: a script's end, a chart, a drawing."""

import time
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.server import PATIENCE

STEP = 100  # ms


def settled(page: Page) -> None:
    """Return once the page's script has ended and everything it sent has been drawn."""
    expect(page.locator("[data-testid=stApp][data-test-script-state=notRunning]")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0, timeout=PATIENCE)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=PATIENCE)
    expect(page.locator(".stPlotlyChart:visible:not(:has(.main-svg))")).to_have_count(0, timeout=PATIENCE)


def until(page: Page, holds: Callable[[], bool]) -> None:
    """Return once this holds."""
    last = time.monotonic() + PATIENCE / 1000
    while not holds():
        if time.monotonic() > last:
            raise AssertionError(f"did not come true within {PATIENCE / 1000:.0f} s")
        page.wait_for_timeout(STEP)
