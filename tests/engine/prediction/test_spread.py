"""What ordered approximations differ by, beside the interval of each."""

from dataclasses import replace

import pytest
from pymatgen.core import Lattice, Structure

from engine import Predictor, ordered_approximations
from engine.crystals.approximations import Approximation
from engine.prediction.spread import approximated, in_words

ALLOY = Structure.from_spacegroup(
    "Fm-3m", Lattice.cubic(6), [{"Na": 0.5, "K": 0.5}, "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]
)


@pytest.fixture(scope="module")
def predictions():
    orderings = ordered_approximations(ALLOY)
    return Predictor.load(device="cpu").predict_many(orderings, ionic_method="direct")


def test_the_spread_runs_from_the_lowest_to_the_highest_of_all_orderings(predictions):
    first, second = approximated(predictions)
    for name in ("electronic", "ionic", "total"):
        means = sorted(getattr(one, name).trace() / 3 for one in predictions)
        assert first["spread"][name] == pytest.approx(means)
    assert first["spread"] == second["spread"]
    assert "total mean" in in_words(first)


def test_ionic_parts_that_were_found_in_different_ways_are_not_compared(predictions):
    one, other = predictions
    (mark, _) = approximated([one, replace(other, ionic_method="full")])
    assert set(mark["spread"]) == {"n", "electronic"}


def test_a_crystal_that_stands_for_itself_has_no_mark_and_a_refusal_moves_none(predictions):
    one, other = predictions
    alone = replace(one, structure=Structure(Lattice.cubic(6), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]))
    marks = approximated([alone, "refused", one, other, alone])
    assert [mark and mark["number"] for mark in marks] == [None, None, 1, 2, None]
    assert marks[2]["spread"] == approximated(predictions)[0]["spread"]
    assert Approximation.__required_keys__ < set(marks[2])
