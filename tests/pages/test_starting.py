"""The first seconds of a server."""

from concurrent.futures import Future
from pathlib import Path

from streamlit.testing.v1 import AppTest

from pages.components import starting

APP = str(Path(__file__).resolve().parents[2] / "app.py")


def test_a_visitor_who_comes_before_the_libraries_are_read_is_told_so_and_then_gets_the_page(monkeypatch):
    imports: Future = Future()
    monkeypatch.setattr(starting, "_imports", lambda: imports)
    monkeypatch.setattr(starting, "AT_ONCE", 0.0)
    page = AppTest.from_file(APP, default_timeout=120).run()
    assert ["just been started" in one.value for one in page.info] == [True]
    assert not page.title
    imports.set_result(starting)
    assert [one.value for one in page.run().title] == ["Look up"]


def test_a_library_that_cannot_be_imported_is_no_endless_wait(monkeypatch):
    imports: Future = Future()
    imports.set_exception(ImportError("no torch here"))
    monkeypatch.setattr(starting, "_imports", lambda: imports)
    page = AppTest.from_file(APP, default_timeout=120).run()
    assert page.exception
    assert not page.info
