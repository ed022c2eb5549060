"""Changes of a CIF that keep its crystal change nothing of the answer, and no damage is more than refused."""

import json
import random
import re

import pytest

from engine.crystals.cif import _same, read_cif
from engine.crystals.reader import text_of
from engine.crystals.reader_process import answer
from tests.engine.crystals.test_as_written import EXPECTED, FOLDER
from tests.engine.mutations import KEEPING, damaged, kept

SOUND = [name for name, one in EXPECTED.items() if name.endswith("cif") and "crystals" in one]
TEXTS = {name: text_of((FOLDER / name).read_bytes()) for name in SOUND}
RUTILE = text_of((FOLDER.parent / "rutile.cif").read_bytes())


@pytest.mark.parametrize("change", KEEPING, ids=lambda change: change.__name__)
def test_each_change_changes_the_text(change):
    rng = random.Random(0)
    assert any(change(text, rng) != text for text in [RUTILE, *TEXTS.values()])


@pytest.mark.parametrize("seed", range(60))
def test_a_change_that_keeps_the_crystal_keeps_the_answer(seed):
    rng = random.Random(seed)
    text = TEXTS[rng.choice(SOUND)]
    before, after = read_cif(text), read_cif(text_of(kept(text, rng).encode()))
    assert len(before) == len(after)
    assert all(_same(one, other) and one.notes == other.notes for one, other in zip(before, after, strict=True))


@pytest.mark.parametrize("seed", range(60))
def test_a_damaged_cif_is_read_or_refused_in_words_of_ours(seed):
    rng = random.Random(seed)
    found = answer("cif", damaged(TEXTS[rng.choice(SOUND)], rng))
    assert json.dumps(found, allow_nan=False)
    assert not re.search(r"not a readable CIF file \(\w+Error", found.get("refused", ""))


def test_another_crystal_is_told_from_the_first():
    (before,) = read_cif(RUTILE)
    (after,) = read_cif(RUTILE.replace("0.19500000  0.80500000", "0.23 0.77"))
    assert not _same(before, after)
