"""What a visitor reads on the Model page, and what its figures are drawn from."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from engine.evaluation import report
from engine.evaluation.results import Origin
from engine.files import MODELS_FOLDER
from engine.model.shipped_models import available_models
from pages.components import cached
from pages.components.model import error_charts, parity_view
from pages.components.widgets import number, subscripts
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
    assert "of the electronic tensors are within" in text
    assert "| | electronic | ionic | total |" in text
    assert "tensors within 10 % (EwT10)" in text
    assert "training left out every crystal of its formula" in text
    assert "| all crystals |" in words(open_model(errors="Intervals"))


def test_a_link_names_model_and_tensor() -> None:
    page = open_model(model=available_models()[-1], tensor="ionic", errors="Where it errs")
    assert page.selectbox(key="model").value == available_models()[-1]
    assert "Error of the ionic mean" in words(page)


def test_the_furthest_crystals_are_links_to_their_pages_with_both_values_and_the_error() -> None:
    page = open_model(tensor="total", quantity="anisotropy")
    far = cached.judged(available_models()[0])["total"].parity["anisotropy"].furthest.head(parity_view.LISTED)
    links = [link.proto for link in page.get("page_link")]
    assert [link.query_string for link in links] == [f"mp_id={name}" for name in far["material_id"]]
    first = far.iloc[0]
    assert links[0].label == (
        f"**{subscripts(first.formula)}** · DFT {number(first.dft)}, predicted {number(first.predicted)} · "
        f"{first.error:.1f}× too small"
    )


@pytest.mark.parametrize("colour", ["crystal system", "density"])
def test_quantity_and_colour_come_from_the_address(colour: str) -> None:
    page = open_model(quantity="anisotropy", colour=colour)
    assert page.button_group(key="colour").value == colour
    assert "largest principal value divided by its smallest" in words(page)


def test_components_are_coloured_by_component_and_back_by_crystal_system() -> None:
    page = open_model(quantity="components")
    assert page.button_group(key="colour").value == "component"
    page.button_group(key="quantity").set_value(["mean"]).run()
    assert page.button_group(key="colour").value == "crystal system"


def test_the_ionic_part_gets_a_sentence_instead_of_a_ratio() -> None:
    page = open_model(tensor="ionic", quantity="anisotropy")
    assert "smallest principal value of the ionic part is often zero" in words(page)
    assert not any(chart.proto.id.endswith("-parity") for chart in page.get("plotly_chart"))
    page.button_group(key="tensor").set_value(["total"]).run()
    assert any(chart.proto.id.endswith("-parity") for chart in page.get("plotly_chart"))


def test_crystals_without_a_place_on_the_axes_are_counted() -> None:
    assert "2 crystals with a value of zero have no place" in words(open_model(tensor="ionic"))
    assert "have no place" not in words(open_model(tensor="electronic"))


def test_the_card_is_on_the_page() -> None:
    (card,) = (box for box in open_model().expander if box.label == "Model card")
    assert "Limits." in card.markdown[0].value


def test_vibrations_are_judged_against_phonon_calculations_and_against_spectra() -> None:
    page = open_model()
    assert "| | full | direct |" in words(page)
    (measured,) = (table.value for table in page.dataframe if "TO, measured" in table.value)
    assert {"LiF", "CaF₂", "SrTiO₃", "GaN"} <= set(measured["crystal"])
    assert (measured["TO, measured"] / measured["TO, DFT"] - 1).abs().median() < 0.1
    assert measured["source"].str.len().min() > 10
    assert "More than 20" in words(page)


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
    assert "was not measured" in words(open_model(errors="Learning curve"))


def test_a_learning_curve_is_drawn_for_both_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = pd.DataFrame(
        {"backbone": ["pretrained", "scratch"], "crystals": 84, "target": "electronic", "mard": 9.0, "ewt10": 60.0}
    )
    monkeypatch.setattr("pages.components.cached.read_learning_curve", lambda: rows)
    assert "trained on a part of the crystals" in words(open_model(errors="Learning curve"))
    figure = error_charts.learning_curve(rows, "mard", "error (%)")
    assert [trace.name for trace in figure.data] == ["pretrained potential", "from scratch"]


def measured_by(code: str, index_data: str = "") -> Origin:
    return Origin(code=code, date="2026-11-25", machine="two cores", index_data=index_data)


@pytest.mark.parametrize(("code", "marked"), [("ffe9d33e1f0d", False), ("ffe9d33e1f0d+changes", True)])
@pytest.mark.parametrize("view", ["Parity", "Learning curve"])
def test_figures_say_where_they_come_from_and_bear_a_mark_where_no_commit_holds_their_code(
    view: str, code: str, marked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pages.components.cached.read_origin", lambda path: measured_by(code))
    page = open_model(errors=view)
    assert f"Measured with code {code}, 2026-11-25, on two cores." in words(page)
    assert any("No commit holds the code" in box.value for box in page.warning) == marked


def test_figures_say_what_taught_beside_the_tensors_and_what_chose_the_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    origins = {"sevennet-l3i5": measured_by("ffe9d33e1f0d", "matbench-dielectric")}
    monkeypatch.setattr(
        "pages.components.cached.read_origin", lambda path: origins.get(path.stem, measured_by("ffe9d33e1f0d"))
    )
    text = words(open_model(model="sevennet-l3i5"))
    assert "3,819 refractive indices of matbench-dielectric did too" in text
    assert "Settings were chosen with the first of the five folds in view" in text
    assert "refractive indices" not in words(open_model(model="e3nn-scratch"))
    assert "some 400 beside the 84 crystals" in words(open_model(errors="Learning curve"))


def test_elements_of_no_crystal_are_pale_and_the_others_carry_their_count() -> None:
    errors = pd.DataFrame({"crystals": [7, 3], "error": [12.5, np.nan]}, index=["Ti", "U"])
    absent, held = error_charts.periodic_table(errors).data
    assert np.isfinite(np.array(held.z, dtype=float)).sum() == 1
    assert np.isfinite(np.array(absent.z, dtype=float)).sum() == 117
    assert "Ti: 12.5 %, 7 crystals" in np.array(held.hovertext)


@pytest.mark.parametrize("name", available_models())
def test_a_shipped_model_has_a_card_and_predictions_to_show(name: str) -> None:
    assert (MODELS_FOLDER / name / "out_of_fold.parquet").is_file()
    assert report.model_card(MODELS_FOLDER / name)
