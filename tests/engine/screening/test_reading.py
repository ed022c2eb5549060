"""Whatever an input is, each of its structures comes once, in order, as a crystal or with a reason."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine import EngineError, load_dataset
from engine.data.parquet import write_materials
from engine.screening.parts import Settings
from engine.screening.plan import make_plan, read_plan
from engine.screening.reading import items, sources
from tests.engine.screening.inputs import BAD, SMALL, crystals, json_lines, write_folder, xyz


def read(source, tmp_path, workers=1):
    plan = make_plan(str(source), SMALL, tmp_path / "plan", workers)
    assert [part.name for part in plan.parts] == sorted(part.name for part in plan.parts)
    return [item for part in plan.parts for group in items(part) for item in group]


def test_a_folder_is_read_with_all_below_it_and_a_bad_file_keeps_its_place(tmp_path):
    names = write_folder(tmp_path / "in")
    found = read(tmp_path / "in", tmp_path, workers=3)
    assert [item.source for item in found] == names
    refused = {item.source.rpartition("/")[2]: item.crystal for item in found if isinstance(item.crystal, str)}
    assert set(refused) == set(BAD)
    assert "it is empty" in refused["empty.cif"]
    assert "lie on one place" in refused["twice.vasp"]


def test_a_path_is_shown_as_it_was_given(tmp_path, monkeypatch):
    write_folder(tmp_path / "in")
    monkeypatch.chdir(tmp_path)
    assert read("in", tmp_path)[0].source.startswith("in/")
    assert read("in/01.cif", tmp_path)[0].source == "in/01.cif"


@pytest.mark.parametrize(("name", "write"), [("many.extxyz", xyz), ("many.jsonl", json_lines)])
def test_structures_of_one_file_are_numbered(name, write, tmp_path):
    (tmp_path / name).write_text(write(crystals()))
    found = read(tmp_path / name, tmp_path)
    assert [item.source for item in found] == [f"{tmp_path / name}#{number}" for number in range(1, 13)]
    assert [item.crystal.composition for item in found] == [one.composition for one in crystals()]


def test_a_large_cif_and_a_large_json_are_taken_apart(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.screening.stock.SMALL", 1000)
    (tmp_path / "many.cif").write_text("".join(one.to(fmt="cif") for one in crystals()))
    (tmp_path / "many.json").write_text(json.dumps([one.as_dict() for one in crystals()]))
    for name in ("many.cif", "many.json"):
        found = read(tmp_path / name, tmp_path)
        assert [item.source for item in found] == [f"{tmp_path / name}#{number}" for number in range(1, 13)]
        assert not [item for item in found if isinstance(item.crystal, str)]


def test_one_file_of_any_format_is_an_input_also_packed(tmp_path):
    (tmp_path / "one.cif.gz").write_bytes(gzip.compress(crystals()[0].to(fmt="cif").encode()))
    (item,) = read(tmp_path / "one.cif.gz", tmp_path)
    assert item.crystal.composition.reduced_formula == "NaCl"


def test_a_table_of_materials_and_one_with_texts_are_inputs(tmp_path):
    materials = load_dataset("petousis-2017")[:5]
    write_materials(tmp_path / "materials.parquet", materials)
    found = read(tmp_path / "materials.parquet", tmp_path)
    assert [item.material_id for item in found] == [one.material_id for one in materials]
    assert [item.band_gap for item in found] == [one.band_gap for one in materials]
    texts = [one.to(fmt="cif") for one in crystals()[:3]] + ["nothing"]
    pq.write_table(pa.table({"cif": texts}), tmp_path / "texts.parquet")
    found = read(tmp_path / "texts.parquet", tmp_path)
    assert [isinstance(item.crystal, str) for item in found] == [False, False, False, True]


def test_wide_groups_of_rows_are_narrowed_and_nothing_of_them_is_lost(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.screening.stock.WIDEST_GROUP", 8)
    materials = load_dataset("petousis-2017")[:50]
    write_materials(tmp_path / "materials.parquet", materials)
    found = read(tmp_path / "materials.parquet", tmp_path)
    assert [item.material_id for item in found] == [one.material_id for one in materials]


def test_a_row_without_a_crystal_is_refused_alone(tmp_path):
    cell, places = [4.0, 0, 0, 0, 4.0, 0, 0, 0, 4.0], [0.0, 0, 0, 0.5, 0.5, 0.5]
    rows = [
        (cell, [11, 17], places),
        (None, None, None),
        (cell, [11, 17], places[:4]),
        (cell[:6], [11, 17], places),
    ]
    rows += [(cell, [11, 999], places), (cell, [11, 17], [0.0] * 6), ([float("nan")] * 9, [11, 17], places)]
    columns = dict(zip(("cell", "atomic_numbers", "frac_coords"), map(list, zip(*rows, strict=True)), strict=True))
    pq.write_table(pa.table(columns), tmp_path / "rows.parquet")
    found = read(tmp_path / "rows.parquet", tmp_path)
    assert [isinstance(item.crystal, str) for item in found] == [False] + [True] * 6


def test_ids_are_an_input_by_themselves_and_in_a_file(tmp_path):
    (tmp_path / "ids.txt").write_text("mp-149, mp-2490\nMP390\n\nmp-99999999\n")
    found = read(tmp_path / "ids.txt", tmp_path)
    assert [item.source for item in found] == ["mp-149", "mp-2490", "mp-390", "mp-99999999"]
    assert [item.crystal.formula for item in found[:3]] == ["Si", "GaP", "TiO2"]
    assert "fetch it first" in found[3].crystal
    assert [item.source for item in read("mp-149,mp-390", tmp_path)] == ["mp-149", "mp-390"]


def test_the_names_of_structures_are_known_without_reading_them(tmp_path):
    (tmp_path / "many.extxyz").write_text(xyz(crystals()))
    write_folder(tmp_path / "in")
    for source in (tmp_path / "in", tmp_path / "many.extxyz", "mp-149,mp-390", "petousis-2017"):
        plan = make_plan(str(source), SMALL, tmp_path / "plan", 1)
        part = plan.parts[0]
        assert sources(part) == [item.source for group in items(part) for item in group]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("nowhere", "no file, folder or data set, and no ID"),
        ("empty", "holds no structure"),
        ("other.parquet", "needs the columns cell, atomic_numbers, frac_coords, or one of structure, cif"),
        ("damaged.parquet", "is no Parquet file, or a damaged one"),
    ],
)
def test_what_is_no_input_is_refused_with_a_reason(source, reason, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "damaged.parquet").write_bytes(b"PAR1 but not really")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    with pytest.raises(EngineError, match=reason):
        make_plan(source, SMALL, tmp_path / "plan", 1)


def test_a_plan_is_gone_on_with_as_it_was_made_or_not_at_all(tmp_path):
    path, folder = tmp_path / "many.extxyz", tmp_path / "plan"
    path.write_text(xyz(crystals()))
    plan = make_plan(str(path), SMALL, folder, 1)
    assert read_plan(folder, str(path), SMALL) == plan
    with pytest.raises(
        EngineError, match="was begun with model e3nn-scratch, direct, electronic, PBE, got model default"
    ):
        read_plan(folder, str(path), Settings(targets=("electronic",), device="cpu"))
    with pytest.raises(EngineError, match="goes on with"):
        read_plan(folder, "petousis-2017", SMALL)
    path.write_text(xyz(crystals()[1:]))
    with pytest.raises(EngineError, match="has changed since its screening began"):
        read_plan(folder, str(path), SMALL)
