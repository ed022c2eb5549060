"""Files whose words would act where they are shown: on the Predict page they are text, and nothing acts."""

import re
from collections.abc import Callable

from playwright.sync_api import FilePayload, Page, expect

from tests.browser.server import ARTIFACTS, PATIENCE
from tests.browser.waiting import settled
from tests.hostile.case import cif, crystal_json, shares
from tests.hostile.words import ACTING

expect.set_options(timeout=PATIENCE)

Visit = Callable[..., Page]
WORDS = [re.sub(r"[\x00-\x1f/\\]", "", word) for word in ACTING.values()]
ACTED = "[href*=evil], [src*=evil], .katex, svg[onload]"


def files() -> list[FilePayload]:
    """Ten that are read and ten that are refused, a word that acts in every place of each."""
    found: list[FilePayload] = []
    for number, word in enumerate(WORDS):
        label, said = f"Na{''.join(word.split())}", word.replace("'", "")
        told = f"_chemical_formula_sum '{said}'\n_chemical_name_common '{said}'\n"
        content = [
            cif(f"{label} 0 0 0", extra=told, block=label),
            crystal_json("Na", label=word, properties={word: word}),
            crystal_json(word, label=word),
            shares(f"{label} Na 0 0 0 0.5\nCl{word.split()[0]} Cl 0.5 0.5 0.5 1"),
        ][number % 4]
        name = f"{WORDS[3]}.3" if number == 7 else f"{word}.{number}"  # two disordered crystals of one name
        found.append({"name": name, "mimeType": "text/html", "buffer": content})
    return found


def test_words_that_would_act_are_shown_as_text_and_nothing_acts(app: str, visit: Visit) -> None:
    page = visit(f"{app}/predict")
    settled(page)  # files that come while the page's first script still loads torch may be lost
    page.locator("input[type=file]").set_input_files(files())
    expect(page.get_by_text(re.compile("is no element|is not one")).first).to_be_visible()
    settled(page)
    page.screenshot(path=ARTIFACTS / "predict_hostile.png", full_page=True)
    expect(page.locator(ACTED)).to_have_count(0)
    assert [frame.evaluate("window.acted") for frame in page.frames] == [None] * len(page.frames)
    expect(page.get_by_text("49", exact=True)).to_have_count(0)  # what {{7*7}} comes to
    expect(page.get_by_role("main").locator("em")).to_have_count(0)  # nor is any word emphasised
    expect(page.get_by_text("_script_window.acted_1").filter(visible=True).first).to_be_visible()
    page.get_by_role("button", name="Download JSON").first.wait_for()  # what could be read is there
