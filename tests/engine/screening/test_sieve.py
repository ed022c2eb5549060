"""A sieve keeps the rows that fulfil all that is asked, and says so in words."""

import pandas as pd
import pytest

from engine.screening.sieve import Sieve

ROWS = pd.DataFrame(
    {
        "error": [None, None, None, "refused"],
        "elements": [("O", "Ti"), ("Mg", "O"), ("Te",), ()],
        "gap": [1.8, 4.6, None, None],
        "natoms": [6, 2, 3, None],
        "metallic": [0.1, 0.0, 0.7, None],
        "width_total": [2.0, 1.1, 8.0, None],
        "warned": [False, False, True, False],
        "useless": ["", "", "electronic total", None],
    }
)


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        (Sieve(), [0, 1, 2]),
        (Sieve(ranges={"gap": (3, None)}), [1]),
        (Sieve(ranges={"gap": (None, None), "natoms": (None, 3)}), [1, 2]),
        (Sieve(ranges={"metallic": (None, 0.5)}), [0, 1]),
        (Sieve(factor=1.5), [1]),
        (Sieve(unwarned=True), [0, 1]),
        (Sieve(useful=True), [0, 1]),
        (Sieve(holds=("O",), without=("Ti",)), [1]),
    ],
)
def test_only_what_is_asked_for_passes_and_nothing_refused(wanted, kept):
    assert wanted.keep(ROWS).index.tolist() == kept


def test_the_sentence_names_all_that_is_asked():
    wanted = Sieve(
        holds=("O",),
        without=("Ti", "Pb"),
        ranges={"gap": (3, None), "natoms": (None, None)},
        factor=2,
        unwarned=True,
    )
    assert wanted.sentence(1, 3) == (
        "1 of 3 crystals pass: band gap at least 3 eV, with O, without Ti and Pb, 90 % interval of ε total "
        "within a factor of 2, no warning"
    )
    assert Sieve().sentence(3, 3) == "3 of 3 crystals pass"
