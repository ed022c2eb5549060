"""Materials that are not on this machine: fetched with a key, said plainly without one."""

import time
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from engine.data.datasets import FETCHED_VARIABLE, load_dataset
from engine.materials_project.client import ENDPOINT_VARIABLE, KEY_VARIABLE
from engine.materials_project.fetch import fetch, write_fetch
from tests import materials_project_server as loopback

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120  # s
NEW, BARE = "mp-777001", "mp-777002"  # with a tensor, and without one


@pytest.fixture(scope="module")
def documents() -> loopback.Documents:
    found, chance = loopback.Documents(), np.random.default_rng(0)
    first, second = (m for m in load_dataset("petousis-2017") if m.material_id in ("mp-441", "mp-2998"))
    found.add(first, chance, material_id=NEW)
    found.add(second, chance, material_id=BARE, with_tensors=False)
    return found


@pytest.fixture
def server(documents, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("DIELECTRIC_RUNS", str(tmp_path / "runs"))
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    with loopback.running(documents) as server:
        monkeypatch.setenv(ENDPOINT_VARIABLE, server.address)
        yield server


def look_up(query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE)
    app.query_params["mp_id"] = query
    return app.run()


def give_key(page: AppTest, key: str = loopback.KEY) -> AppTest:
    return page.text_input(key="materials-project-key-field").set_value(key).run()


def words(page: AppTest) -> str:
    groups = (page.title, page.header, page.markdown, page.caption, page.info, page.warning, page.error)
    assert not page.exception
    return "\n".join(element.value for group in groups for element in group)


def test_without_a_key_the_page_says_how_to_get_one_and_asks_nobody(server):
    assert "next-gen.materialsproject.org/api" in words(look_up(NEW))
    assert server.questions == []


def test_with_a_key_the_material_comes_with_its_tensor_and_prediction(server):
    page = give_key(look_up(NEW))
    text = words(page)
    assert "| Prediction | 90 % interval | DFT |" in text
    assert "those of one calculation" in text
    assert "Fetched just now, database version 2026.11.01" in text


def test_a_material_without_tensor_is_predicted_and_said_to_stand_alone(server):
    text = words(give_key(look_up(BARE)))
    assert "no DFT tensor for this material: the prediction stands alone" in text
    assert "| Prediction | 90 % interval |" in text


def test_a_key_of_the_environment_needs_no_field(server, monkeypatch):
    monkeypatch.setenv(KEY_VARIABLE, loopback.KEY)
    assert "Fetched just now" in words(look_up(NEW))


def test_a_kept_material_is_shown_without_asking_and_refreshed_on_demand(server):
    page = give_key(look_up(NEW))
    server.questions.clear()
    assert "Fetched" in words(look_up(NEW))  # another visitor, without a key
    assert server.questions == []
    page.button(key="refresh").click().run()
    assert any("summary" in question for question in server.questions)
    assert "Fetched just now" in words(page)


def test_another_visitor_does_not_see_the_key(server):
    give_key(look_up(NEW))
    other = look_up(BARE)
    assert "With an API key it is fetched" in words(other)
    assert loopback.KEY not in str(other.session_state)


def test_a_fault_is_one_sentence_in_time_and_the_page_stays_usable(server):
    server.fault = loopback.silent
    page = look_up(NEW)
    started = time.monotonic()
    assert "did not answer in time" in words(give_key(page))
    assert time.monotonic() - started < loopback.OWN_LIMIT
    server.fault = None
    asked = len(server.questions)
    page.run()
    assert len(server.questions) == asked  # it does not ask again by itself
    again = next(button for button in page.button if button.label == "Ask again")
    assert "Fetched just now" in words(again.click().run())


def test_a_wrong_key_can_be_replaced(server):
    page = give_key(look_up(NEW), "x" * 32)
    assert "does not accept this API key" in words(page)
    assert "Fetched just now" in words(give_key(page))


def test_predict_takes_an_id_too(server):
    page = AppTest.from_file(str(ROOT / "pages" / "predict.py"), default_timeout=PATIENCE).run()
    page = page.text_input(key="id").set_value(NEW).run()
    assert "With an API key it is fetched" in words(page)
    assert "| Refractive index n | " in words(give_key(page))
    page = page.text_input(key="id").set_value("149").run()
    assert "reads like mp-149" in words(page)


def test_a_key_leaves_no_trace_on_disk(server, tmp_path):
    give_key(look_up(NEW))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.suffix == ".sqlite" for path in files)
    assert all(loopback.KEY.encode() not in path.read_bytes() for path in files)


def test_a_fetched_data_set_joins_explore_and_train(server, tmp_path, monkeypatch):
    monkeypatch.setenv(FETCHED_VARIABLE, str(tmp_path))
    write_fetch(tmp_path / "mine.parquet", fetch([NEW, BARE], loopback.KEY))
    (tmp_path / "broken.parquet").write_text("not a data file")
    page = AppTest.from_file(str(ROOT / "pages" / "explore.py"), default_timeout=PATIENCE).run()
    assert "4,789 crystals" in words(page)
    assert "materials-project" in page.multiselect(key="source").options
    page = AppTest.from_file(str(ROOT / "pages" / "train.py"), default_timeout=PATIENCE).run()
    page = page.selectbox(key="data").set_value(str(tmp_path / "mine.parquet")).run()
    assert "**New run** on mine: 1 crystals" in words(page)
