"""Fetched materials: the right frame, nothing lost, nothing asked for twice."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from threading import Event

import numpy as np
import pytest

from engine.cli import main
from engine.crystals.material import CRYSTAL_SYSTEMS
from engine.data.datasets import label, load_dataset
from engine.data.parquet import read_about, read_materials, to_row
from engine.errors import EngineError
from engine.materials_project.client import ENDPOINT_VARIABLE, KEY_VARIABLE
from engine.materials_project.fetch import BATCH, TRIES, fetch, fetch_one
from engine.materials_project.store import MaterialStore
from engine.tensors.axes import point_group_rotations
from tests import materials_project_server as loopback

CHECKED = tuple(system for system in CRYSTAL_SYSTEMS if system not in ("triclinic", "orthorhombic"))
MANY = 2 * BATCH + 1  # three questions' worth


def of_each_system(count):
    """Materials of every crystal system, `count` each, whose tensors obey their point group."""
    chosen = []
    for system in CRYSTAL_SYSTEMS:
        sound = (m for m in load_dataset("petousis-2017") if m.crystal_system == system and not m.flags)
        chosen += [m for m, _ in zip(sound, range(count), strict=False)]
    return chosen


@pytest.fixture(scope="module")
def materials():
    return of_each_system(6)


@pytest.fixture(scope="module")
def documents(materials):
    """Every second material with its task document, all with structures in other axes and cells."""
    found, chance = loopback.Documents(), np.random.default_rng(1)
    for index, material in enumerate(materials):
        found.add(material, chance, with_task=index % 2 == 0)
    found.add(materials[0], chance, material_id="mp-149", with_tensors=False)
    return found


@pytest.fixture
def server(documents, monkeypatch):
    with loopback.running(documents) as server:
        monkeypatch.setenv(ENDPOINT_VARIABLE, server.address)
        monkeypatch.setenv(KEY_VARIABLE, loopback.KEY)
        yield server


@pytest.fixture
def store(tmp_path):
    return MaterialStore(tmp_path / "store.sqlite")


@pytest.fixture(scope="module")
def everything(documents, tmp_path_factory):
    """One fetch of all materials that several tests look at: what it brought, its store, what it asked."""
    store = MaterialStore(tmp_path_factory.mktemp("everything") / "store.sqlite")
    with loopback.running(documents) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv(ENDPOINT_VARIABLE, server.address)
        return fetch(None, loopback.KEY, store).materials, store, server.questions


def expected(material, documents, found):
    """The embedded total tensor in the axes of the fetched structure."""
    rotation = np.eye(3) if found.fetched.route == "task" else documents.rotations[material.material_id]
    return rotation @ material.total @ rotation.T


def test_tensors_share_the_axes_of_their_structure(everything, materials, documents):
    brought = {m.material_id: m for m in everything[0]}
    assert set(brought) == {m.material_id for m in materials}
    for index, material in enumerate(materials):
        found = brought[material.material_id]
        assert found.fetched.route == ("task" if index % 2 == 0 else "ieee")
        if found.total is None:
            assert found.fetched.rejected
            continue
        error = np.linalg.norm(found.total - expected(material, documents, found))
        wrong = error > 0.01 * np.linalg.norm(material.total)
        assert not wrong or not found.fetched.verifiable, (material.material_id, found.fetched)
        assert abs(np.linalg.det(found.cell)) == pytest.approx(abs(np.linalg.det(material.cell)))


def test_pairing_without_turning_back_would_have_been_wrong(documents, materials):
    """The trap is real: the IEEE tensor as it is served does not fit the structure as it is served."""
    wrong = 0
    for material in materials:
        rotation, served = documents.rotations[material.material_id], documents.dielectric[material.material_id]
        apart = np.array(served["total"]) - rotation @ material.total @ rotation.T
        wrong += np.linalg.norm(apart) > 0.05 * np.linalg.norm(material.total)
    assert wrong > len(materials) / 4


def test_what_the_point_group_cannot_tell_is_marked(everything):
    for found in everything[0]:
        blind = found.fetched.route == "ieee" and found.crystal_system in ("triclinic", "orthorhombic")
        assert found.fetched.verifiable == (not blind), found.material_id


def test_a_tensor_that_breaks_the_point_group_is_rejected_with_its_reason(store, monkeypatch):
    chance, documents = np.random.default_rng(2), loopback.Documents()
    material = next(m for m in load_dataset("petousis-2017") if len(point_group_rotations(m.structure)) == 16)
    bent = replace(material, electronic=material.electronic + 2 * np.diag([1, -1, 0]))
    documents.add(bent, chance, with_task=True)
    documents.dielectric[bent.material_id]["electronic"][1][1] += 4  # in IEEE axes too
    del documents.tasks[next(iter(documents.tasks))]
    with loopback.running(documents) as server:
        monkeypatch.setenv(ENDPOINT_VARIABLE, server.address)
        found = fetch_one(bent.material_id, loopback.KEY, store)
    assert "breaks the point group" in found.fetched.rejected
    assert found.fetched.residual > 0.02
    assert found.electronic is None
    assert label(found, "electronic") is None
    assert found.n is not None


def test_a_material_without_tensor_comes_with_its_structure_alone(server, store):
    found = fetch_one("mp-aaaaaaft", loopback.KEY, store)
    assert (found.material_id, found.electronic, found.fetched.route) == ("mp-149", None, "")
    assert store.get("mp-149").formula == found.formula


def test_an_unknown_material_is_said(server, store):
    with pytest.raises(EngineError, match="mp-424242: Materials Project has no such material"):
        fetch_one("mp-424242", loopback.KEY, store)


def test_what_the_store_holds_is_not_asked_for_again(server, everything):
    first, store, _ = everything
    again = fetch(None, loopback.KEY, store)
    assert not server.asked
    assert [to_row(m) for m in again.materials] == [to_row(m) for m in first]


def test_a_limited_rate_is_waited_for(server, store, materials):
    limits = iter([True, True, False])

    def fault(handler, path):
        limited = path.endswith("/dielectric/") and next(limits, False)
        return bool(limited) and (handler.send({}, 429, [("Retry-After", "1")]) or True)

    server.fault = fault
    heard = []
    brought = fetch([m.material_id for m in materials], loopback.KEY, store, heard.append)
    assert len(brought.materials) == len(materials)
    assert ["wait 1 s" in p.waiting for p in heard if p.waiting] == [True, True]


def test_a_service_that_stays_away_is_given_up(server, store, materials):
    server.fault = loopback.failing(429, [("Retry-After", "0")])
    with pytest.raises(EngineError, match="asks to wait"):
        fetch([materials[0].material_id], loopback.KEY, store)
    assert sum("/summary/" in question for question in server.questions) == TRIES


def test_a_file_of_fetched_materials_is_a_data_set_and_tells_how_it_came(server, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    out = tmp_path / "all.parquet"
    assert main(["fetch", "--all", "--out", str(out)]) == 0
    assert "42 of 42" in capsys.readouterr().err
    about = read_about(out)
    assert about["db_version"] == loopback.DB_VERSION
    assert about["routes"].startswith("task: 21")
    loaded = load_dataset(str(out))
    assert [m.fetched for m in loaded] == [m.fetched for m in read_materials(out)]
    run = tmp_path / "run"
    options = ["--backbone", "scratch", "--epochs", "1", "--mul", "4", "--device", "cpu", "--run", str(run)]
    assert main(["train", "--data", str(out), *options]) == 0
    assert (run / "weights.safetensors").is_file()
    assert loopback.KEY not in "".join(p.read_text() for p in run.glob("*.json*"))


def test_ids_that_are_refused_stop_no_other(server, tmp_path, monkeypatch, capsys, materials):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    out = tmp_path / "some.parquet"
    assert main(["fetch", "--ids", f"{materials[0].material_id},mp-424242", "--out", str(out)]) == 1
    assert "mp-424242: Materials Project has no such material" in capsys.readouterr().err
    assert [m.material_id for m in read_materials(out)] == [materials[0].material_id]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [(["--all"], "needs an API key"), (["--ids", "149"], "reads like mp-149")],
)
def test_what_cannot_be_fetched_is_one_line(arguments, sentence, monkeypatch, capsys):
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    assert main(["fetch", *arguments]) == 1
    assert sentence in capsys.readouterr().err


def test_a_fetch_killed_anywhere_goes_on_where_it_was(tmp_path, materials):
    """No material is lost, and none that was kept is asked for again; killed while a question is open."""
    documents, chance = loopback.Documents(), np.random.default_rng(3)
    few = [m for m in load_dataset("petousis-2017") if m.crystal_system == "monoclinic"][:2]
    for number in range(MANY):
        documents.add(few[number % 2], chance, material_id=f"mp-{5000 + number}", with_task=False)
    with loopback.running(documents) as server:
        out = tmp_path / "all.parquet"
        environment = os.environ | {
            ENDPOINT_VARIABLE: server.address,
            KEY_VARIABLE: loopback.KEY,
            "XDG_CACHE_HOME": str(tmp_path),
        }
        command = [sys.executable, "-m", "engine", "fetch", "--all", "--out", str(out)]
        store = MaterialStore(tmp_path / "dielectric-tensors" / "materials-project.sqlite")
        for answered, endpoint in ((0, "/dielectric/"), (1, "/summary/")):  # questions, and where in the next
            reached, killed = Event(), Event()

            def hold(_handler, path, enough=answered * BATCH, at=endpoint, reached=reached, killed=killed):
                asks = path.endswith(at) and bool(store.index(loopback.DB_VERSION))
                if asks and len(store.known(loopback.DB_VERSION)) == enough:
                    reached.set()
                    killed.wait()
                return False

            server.fault = hold
            child = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
            assert reached.wait(300)
            child.kill()
            child.wait()
            killed.set()
            kept = store.known(loopback.DB_VERSION)
            assert len(kept) == answered * BATCH
            before = {one: count for (kind, one), count in server.asked.items() if kind == "summary"}
            assert not out.exists()
        server.fault = None
        assert subprocess.run(command, env=environment, stderr=subprocess.DEVNULL, check=False).returncode == 0
        after = {one: count for (kind, one), count in server.asked.items() if kind == "summary"}
    assert len(read_materials(out)) == MANY
    assert all(after[one] == before[one] for one in kept)


def test_no_key_is_kept(everything):
    _, store, questions = everything
    files = [path for path in store.path.parent.rglob("*") if path.is_file()]
    assert files
    assert all(loopback.KEY.encode() not in path.read_bytes() for path in files)
    assert loopback.KEY not in json.dumps(questions)
