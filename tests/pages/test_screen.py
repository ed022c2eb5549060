"""What a visitor reads and does on the Screen page, and how Predict hands structures to it."""

import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from engine.runs.screening_run import Screening
from engine.screening.parts import Settings
from pages.components.screen import front_chart
from tests.pages.test_pages import PATIENCE, ROOT, open_page, upload, words

SOON = 240  # s; the process loads torch
SETTINGS = Settings(model="e3nn-scratch", targets=("electronic",))
SALT = "{symbol}\n1.0\n0 {a} {a}\n{a} 0 {a}\n{a} {a} 0\n{symbol} {other}\n1 1\ndirect\n0 0 0\n0.5 0.5 0.5\n"
SALTS = {("Na", "Cl"): 2.82, ("K", "Cl"): 3.14, ("Mg", "O"): 2.1, ("Li", "F"): 2.0}
FILES = [(f"{a}{b}.vasp", SALT.format(symbol=a, other=b, a=length).encode()) for (a, b), length in SALTS.items()]


@pytest.fixture(scope="module")
def screened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of runs in which a screening of four files and a broken one has finished."""
    runs = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIELECTRIC_RUNS", str(runs))
        screening = Screening.of_files([*FILES, ("broken.cif", b"data_x\n")], SETTINGS, "salts", workers=1)
        screening.resume()
        deadline = time.monotonic() + SOON
        while screening.state() != "finished":
            assert time.monotonic() < deadline
            time.sleep(0.2)
        yield runs


@pytest.fixture
def page(screened: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("DIELECTRIC_RUNS", str(screened))
    return open_page("screen")


def test_before_the_first_screening_the_form_says_how_long_one_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIELECTRIC_RUNS", str(tmp_path))
    page = open_page("screen")
    text = words(page)
    assert "No screening yet" in text
    assert "5,261 structures, about " in text
    page.session_state["origin-0"] = "IDs"
    page.run()
    page.text_area(key="ids-0").set_value("mp-149 rutile").run()
    assert "rutile: no Materials Project ID" in words(page)
    page.text_area(key="ids-0").set_value("mp-149, mp-2657").run()
    assert "2 structures, about " in words(page)


def test_a_finished_screening_says_how_many_pass_and_what_was_refused(page: AppTest) -> None:
    text = words(page)
    assert "finished, 5 of 5 structures, 1 refused" in text
    assert " of 4 crystals pass: " in text
    assert "Pareto front" in text
    assert [tab.label for tab in page.tabs][:3] == ["Scatter", "Table", "Refused (1)"]


def test_filters_leave_what_they_say_and_can_be_taken_back(page: AppTest) -> None:
    page.multiselect(key="hold").set_value(["Cl"]).run()
    assert "2 of 4 crystals pass: " in words(page)
    assert "with Cl" in words(page)
    page.multiselect(key="lack").set_value(["Cl"]).run()
    assert "No crystal passes all filters" in words(page)
    (reset,) = (button for button in page.button if button.label == "Reset filters")
    reset.click().run()
    assert "4 of 4 crystals pass: " in words(page)


def test_an_opened_row_shows_its_figures_and_its_tensor_as_it_was_screened(
    screened: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIELECTRIC_RUNS", str(screened))
    app = AppTest.from_file(str(ROOT / "pages" / "screen.py"), default_timeout=PATIENCE)
    app.query_params["shown"] = "structures/NaCl.vasp"
    page = app.run()
    rows = dict(line.split("|")[1:3] for line in words(page).splitlines() if line.startswith("| "))
    (button,) = (one for one in page.button if one.label == "Tensor and its interval, below")
    button.click().run()
    opened = dict(line.split("|")[1:3] for line in words(page).splitlines() if line.startswith("| "))
    assert opened[" Electronic, mean "].strip() in rows[" ε∞, electronic "]


def test_a_screening_can_be_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIELECTRIC_RUNS", str(tmp_path))
    Screening.of_ids("mp-149", SETTINGS)
    page = open_page("screen")
    assert "failed" in page.selectbox(key="screening").options[0]
    assert any(button.label == "Go on" for button in page.button)
    (button,) = (one for one in page.button if one.label == "Delete this screening")
    button.click().run()
    assert Screening.all() == []
    assert "No screening yet" in words(page)


def test_predict_hands_more_than_twenty_structures_to_a_screening(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIELECTRIC_RUNS", str(tmp_path))
    salts = [SALT.format(symbol="Na", other="Cl", a=2.7 + 0.01 * number) for number in range(21)]
    page = upload(*((f"salt{number}.vasp", text) for number, text in enumerate(salts)))
    assert "21 structures are more than the 20 that this page computes at once" in words(page)
    assert not page.expander
    (button,) = (one for one in page.button if one.label == "Screen these 21 structures")
    button.click().run()
    (screening,) = Screening.all()
    assert len(list((screening.folder / "structures").iterdir())) == 21
    screening.stop()


def test_of_many_points_a_sample_is_drawn_and_the_whole_front() -> None:
    count = 3 * front_chart.MOST_DRAWN
    rows = pd.DataFrame({"gap": range(1, count + 1), "n": 2.0, "formula": "NaCl", "name": "<b>one</b>"})
    front = rows.index.to_numpy()[::1000]
    points, line = front_chart.scatter(rows, front, "gap", "n", log=True).data
    assert len(points.x) == front_chart.MOST_DRAWN
    assert set(line.customdata) == set(front)
    assert "<b>one" not in points.hovertext[0]
