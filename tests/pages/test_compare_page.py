"""Crystals side by side, from an address, from Look up and from a formula's polymorphs."""

from streamlit.testing.v1 import AppTest

from pages.components import cached
from tests.pages.test_pages import PATIENCE, ROOT, look_up, words


def compare(*names: str) -> AppTest:
    page = AppTest.from_file(str(ROOT / "pages" / "compare.py"), default_timeout=PATIENCE)
    page.query_params["of"] = list(names)
    return page.run()


def heads(page: AppTest) -> str:
    return next(line for line in words(page).splitlines() if line.startswith("| |"))


def test_each_crystal_has_a_column_with_its_intervals_and_its_dft_values_below() -> None:
    page = compare("mp-2998", "mp-8062", "table salt")
    assert [one in heads(page) for one in ("BaTiO₃", "SiC", "NaCl")] == [True] * 3
    (electronic, dft) = (row for row in words(page).splitlines() if row.startswith("| Electronic, mean"))
    assert electronic.count("[") == 3
    assert dft.count("[") == 0
    assert len(page.get("plotly_chart")) == 2  # tensors in one row, and a spectrum


def test_each_column_says_whether_its_formula_was_left_out_of_training() -> None:
    page = compare("mp-149", "mp-1943")
    (row,) = (row for row in words(page).splitlines() if row.startswith("| formula left out of training"))
    assert row.split("|")[2:4] == [" no ", " yes "]


def test_six_are_the_most_and_one_crystal_comes_once() -> None:
    page = compare("mp-149", "silicon", "Si", "mp149")
    assert heads(page).count("Si · ") == 1
    assert page.multiselect(key="of").proto.max_selections == 6


def test_a_name_that_means_nothing_is_named_and_stops_no_other() -> None:
    page = compare("qqq", "mp-149")
    assert "Nothing in the local data matches qqq" in words(page)
    assert "Si · " in heads(page)


def test_a_crystal_without_an_id_is_found_by_its_row() -> None:
    diamond = next(
        row for row, one in enumerate(cached.materials()) if one.formula == "C" and one.space_group_number == 227
    )
    assert "C · Fd-3m" in heads(compare(f"C row {diamond}"))
    assert "Nothing in the local data matches Si row" in words(compare(f"Si row {diamond}"))


def test_a_metal_is_called_one_and_has_no_tensor() -> None:
    page = compare("mp-30")
    assert "likely a metal" in words(page)
    assert "None of these crystals has a predicted tensor here" in words(page)


def test_a_crystal_that_dft_gives_an_index_is_compared_although_it_looks_like_a_metal() -> None:
    text = words(compare("ceria"))
    assert "likely a metal" not in text
    assert "| Electronic, mean | " in text


def test_a_sheet_in_a_box_is_compared_by_what_is_its_own() -> None:
    page = compare("mp-8781")
    assert "| Electronic α, in the plane (Å) | " in words(page)
    assert "| Electronic, mean, of the box | " in words(page)
    assert "Refractive index" not in words(page)
    assert len(page.get("plotly_chart")) == 1  # no spectrum


def test_an_example_fills_an_empty_page() -> None:
    page = compare()
    page.pills[0].select("Polymorphs of TiO₂").run()
    assert heads(page).count("TiO₂ · ") == 3


def test_look_up_puts_crystals_aside_and_takes_them_back() -> None:
    page = look_up("mp-149")
    (button,) = (one for one in page.button if one.label == "Add to comparison")
    button.click().run()
    assert any("Compare 1" in link.proto.label for link in page.get("page_link"))
    (button,) = (one for one in page.button if one.label == "Take out of the comparison")
    button.click().run()
    assert not any("Compare 1" in link.proto.label for link in page.get("page_link"))


def test_the_polymorphs_of_a_formula_are_one_click_away() -> None:
    (link,) = (one for one in look_up("mp-390").get("page_link") if "polymorphs" in one.proto.label)
    assert link.proto.query_string.split("&")[0] == "of=mp-390"
    assert link.proto.query_string.count("of=") == 6
