"""A part may be done twice, by anyone, and is there once; one structure stops no other."""

from concurrent.futures import Future

import numpy as np
import pyarrow.parquet as pq
import pytest
from distributed import KilledWorker
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure

from engine import Predictor
from engine.prediction.records import records_to_csv, to_records
from engine.screening import answers, workers
from engine.screening.answers import batches
from engine.screening.item import Item
from engine.screening.parts import Settings
from engine.screening.plan import make_plan
from engine.screening.rows import SCHEMA, row_of
from engine.screening.task import do_part, part_path, refuse_part, what_is_done
from tests.engine.screening.inputs import SMALL, crystals, xyz


@pytest.fixture
def plan(tmp_path):
    (tmp_path / "many.extxyz").write_text(xyz(crystals()) + "1\nno lattice\nNa 0 0 0\n")
    return make_plan(str(tmp_path / "many.extxyz"), SMALL, tmp_path / "parts", 1)


def test_rows_are_what_predict_says_of_each_structure_in_its_order(plan, tmp_path):
    for part in plan.parts:
        do_part(part, SMALL, tmp_path / "parts")
    tables = [pq.read_table(part_path(tmp_path / "parts", part)) for part in plan.parts]
    rows = [row for table in tables for row in table.to_pylist()]
    assert all(table.schema.equals(SCHEMA) for table in tables)
    predictor = Predictor.load("e3nn-scratch", "cpu")
    for row, crystal in zip(rows, crystals(), strict=False):
        answer = predictor.predict(crystal, targets=["electronic"])
        assert row["formula"] == answer.formula
        assert row["electronic"] == pytest.approx(np.trace(answer.electronic) / 3, rel=1e-4)
        assert row["electronic_interval90_low"] == pytest.approx(answer.interval("electronic")[0], rel=1e-4)
        assert row["ionic"] is None
        assert np.array(row["frac_coords"]).reshape(-1, 3) == pytest.approx(answer.structure.frac_coords, abs=1e-4)
    assert "has no lattice" in rows[-1]["error"]


def test_the_table_has_the_columns_of_predict_csv():
    (crystal,) = crystals()[:1]
    answer = Predictor.load(device="cpu").predict(crystal, ionic_method="direct")
    columns = records_to_csv(to_records([("a", answer)])).splitlines()[0].split(",")
    row = row_of(Item(source="a", crystal=crystal), answer)
    assert SCHEMA.names[: len(columns)] == columns
    assert set(row) == set(SCHEMA.names)
    assert row["merit"] == pytest.approx(row["total"] * row["gap"])


def test_a_part_that_is_done_is_not_done_again_and_one_cut_short_is(plan, tmp_path, monkeypatch):
    folder, part = tmp_path / "parts", plan.parts[0]
    done = do_part(part, SMALL, folder)
    assert what_is_done(folder, part) == done
    with monkeypatch.context() as patch:
        patch.setattr(answers, "_predictor", None)  # which would fail
        assert do_part(part, SMALL, folder) == done
    path = part_path(folder, part)
    path.write_bytes(path.read_bytes()[:-100])
    assert what_is_done(folder, part) is None
    assert do_part(part, SMALL, folder) == done
    assert [one.name for one in folder.glob("part-*")] == [path.name]


def test_a_structure_that_breaks_the_computation_stops_no_other(monkeypatch):
    predictor = Predictor.load("e3nn-scratch", "cpu")
    some = crystals()[:4]

    class Breaking(Predictor):
        def predict_many(self, structures, **options):
            if any(one is some[2] for one in structures):
                raise ArithmeticError("no eigenvalues")
            return predictor.predict_many(structures, **options)

    breaking = Breaking.__new__(Breaking)
    breaking.__dict__ = predictor.__dict__
    found = answers._predicted(breaking, some, SMALL)
    assert [isinstance(one, str) for one in found] == [False, False, True, False]
    assert found[2] == "MgO: it cannot be computed (ArithmeticError: no eigenvalues)"


def test_an_element_that_the_model_does_not_know_is_a_row_with_its_reason():
    hot = Structure(Lattice.cubic(4), ["Og"], [[0, 0, 0]])
    default = Settings(targets=("electronic",), device="cpu")
    found = answers._predicted(Predictor.load(device="cpu"), [crystals()[0], hot], default)
    assert not isinstance(found[0], str)
    assert "does not know Og" in found[1]


@settings(deadline=None, max_examples=30)
@given(repeats=st.lists(st.integers(1, 3), min_size=1, max_size=8), most=st.integers(50, 5000))
def test_batches_hold_each_crystal_once_the_smallest_first_within_their_edges(repeats, most):
    some = {number: crystals()[0] * (count, 1, 1) for number, count in enumerate(repeats)}
    found = list(batches(some, 5.0, most))
    assert sorted(name for batch in found for name in batch) == sorted(some)
    sizes = [len(some[name]) for batch in found for name in batch]
    assert sizes == sorted(sizes)
    per_atom = answers._edges(some[0], 5.0) / len(some[0])
    assert all(
        len(batch) == 1 or per_atom * sum(len(some[one]) for one in batch) <= most * 1.001 for batch in found
    )


def test_a_part_that_nobody_can_do_is_refused_with_its_names(plan, tmp_path):
    part = plan.parts[0]
    done = refuse_part(part, [f"many#{number}" for number in range(part.count)], "too large", tmp_path)
    assert (done.rows, done.refused) == (part.count, part.count)
    assert pq.read_table(part_path(tmp_path, part))["error"].to_pylist() == ["too large"] * part.count


def test_a_disk_that_is_full_where_a_part_is_refused_is_not_taken_for_a_lost_scheduler(plan, tmp_path):
    part = plan.parts[0].halves()[0]
    while part.count > 1:
        part = part.halves()[0]
    future = Future()
    future.status = "error"
    future.set_exception(KilledWorker(part.name, None, 0))
    with pytest.raises(workers._Failed) as failed:
        list(workers._failed(future, part, tmp_path / "gone", list().append))
    assert isinstance(failed.value.error, OSError)
