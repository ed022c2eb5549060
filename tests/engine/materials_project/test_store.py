"""The store of fetched materials: shared, damaged, out of date."""

import multiprocessing
from dataclasses import replace

import pytest

from engine.crystals.material import Fetched
from engine.data.datasets import load_dataset
from engine.data.parquet import to_row
from engine.materials_project.store import MaterialStore


def fetched(material, version="v1"):
    origin = Fetched(
        route="task",
        task_id="mp-1",
        residual=0.0,
        rejected="",
        verifiable=True,
        energy_above_hull=0.0,
        theoretical=False,
        db_version=version,
        date="2026-11-01T00:00:00+00:00",
    )
    return replace(material, fetched=origin)


@pytest.fixture
def some():
    return [fetched(material) for material in load_dataset("petousis-2017")[:20]]


def test_a_material_comes_back_to_the_last_digit(tmp_path, some):
    store = MaterialStore(tmp_path / "s.sqlite")
    store.put(some)
    assert [to_row(m) for m in store.get_many([m.material_id for m in some])] == [to_row(m) for m in some]
    assert store.get("mp-0") is None


def test_a_newer_version_of_a_material_replaces_the_older(tmp_path, some):
    store = MaterialStore(tmp_path / "s.sqlite")
    store.put(some)
    store.put([fetched(some[0], "v2")])
    assert store.get(some[0].material_id).fetched.db_version == "v2"
    assert store.known("v2") == {some[0].material_id}
    assert len(store.known("v1")) == 19


def write_many(path, materials, ready):
    ready.wait()
    for _ in range(5):
        for material in materials:
            MaterialStore(path).put([material])


def test_two_dashboards_write_at_once_and_lose_nothing(tmp_path, some):
    path = tmp_path / "s.sqlite"
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(2)  # so that neither is done before the other begins
    writers = [context.Process(target=write_many, args=(path, half, ready)) for half in (some[:10], some[10:])]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert len(MaterialStore(path).known("v1")) == 20


def test_a_damaged_file_is_set_aside_and_begun_anew(tmp_path, some):
    path = tmp_path / "s.sqlite"
    store = MaterialStore(path)
    store.put(some)
    path.write_bytes(b"half a file" * 100)
    assert store.get(some[0].material_id) is None
    store.put(some)
    assert len(store.known("v1")) == 20
    assert (tmp_path / "s.damaged").is_file()


def test_a_store_of_another_layout_is_begun_anew(tmp_path, some):
    import sqlite3

    path = tmp_path / "s.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE materials (something TEXT)")
        connection.execute("PRAGMA user_version = 999")
    store = MaterialStore(path)
    store.put(some)
    assert len(store.known("v1")) == 20
