"""Refractive indices against measured ones: what the report says, of crystals that are here."""

import pandas as pd
import pytest

from engine.data.catalogue import identities
from engine.errors import EngineError
from engine.evaluation.measured_report import median_errors, read_measured
from engine.files import write_text


def test_errors_are_those_of_the_crystals_that_both_ways_have() -> None:
    rows = pd.DataFrame({"measured": [2.0, 2.0, 2.0], "dft": [2.2, 1.9, None], "predicted": [2.0, 2.4, 9.0]})
    found = median_errors(rows)
    assert found["dft"] == pytest.approx((2, 7.5, 2.5))
    assert found["predicted"] == pytest.approx((2, 10.0, 10.0))


def test_the_published_table_names_crystals_that_are_here_and_most_have_both_indices() -> None:
    rows = read_measured()
    assert set(rows["material_id"]) <= set(identities())
    assert rows[["dft", "predicted"]].notna().all(axis=1).sum() > 90
    assert {"Si", "GaAs", "SiO2", "NaCl"} <= set(rows["formula"])


def test_a_damaged_table_is_named_and_a_missing_one_is_none(tmp_path) -> None:
    write_text(tmp_path / "measured.json", '{"rows": [{"formula": "Si"}]}')
    with pytest.raises(EngineError, match="measure it again"):
        read_measured(tmp_path / "measured.json")
    assert read_measured(tmp_path / "none.json") is None
