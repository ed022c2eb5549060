"""The best rows are those that sorting all would give, and a condition is nothing but comparisons."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine import EngineError
from engine.screening import ranking
from engine.screening.ranking import best


@pytest.fixture
def result(tmp_path):
    rng = np.random.default_rng(0)
    values = rng.normal(3, 1, 500)
    values[::7] = np.nan
    frame = pd.DataFrame({"n": values, "gap": rng.uniform(0, 6, 500), "natoms": rng.integers(1, 40, 500)})
    frame["formula"] = rng.choice(["TiO2", "GaN", "MgO"], 500)
    frame["gap_known"] = rng.random(500) < 0.5
    frame["error"] = np.where(np.isnan(values), "refused", None)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    pq.write_table(table.set_column(0, "n", pa.array(values, from_pandas=True)), tmp_path / "r.parquet")
    return tmp_path / "r.parquet", frame


@pytest.mark.parametrize("lowest", [False, True])
def test_the_top_rows_are_those_of_the_sorted_table(lowest, result, monkeypatch):
    monkeypatch.setattr(ranking, "AT_ONCE", 64)
    path, frame = result
    found = best(path, "n", 20, "gap > 2 and natoms <= 20", lowest)
    passing = frame[(frame.gap > 2) & (frame.natoms <= 20)].dropna(subset="n")
    expected = passing.sort_values("n", ascending=lowest).head(20)
    assert found.n.tolist() == expected.n.tolist()
    assert found.formula.tolist() == expected.formula.tolist()


@pytest.mark.parametrize(
    ("text", "keep"),
    [
        ("2 < gap <= 3", lambda f: (f.gap > 2) & (f.gap <= 3)),
        ("not gap > 2", lambda f: f.gap <= 2),
        ("gap > 5 or natoms == 1", lambda f: (f.gap > 5) | (f.natoms == 1)),
        ("error == None", lambda f: f.error.isna()),
        ("error != None", lambda f: f.error.notna()),
        ("formula in ('GaN', 'MgO')", lambda f: f.formula.isin(["GaN", "MgO"])),
        ("'O' in formula", lambda f: f.formula.str.contains("O")),
        ("gap_known", lambda f: f.gap_known),
        ("n > natoms", lambda f: f.n > f.natoms),
    ],
)
def test_a_condition_means_what_it_means_in_python(text, keep, result):
    path, frame = result
    assert len(best(path, where=text)) == int(keep(frame).sum()) > 0


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')", "open('/etc/passwd')", "n.real > 1", "n + 1", "n", "(lambda: 1)()",
        "[x for x in n]", "n > (1 if 1 else 2)", "", "n >", "n > 1; n < 2", "unknown > 1", "n > b'1'", "(" * 5000,
    ],
)  # fmt: skip
def test_anything_else_than_a_comparison_is_refused(text, result):
    with pytest.raises(EngineError):
        ranking.condition(text, pq.read_schema(result[0]))


def test_a_column_that_is_not_there_is_named_with_those_that_are(result):
    with pytest.raises(
        EngineError, match=r"by must be a column of r\.parquet, got 'refractive'; columns are n, gap"
    ):
        best(result[0], "refractive")
    with pytest.raises(EngineError, match="with numbers, got 'formula'"):
        best(result[0], "formula")


def test_without_a_quantity_rows_come_in_the_order_of_the_file(result):
    path, frame = result
    assert best(path, top=5).natoms.tolist() == frame.natoms[:5].tolist()
