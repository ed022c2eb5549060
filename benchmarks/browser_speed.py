"""How long a visitor waits, measured in a browser: first page, another page, a look-up, infrared spectra.

    python -m benchmarks.browser_speed [--json OUT]

Medians of ten on a warm server, each by a new visitor. The clock stops when texts, charts and the 3D crystal are
drawn.
"""

import argparse
import json
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, sync_playwright
from pymatgen.io.vasp import Poscar

from engine.crystals.material import Material
from engine.data.datasets import load_dataset
from engine.evaluation.provenance import code_version, machine
from tests.browser.server import PATIENCE, running_app
from tests.browser.waiting import settled

VISITS = 10
CHOICE = 1000  # ms that a visitor needs at least to choose a file, in which the page loads what comes next
EMBEDDED = load_dataset("petousis-2017")
MATERIALS = EMBEDDED[::100]  # eleven
OF_TEN_ATOMS = [material for material in EMBEDDED if material.natoms == 10][::10]  # eleven
Measure = Callable[[Page, str, int], float]  # page, address of the app, number of the visit -> seconds


def first_page(page: Page, app: str, visit: int) -> float:
    """From the address to the drawn start page with its map."""
    return drawn(lambda: page.goto(app), page.get_by_text("ship with the app"), points(page, "map"))


def another_page(page: Page, app: str, visit: int) -> float:
    """From the click in the menu of the start page to the drawn Explore page with its scatter."""
    first_page(page, app, visit)
    link = page.get_by_role("link", name="Explore")
    return drawn(link.click, page.get_by_text("crystals have both quantities"), points(page, "scatter"))


def look_up(page: Page, app: str, visit: int) -> float:
    """From the end of the typed ID to prediction and DFT, in the table and as matrices."""
    typed = ask(page, app, MATERIALS[visit])
    return drawn(typed, page.get_by_text("Electronic, mean"), page.locator(".heatmap-label"))


def crystal(page: Page, app: str, visit: int) -> float:
    """From the end of the typed ID to the crystal in three dimensions."""
    return drawn(ask(page, app, MATERIALS[visit]), page.frame_locator("iframe").locator("canvas"))


def spectrum(page: Page, app: str, visit: int) -> float:
    """From the end of the typed ID of ten atoms to the curves of its tab Infrared, clicked once it is there."""
    typed = ask(page, app, OF_TEN_ATOMS[visit])
    return drawn(lambda: (typed(), open_infrared(page)), curves(page, "view-spectrum"))


def spectrum_of_a_new_crystal(page: Page, app: str, visit: int) -> float:
    """From a file of ten atoms that nobody has seen, given to the drawn Predict page, to the same there."""
    page.goto(f"{app}/predict")
    field = page.locator("input[type=file]")
    field.wait_for(state="attached", timeout=PATIENCE)
    settled(page)
    page.wait_for_timeout(CHOICE)
    structure = OF_TEN_ATOMS[visit].structure.copy()
    structure.scale_lattice(structure.volume * (1 + 1e-6 * (time.time() % 1e4)))
    file = {"name": "POSCAR", "mimeType": "text/plain", "buffer": Poscar(structure).get_str().encode()}

    def upload() -> None:
        field.set_input_files(file)
        open_infrared(page)

    return drawn(upload, curves(page, "predict-0-spectrum"))


def ask(page: Page, app: str, material: Material) -> Callable[[], None]:
    """The start page with the ID of a material typed; what is left is to press Enter."""
    first_page(page, app, 0)
    field = page.get_by_label("Materials Project ID")
    field.fill(material.material_id or "")
    return lambda: field.press("Enter")


def open_infrared(page: Page) -> None:
    """Click the tab with the spectra as soon as it is there."""
    page.get_by_role("tab", name="Infrared").click(timeout=PATIENCE)


def curves(page: Page, key: str) -> Locator:
    """The lines of the chart that has this key."""
    return page.locator(f".st-key-{key} .scatterlayer .trace .lines path")


def points(page: Page, key: str) -> Locator:
    """The points of the scatter that has this key."""
    return page.locator(f".st-key-{key} .scatterlayer .point")


def drawn(action: Callable[[], object], *awaited: Locator) -> float:
    """Seconds from the action until all that is awaited is visible."""
    started = time.perf_counter()
    action()
    for one in awaited:
        one.first.wait_for(timeout=PATIENCE)
    return time.perf_counter() - started


def as_new_visitor(browser: Browser, measure: Measure, app: str, visit: int) -> float:
    """One measurement in a browser that holds nothing yet."""
    page = browser.new_page()
    try:
        return measure(page, app, visit)
    finally:
        page.close()


MEASURES = {
    "first page": first_page,
    "page change": another_page,
    "look-up with prediction": look_up,
    "look-up with crystal in 3D": crystal,
    "spectrum of ten embedded atoms": spectrum,
    "spectrum of ten new atoms": spectrum_of_a_new_crystal,
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, metavar="OUT")
    out = parser.parse_args().json
    found: dict = {"code": code_version(), "machine": machine()}
    with (
        tempfile.TemporaryDirectory() as runs,
        running_app(Path(runs), OMP_NUM_THREADS=str(os.cpu_count())) as app,  # as `make app` has it
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for measure in MEASURES.values():
            as_new_visitor(browser, measure, app, VISITS)  # the server loads its network once
        for name, measure in MEASURES.items():
            seconds = [as_new_visitor(browser, measure, app, visit) for visit in range(VISITS)]
            found[name] = {"median_s": statistics.median(seconds), "seconds": seconds}
            print(f"{name}: median {found[name]['median_s']:.2f} s of {len(seconds)}")
        browser.close()
    if out:
        out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
