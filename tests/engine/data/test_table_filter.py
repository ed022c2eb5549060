"""A filter keeps what it says, and says what it keeps; counts by element and by bin are those of the crystals."""

import numpy as np
import pandas as pd
import pytest

from engine.data.datasets import load_dataset
from engine.data.histograms import bin_counts, bin_edges, by_element, snapped
from engine.data.table_filter import Filter, one_a_crystal, sentence, without_value

COLUMNS = ("n", "band_gap", "natoms")


@pytest.fixture(scope="module")
def materials():
    return [*load_dataset("petousis-2017"), *load_dataset("matbench-dielectric")]


@pytest.fixture(scope="module")
def rows(materials):
    names = ("crystal_system", "source", "elements", *COLUMNS)
    found = pd.DataFrame([{name: getattr(m, name) for name in names} for m in materials])
    found["space_group"] = [m.space_group_symbol for m in materials]
    found["electronic"] = [None if m.electronic is None else m.electronic.trace() / 3 for m in materials]
    found["id"] = [m.material_id for m in materials]
    return found


def kept(rows, materials, **wanted):
    return [materials[row] for row in Filter(**wanted).keep(rows).index]


def test_an_empty_filter_keeps_every_crystal_and_says_so(rows):
    wanted = Filter(ranges={"n": (None, None)})
    assert not wanted.asks
    assert len(wanted.keep(rows)) == len(rows) == 5820
    assert sentence(wanted, 5820, 5820) == "All 5,820 crystals"


def test_a_crystal_that_two_data_sets_hold_counts_once_and_as_the_first_has_it():
    rows = pd.DataFrame({"id": ["mp-1", "mp-2", None, None, "mp-1"], "n": [1.0, None, 3.0, 4.0, 5.0]})
    assert one_a_crystal(rows).index.tolist() == [0, 1, 2, 3]
    wanted = Filter(ranges={"n": (2.0, None)})
    assert one_a_crystal(wanted.keep(rows)).index.tolist() == [2, 3, 4]
    assert without_value(wanted, rows) == {"n": 1}


def test_crystals_hold_all_wanted_elements_and_none_of_the_unwanted(rows, materials):
    found = kept(rows, materials, holds=("O", "Ti"), without=("Ba",))
    assert {id(m) for m in found} == {
        id(m) for m in materials if {"O", "Ti"} <= set(m.elements) and "Ba" not in m.elements
    }


def test_crystals_hold_nothing_but_the_elements_that_they_may(rows, materials):
    found = kept(rows, materials, only=("O", "Ti", "Ba"), holds=("O",))
    assert {"BaTiO3", "TiO2"} <= {m.formula for m in found}
    assert all({"O"} <= set(m.elements) <= {"O", "Ti", "Ba"} for m in found)
    assert len(found) == sum("O" in m.elements and set(m.elements) <= {"O", "Ti", "Ba"} for m in materials)


def test_space_group_and_tensor_can_be_asked_for(rows, materials):
    found = kept(rows, materials, space_groups=("P4_2/mnm", "I4_1/amd"), tensor=True)
    assert {m.space_group_symbol for m in found} == {"P4_2/mnm", "I4_1/amd"}
    assert all(m.electronic is not None for m in found)
    assert len(kept(rows, materials, tensor=True)) == 1056


def test_a_range_includes_both_its_ends_and_no_crystal_whose_value_is_unknown(rows, materials):
    low, high = sorted(m.band_gap for m in materials[:2])
    found = kept(rows, materials, ranges={"band_gap": (low, high)})
    gaps = [m.band_gap for m in found]
    assert (min(gaps), max(gaps)) == (low, high)
    assert len(found) == sum(m.band_gap is not None and low <= m.band_gap <= high for m in materials)
    assert all(m.n >= 3 for m in kept(rows, materials, ranges={"n": (3, None)}))


def test_one_of_several_systems_and_data_sets_is_enough(rows, materials):
    found = kept(rows, materials, crystal_systems=("cubic", "triclinic"), sources=("petousis-2017",))
    assert {(m.crystal_system, m.source) for m in found} == {
        ("cubic", "petousis-2017"),
        ("triclinic", "petousis-2017"),
    }


