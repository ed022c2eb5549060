"""How long a visitor waits, measured in a browser: first page, another page, a look-up with its prediction.

    python -m benchmarks.browser_speed [--json OUT]

Medians of ten on a warm server, each by a new visitor; the clock stops when the text waited for is drawn.
"""

import argparse
import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from engine.dataset import load_dataset
from engine.provenance import code_version, machine
from tests.browser.server import PATIENCE, running_app

VISITS = 10
MATERIALS = [material.material_id for material in load_dataset("petousis-2017")[::100]]  # eleven


def wait_for(page: Page, text: str) -> None:
    """Return once the text is drawn."""
    page.get_by_text(text).first.wait_for(timeout=PATIENCE)


def first_page(browser: Browser, app: str, _: int) -> float:
    """From the address to the drawn start page."""
    page = browser.new_page()
    started = time.perf_counter()
    page.goto(app)
    wait_for(page, "ship with the app")
    seconds = time.perf_counter() - started
    page.close()
    return seconds


def another_page(browser: Browser, app: str, _: int) -> float:
    """From the click in the menu to the drawn Explore page."""
    page = browser.new_page()
    page.goto(app)
    wait_for(page, "ship with the app")
    started = time.perf_counter()
    page.get_by_role("link", name="Explore").click()
    wait_for(page, "crystals have both quantities")
    seconds = time.perf_counter() - started
    page.close()
    return seconds


def look_up(browser: Browser, app: str, visit: int) -> float:
    """From the last key of an ID to the drawn table with prediction and DFT."""
    page = browser.new_page()
    page.goto(app)
    wait_for(page, "ship with the app")
    page.get_by_label("Materials Project ID").fill(MATERIALS[visit])
    started = time.perf_counter()
    page.get_by_label("Materials Project ID").press("Enter")
    wait_for(page, "Electronic, mean")
    seconds = time.perf_counter() - started
    page.close()
    return seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, metavar="OUT")
    out = parser.parse_args().json
    measures: dict[str, Callable[[Browser, str, int], float]] = {
        "first page": first_page,
        "page change": another_page,
        "look-up with prediction": look_up,
    }
    found: dict = {"code": code_version(), "machine": machine()}
    with (
        tempfile.TemporaryDirectory() as runs,
        running_app(Path(runs)) as app,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        look_up(browser, app, VISITS)  # the server loads its network once
        another_page(browser, app, 0)
        for name, measure in measures.items():
            seconds = [measure(browser, app, visit) for visit in range(VISITS)]
            found[name] = {"median_s": statistics.median(seconds), "seconds": seconds}
            print(f"{name}: median {found[name]['median_s']:.2f} s of {len(seconds)}")
        browser.close()
    if out:
        out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
