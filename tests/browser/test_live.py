"""A key typed in a browser: it brings the material, and shows up nowhere else."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from engine.data.datasets import load_dataset
from tests import materials_project_server as loopback
from tests.browser.server import ARTIFACTS, PATIENCE, running_app

NEW = "mp-777001"


@pytest.fixture(scope="module")
def service() -> loopback.Server:
    documents = loopback.Documents()
    material = next(m for m in load_dataset("petousis-2017") if m.material_id == "mp-2998")
    documents.add(material, np.random.default_rng(0), material_id=NEW)
    with loopback.running(documents) as server:
        yield server


def test_a_key_brings_the_material_and_leaves_no_trace(
    visit: Callable[..., Page], service: loopback.Server, tmp_path: Path
) -> None:
    log = tmp_path / "server.log"
    variables = {
        "MP_API_ENDPOINT": service.address,
        "MP_API_KEY": "",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "XDG_DATA_HOME": str(tmp_path / "data"),
    }
    with running_app(tmp_path / "runs", log, **variables) as app:
        page = visit(f"{app}/?mp_id={NEW}")
        field = page.get_by_role("textbox", name="API key of Materials Project")
        expect(field).to_have_attribute("type", "password", timeout=PATIENCE)
        page.screenshot(path=ARTIFACTS / "live-key.png")
        field.fill(loopback.KEY)
        field.press("Enter")
        expect(page.get_by_text("Fetched just now")).to_be_visible(timeout=PATIENCE)
        expect(page.get_by_text("Predicting")).to_have_count(0, timeout=PATIENCE)
        expect(page.get_by_text("Electronic, mean")).to_be_visible(timeout=PATIENCE)
        expect(field).to_have_count(0)
        page.screenshot(path=ARTIFACTS / "live-fetched.png", full_page=True)
        for name in ("Tensors as JSON", "Tensors as CSV"):
            with page.expect_download() as download:
                page.get_by_role("button", name=name).click()
            assert loopback.KEY.encode() not in Path(download.value.path()).read_bytes()
        assert loopback.KEY not in page.url
        assert loopback.KEY not in page.content()
        other = visit(f"{app}/?mp_id=mp-777002")  # another visitor
        expect(other.get_by_text("With an API key it is fetched")).to_be_visible(timeout=PATIENCE)
        for one in (page, other):
            one.close()  # before their server goes
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} >= {".sqlite", ".log", ".jsonl"}
    assert all(loopback.KEY.encode() not in path.read_bytes() for path in files)
    assert all(loopback.KEY not in question for question in service.questions)
