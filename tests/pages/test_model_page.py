"""What a visitor reads on the Model page, and what its figures are drawn from."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from engine import report
from engine.shipped_models import MODELS_FOLDER, available_models
from pages.components import model_charts
from tests.pages.test_pages import PATIENCE, ROOT, words


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    """No report of an earlier test."""
    st.cache_resource.clear()
    st.cache_data.clear()


def open_model(**query: str) -> AppTest:
    page = AppTest.from_file(str(ROOT / "pages" / "model.py"), default_timeout=PATIENCE)
    page.query_params.update(query)
    return page.run()


def test_the_default_model_is_shown_first_with_the_errors_of_each_target() -> None:
    page = open_model()
    assert page.selectbox(key="model").value == available_models()[0]
    text = words(page)
    assert "| | electronic | ionic | total |" in text
    assert "tensors within 10 % (EwT10)" in text
    assert "training left out every crystal of its formula" in text
    assert "| all crystals |" in text


def test_a_link_names_model_and_tensor() -> None:
    page = open_model(model=available_models()[-1], tensor="ionic")
    assert page.selectbox(key="model").value == available_models()[-1]
    assert "Error of the ionic mean" in words(page)


def test_the_card_is_on_the_page() -> None:
    page = open_model()
    assert page.expander[0].label == "Model card"
    assert "Limits." in page.expander[0].markdown[0].value


def test_a_model_that_was_never_judged_gets_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pages.components.cached.MODELS_FOLDER", tmp_path)
    assert "was never judged" in words(open_model())


def test_a_damaged_file_of_predictions_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / available_models()[0]
    folder.mkdir()
    (folder / "out_of_fold.parquet").write_bytes(b"no Parquet")
    monkeypatch.setattr("pages.components.cached.MODELS_FOLDER", tmp_path)
    assert "is damaged; copy the model again" in words(open_model())


def test_without_a_learning_curve_the_page_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pages.components.cached.read_learning_curve", lambda: None)
    assert "was not measured" in words(open_model())


def test_a_learning_curve_is_drawn_for_both_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = pd.DataFrame(
        {"backbone": ["pretrained", "scratch"], "crystals": 84, "target": "electronic", "mard": 9.0, "ewt10": 60.0}
    )
    monkeypatch.setattr("pages.components.cached.read_learning_curve", lambda: rows)
    assert "trained on a part of the crystals" in words(open_model())
    figure = model_charts.learning_curve(rows, "mard", "error (%)")
    assert [trace.name for trace in figure.data] == ["pretrained potential", "from scratch"]


def test_every_point_of_a_parity_plot_leads_to_its_crystal() -> None:
    crystals = pd.DataFrame(
        {
            "material_id": ["mp-1", "mp-2", "mp-3"],
            "formula": ["MgO", "TiO2", "TiO2"],
            "crystal_system": ["cubic", "tetragonal", "tetragonal"],
            "dft": [3.0, 0.0, 8.0],
            "predicted": [3.1, 0.5, 7.0],
        }
    )
    figure = model_charts.mean_parity(crystals, "ionic")
    assert sorted(row[0] for trace in figure.data[1:] for row in trace.customdata) == ["mp-1", "mp-3"]
    assert figure.layout.xaxis.range == figure.layout.yaxis.range


def test_zero_and_negative_components_have_their_place() -> None:
    values = [-5.0, 0.0, 200.0]
    components = pd.DataFrame(
        {"material_id": "mp-1", "formula": "MgO", "component": "xy", "dft": values, "predicted": values}
    )
    figure = model_charts.component_parity(components, "ionic")
    assert figure.data[1].x[1] == 0
    assert (np.diff(figure.data[1].x) > 0).all()


def test_elements_of_no_crystal_are_pale_and_the_others_carry_their_count() -> None:
    errors = pd.DataFrame({"crystals": [7, 3], "error": [12.5, np.nan]}, index=["Ti", "U"])
    absent, held = model_charts.periodic_table(errors).data
    assert np.isfinite(np.array(held.z, dtype=float)).sum() == 1
    assert np.isfinite(np.array(absent.z, dtype=float)).sum() == 117
    assert "Ti: 12.5 %, 7 crystals" in np.array(held.hovertext)


@pytest.mark.parametrize("name", available_models())
def test_a_shipped_model_has_a_card_and_predictions_to_show(name: str) -> None:
    assert (MODELS_FOLDER / name / "out_of_fold.parquet").is_file()
    assert report.model_card(MODELS_FOLDER / name)