def test_any_data_set_in_the_table_can_be_asked_for(rows):
    rows = pd.concat([rows[:3], rows[:1].assign(source="fetched")], ignore_index=True)
    assert list(Filter(sources=("fetched",)).keep(rows).index) == [3]


@pytest.mark.parametrize(
    ("wanted", "count", "words"),
    [
        (
            Filter(holds=("O", "Ti"), ranges={"n": (2.0, 2.6)}, crystal_systems=("tetragonal",)),
            312,
            "312 of 5,820 crystals: hold O and Ti, n from 2 to 2.6, tetragonal",
        ),
        (Filter(holds=("Ba", "O", "Ti")), 1, "1 of 5,820 crystals: holds Ba, O and Ti"),
        (Filter(without=("O", "F")), 9, "9 of 5,820 crystals: hold no O or F"),
        (Filter(only=("Ti", "O")), 9, "9 of 5,820 crystals: hold nothing but Ti and O"),
        (
            Filter(space_groups=("Pnma",), tensor=True),
            9,
            "9 of 5,820 crystals: space group Pnma, with a DFT tensor",
        ),
        (Filter(ranges={"band_gap": (3.0, None)}), 9, "9 of 5,820 crystals: PBE band gap at least 3 eV"),
        (Filter(ranges={"natoms": (None, 4)}), 9, "9 of 5,820 crystals: number of atoms at most 4"),
        (
            Filter(crystal_systems=("triclinic", "cubic"), sources=("petousis-2017",)),
            0,
            "0 of 5,820 crystals: cubic or triclinic, from petousis-2017",
        ),
    ],
)
def test_the_filter_is_said_in_words(wanted, count, words):
    assert sentence(wanted, count, 5820) == words


def test_every_element_has_the_count_and_the_median_of_the_crystals_that_hold_it(rows, materials):
    table = by_element(rows, "n")
    assert set(table.index) == {symbol for m in materials for symbol in m.elements}
    for symbol in ("O", "Ti", "Tc"):
        indices = [m.n for m in materials if symbol in m.elements]
        assert table.loc[symbol, "crystals"] == len(indices)
        assert table.loc[symbol, "median"] == pytest.approx(np.median(indices))
    assert list(by_element(rows).columns) == ["crystals"]


@pytest.mark.parametrize("column", COLUMNS)
def test_every_known_value_is_in_one_bin_and_bins_are_of_one_round_width(rows, column):
    edges = bin_edges(rows[column])
    assert bin_counts(rows[column], edges).sum() == rows[column].notna().sum()
    width = edges[1] - edges[0]
    np.testing.assert_allclose(np.diff(edges), width)
    assert f"{width:.0e}"[0] in "125"


def test_no_whole_number_lies_on_the_edge_of_a_bin(rows):
    edges = bin_edges(rows["natoms"])
    assert not (edges % 1 == 0).any()
    assert bin_counts(rows["natoms"], edges)[0] == rows["natoms"].between(edges[0], edges[1]).sum()


def test_a_single_value_has_a_bin(rows):
    assert bin_counts(pd.Series([3.7]), bin_edges(pd.Series([3.7]))).tolist() == [1]


@pytest.mark.parametrize(
    ("drawn", "kept"),
    [
        ((1.9, 4.2), (2.0, 4.0)),
        ((-3.0, 2.1), (None, 2.0)),
        ((3.9, 99.0), (4.0, None)),
        ((2.9, 3.1), (3.0, 4.0)),
        ((9.0, 9.1), (4.0, None)),
    ],
)
def test_a_drawn_range_becomes_one_of_whole_bins_open_where_it_reaches_the_end(drawn, kept):
    assert snapped(*drawn, np.arange(6.0)) == kept


def test_crystals_that_only_an_unknown_value_keeps_out_are_counted(rows):
    wanted = Filter(ranges={"n": (2.0, None), "band_gap": (3.0, None)})
    unknown = without_value(wanted, rows)
    high = Filter(ranges={"n": (2.0, None)}).keep(rows)
    assert unknown == {"PBE band gap": int(high["band_gap"].isna().sum())}
    assert without_value(Filter(), rows) == {}
