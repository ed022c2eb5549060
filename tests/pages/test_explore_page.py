"""What a visitor reads on the Explore page, and what its figures are drawn from."""

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from engine.data.histograms import bin_edges, by_element
from pages.components import cached
from pages.components.elements import CELLS
from pages.components.explore import scatter_charts
from tests.pages.test_pages import PATIENCE, ROOT, words


def explore(**query: object) -> AppTest:
    page = AppTest.from_file(str(ROOT / "pages" / "explore.py"), default_timeout=PATIENCE)
    page.query_params.update(query)
    return page.run()


def test_the_filter_is_said_in_words_and_a_filter_that_nothing_passes_too() -> None:
    page = explore()
    assert "**All 4,787 crystals**" in words(page)
    page.multiselect(key="holds").set_value(["Ba", "Ti"]).run()
    assert "crystals: hold Ba and Ti**" in words(page)
    page.multiselect(key="without").set_value(["Ba"]).run()
    assert "No crystal passes all filters" in words(page)


def test_a_link_holds_the_whole_filter() -> None:
    page = explore(holds=["O", "Ti"], system="tetragonal", n_from="2", n_to="2.6", view="Distributions")
    assert "crystals: hold O and Ti, n from 2 to 2.6, tetragonal**" in words(page)
    assert "Draw across a histogram" in words(page)


def test_a_link_asks_for_nothing_but_some_elements_a_space_group_and_a_tensor() -> None:
    page = explore(only=["Ba", "Ti", "O"], group="Pm-3m", tensor="true")
    assert "1 of 4,787 crystals: holds nothing but Ba, Ti and O, space group Pm-3m, with a DFT" in words(page)
    page = page.toggle(key="tensor").set_value(False).run()
    assert "space group Pm-3m**" in words(page)


def test_reset_takes_every_filter_back() -> None:
    asked = {"only": ["O", "Mg"], "group": "Fm-3m", "tensor": "true"}
    page = explore(holds="O", without="Ti", source="petousis-2017", ionic_from="3", natoms_to="4", **asked)
    (reset,) = (button for button in page.button if button.label == "Reset filters")
    reset.click().run()
    assert "**All 4,787 crystals**" in words(page)
    assert page.multiselect(key="holds").value == []
    assert page.number_input(key="ionic_from").value is None


@pytest.mark.parametrize("view", ["Scatter", "Elements", "Distributions", "Table"])
@pytest.mark.parametrize("holds", ["O", ["He", "Ti"], ["Fe", "Tc"]])
def test_every_view_opens_for_many_crystals_and_for_none(view: str, holds: str | list[str]) -> None:
    assert not explore(view=view, holds=holds).exception


def test_a_link_can_show_one_crystal_beside_the_scatter() -> None:
    row = cached.search("mp-2998")[0]
    text = words(explore(shown=str(row)))
    assert "mp-2998" in text
    assert "| Electronic, mean | " in text


@pytest.mark.parametrize("row", ["-1", "99999", "mp-2998", "²"])
def test_a_row_that_does_not_exist_shows_nothing_beside(row: str) -> None:
    assert "Click a point to see its crystal here" in words(explore(shown=row))


def test_a_point_of_the_scatter_remembers_its_row() -> None:
    frame = pd.DataFrame(
        {
            "n": [1.5, None, 2.5],
            "band_gap": [3.0, 2.0, 1.0],
            "crystal_system": ["cubic", "cubic", "triclinic"],
        },
        index=[10, 11, 12],
    )
    names = pd.Series(["A", "B", "C"], frame.index)
    figure = scatter_charts.scatter(frame, names, "n", "band_gap", log=False)
    assert sorted(int(i) for trace in figure.data for i in trace.customdata) == [10, 12]
    assert sorted(text for trace in figure.data for text in trace.text) == ["A", "C"]


def test_bars_are_shares_of_the_crystals_whose_value_is_known() -> None:
    every = pd.Series([1.0, 2.0, 2.0, 3.0, None])
    figure = scatter_charts.distribution("n", every, every[1:3], bin_edges(every))
    behind, front = figure.data
    assert sum(behind.y) == pytest.approx(100)
    assert sum(front.y) == pytest.approx(100)
    assert max(front.y) == pytest.approx(100)


def test_every_element_can_be_clicked_where_it_is_drawn_and_the_wanted_are_framed() -> None:
    rows = pd.DataFrame({"elements": [["O", "Ti"], ["O"]], "n": [2.0, 3.0]})
    figure = scatter_charts.element_filter(by_element(rows, "n"), "median n", ("Ti",))
    *_, clicked = figure.data
    assert set(clicked.customdata) == set(CELLS)
    for symbol, x, y, low in zip(clicked.customdata, clicked.x, clicked.y, clicked.base, strict=True):
        assert (low + y / 2, x) == pytest.approx(CELLS[symbol])
    framed = [s for s, width in zip(clicked.customdata, clicked.marker.line.width, strict=True) if width]
    assert framed == ["Ti"]
    assert "O: median n 2.5, 2 crystals" in clicked.hovertext


def test_every_element_has_a_cell_of_its_own() -> None:
    assert len(set(CELLS.values())) == 118
    assert CELLS["Fe"] == (3, 7)


def test_colours_of_elements_are_their_values() -> None:
    rows = pd.DataFrame({"elements": [["O", "Ti"], ["O"]], "n": [2.0, 3.0]})
    heat = scatter_charts.element_filter(by_element(rows), "number of crystals", ()).data[1]
    assert np.array(heat.z)[CELLS["O"]] == 2
    assert np.array(heat.z)[CELLS["Ti"]] == 1
