"""Takes the pictures in docs/: python -m tests.browser.screenshots [PAGE ...]"""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import sync_playwright

from engine.runs.job import LIVE, ROOT_VARIABLE
from engine.runs.screening_run import Screening
from engine.screening.parts import Settings
from tests.browser.server import PATIENCE, ROOT, running_app

PAGES = {  # name -> address, what to click first, and what is there once the page is drawn
    "start": ("/", "", "click one to open it"),
    "look-up": ("/?mp_id=mp-2815", "", "Electronic, mean"),
    "explore": ("/explore?shown=20", "", "crystals have both quantities"),
    "elements": ("/explore?view=Elements", "", "Click an element"),
    "predict": ("/predict", "MoS₂, layers", "Electronic, mean"),
    "screen": ("/screen?shown=petousis-2017%23542", "", "Pareto front"),
    "model": ("/model", "", "Furthest off"),
    "train": ("/train", "", "New run"),
    "theory": ("/theory", "", "Invariant and equivariant"),
    "compare": ("/compare?of=mp-2657&of=mp-7000&of=mp-149", "", "The address holds the comparison"),
    "demo": ("/demo?crystal=mp-1186", "", "Layers again"),
}


def screen() -> None:
    """Screen the crystals with DFT tensors, unless there is a screening already; minutes."""
    if Screening.all():
        return
    screening = Screening.of_set("petousis-2017", Settings())
    screening.resume()
    while screening.state() in LIVE:
        time.sleep(1)


def main() -> None:
    """Draw each page asked for at 1280 x 720, in the light theme; with the runs of $DIELECTRIC_RUNS, if set."""
    names = sys.argv[1:] or list(PAGES)
    with tempfile.TemporaryDirectory() as empty:
        os.environ.setdefault(ROOT_VARIABLE, empty)
        if "screen" in names:
            screen()
        draw(names, os.environ[ROOT_VARIABLE])


def draw(names: Sequence[str], runs: str) -> None:
    """Draw these pages."""
    with running_app(Path(runs)) as app, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name in names:
            address, first, text = PAGES[name]
            page = browser.new_page(viewport={"width": 1280, "height": 720})
            page.goto(app + address)
            if first:
                page.get_by_text(first).click(timeout=PATIENCE)
            page.get_by_text(text).first.wait_for(timeout=PATIENCE)
            page.get_by_test_id("stStatusWidget").wait_for(state="detached", timeout=PATIENCE)
            page.wait_for_timeout(2500)  # WebGL draws after the page has settled
            page.screenshot(path=ROOT / "docs" / f"{name}.png")
            page.close()
            print(f"docs/{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
