"""The demo's steps, without its clock."""

import pytest
from streamlit.testing.v1 import AppTest

from engine.teaching.tour import STOPS, Stop
from tests.pages.test_pages import PATIENCE, ROOT, words


def demo(**query: str) -> AppTest:
    page = AppTest.from_file(str(ROOT / "pages" / "demo.py"), default_timeout=PATIENCE)
    page.query_params.update(query)
    return page.run()


def press(page: AppTest, label: str) -> AppTest:
    (button,) = (button for button in page.button if button.label == label)
    return button.click().run()


def test_before_the_start_every_crystal_is_announced() -> None:
    text = words(demo())
    assert all(stop.title in text for stop in STOPS)


def test_one_button_starts_it_and_steps_go_round() -> None:
    page = press(demo(), "Start the demo")
    assert page.subheader[0].value == STOPS[0].title
    assert page.query_params["crystal"] == STOPS[0].material_id
    assert press(page, "Back").subheader[0].value == STOPS[-1].title
    assert press(page, "Next").subheader[0].value == STOPS[0].title


def test_it_can_be_paused_and_left() -> None:
    page = press(press(demo(), "Start the demo"), "Pause")
    assert press(page, "Go on").subheader[0].value == STOPS[0].title
    assert "crystal" not in press(page, "Leave").query_params


@pytest.mark.parametrize("stop", STOPS, ids=lambda stop: stop.material_id)
def test_a_link_opens_a_crystal_with_dft_prediction_and_interval(stop: Stop) -> None:
    page = demo(crystal=stop.material_id)
    assert page.subheader[0].value == stop.title
    text = words(page)
    assert "The 90\u00a0% interval, " in text
    assert "| | Prediction | 90 % interval | DFT |" in text


@pytest.mark.parametrize("stop", STOPS, ids=lambda stop: stop.material_id)
def test_the_tensor_that_a_crystal_is_shown_for_is_drawn_into_it(stop: Stop) -> None:
    page = demo(crystal=stop.material_id)
    assert any(f"{stop.target.capitalize()} ε(direction), DFT" in text.body for text in page.get("html"))


def test_a_link_to_a_crystal_that_is_not_shown_opens_the_beginning() -> None:
    assert STOPS[0].title in words(demo(crystal="mp-0"))
