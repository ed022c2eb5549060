"""Where a host asks for it, nobody sees a page, or has anything computed, before signing in."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "pages").glob("*.py"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_shows_nothing_but_the_way_to_sign_in(page: Path):
    app = AppTest.from_file(str(page), default_timeout=60)
    app.user = {"is_logged_in": False}
    app.run()
    assert not app.exception
    assert [title.value for title in app.title] == ["Dielectric tensors"]
    assert [button.label for button in app.button] == ["Sign in"]
    assert not [*app.text_input, *app.selectbox, *app.metric, *app.tabs, *app.get("file_uploader")]
