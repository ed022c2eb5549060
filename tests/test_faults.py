"""What happens to the work when a machine fails, and the sentence for the person who meets it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from engine import EngineError, Predictor, Run, load_dataset
from engine.config import ModelConfig, TrainConfig
from engine.data.parquet import write_materials
from engine.files import DATA_FOLDER, MODELS_FOLDER
from engine.runs import spent
from engine.runs.folder import LOG, STATUS, read_history
from engine.runs.screening_run import ASKED, Screening
from engine.screening.parts import Settings
from tests.engine.runs.test_run import wait_until
from tests.engine.small import config, materials

ROOT = Path(__file__).resolve().parents[1]
RUTILE = Path(__file__).parent / "files" / "rutile.cif"
SCRATCH = Settings(model="e3nn-scratch", targets=("electronic",))
SENTENCE = "there is no room left on this disk; make room, and try again"


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DIELECTRIC_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


@pytest.fixture
def data(tmp_path: Path) -> str:
    write_materials(tmp_path / "small.parquet", materials())
    return str(tmp_path / "small.parquet")


def on_a_disk_of(size: str, at: Path, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a script of the shell where a disk of that size is mounted, which nobody else sees."""
    at.mkdir(parents=True, exist_ok=True)
    mount = f"mount -t tmpfs -o size={size} tmpfs '{at}' && cd '{ROOT}' && {script}"
    return subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount],
        capture_output=True, text=True, timeout=300, env=os.environ | variables,
    )  # fmt: skip


def engine(*words: str | Path) -> str:
    return " ".join([f"'{sys.executable}' -m engine", *(f"'{word}'" for word in words)])


def test_a_training_on_a_disk_that_fills_keeps_its_last_epoch_and_goes_on_when_there_is_room(
    data: str, tmp_path: Path
) -> None:
    run, plain = (
        Run.create(config(epochs=6), data, tmp_path / "run"),
        Run.create(config(epochs=6), data, tmp_path / "plain"),
    )
    disk, state = tmp_path / "disk", tmp_path / "kept"
    script = (
        f"cp -r '{run.folder}' '{disk}/run' && {engine('train', '--resume', disk / 'run')};"
        f"echo status $?; cp -r '{disk}/run' '{state}'"
    )
    done = on_a_disk_of("60k", disk, script)
    assert "status 1" in done.stdout
    assert SENTENCE in done.stderr
    assert not list(state.glob("*.part"))
    kept = Run.open(state)
    assert all((kept.folder / name).stat().st_size for name in ("run.json", STATUS))
    assert kept.state() == "failed"
    kept.work(lambda _: None)
    plain.work(lambda _: None)
    assert (kept.folder / "weights.safetensors").read_bytes() == (
        plain.folder / "weights.safetensors"
    ).read_bytes()


def test_a_training_needs_no_room_for_the_features_that_it_would_keep(tmp_path: Path) -> None:
    write_materials(tmp_path / "few.parquet", materials(12))
    model = ModelConfig(backbone="pretrained", targets=("electronic",), readout_width=16)
    asked = TrainConfig.for_backbone("pretrained", model=model, index_data="", epochs=1, device="cpu")
    run, cache = Run.create(asked, str(tmp_path / "few.parquet"), tmp_path / "run"), tmp_path / "disk"
    done = on_a_disk_of("40k", cache, engine("train", "--resume", run.folder), XDG_CACHE_HOME=str(cache))
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("not kept on disk") == 1
    assert run.state() == "finished"


def test_a_screening_on_a_disk_that_fills_keeps_its_parts_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    disk, kept = tmp_path / "disk", tmp_path / "kept"
    kept.mkdir()
    some = [material for material in load_dataset("petousis-2017") if material.natoms < 8][:160]
    write_materials(tmp_path / "some.parquet", some)
    words = ["screen", tmp_path / "some.parquet", "--out", disk / "all.parquet", "--model", "e3nn-scratch"]
    words += ["--target", "electronic", "--workers", "1"]
    done = on_a_disk_of("60k", disk, f"{engine(*words)}; echo status $?; cp -r '{disk}'/* '{kept}'")
    assert "status 1" in done.stdout
    assert "no room left" in done.stderr
    assert (kept / "all.parquet.parts").is_dir()
    words[3] = kept / "all.parquet"
    again = subprocess.run(
        [sys.executable, "-m", "engine", *map(str, words), "--resume"], cwd=ROOT, capture_output=True, text=True
    )
    assert "160 rows, 0 of them refused" in again.stderr


def test_a_home_that_cannot_be_written_to_stops_no_prediction_and_no_look_up(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("this is no folder")
    script = (
        "from engine import Predictor\nfrom engine.materials_project.store import MaterialStore\n"
        "from engine.hosting.logs import begin_logs\nfrom pymatgen.core import Structure\n"
        "assert begin_logs('streamlit') is None\nassert MaterialStore().get('mp-149') is None\n"
        f"print(Predictor.load().predict(Structure.from_file({str(RUTILE)!r})).n)\n"
    )
    home = {name: str(tmp_path / "home") for name in ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")}
    own = {name: value for name, value in os.environ.items() if not name.startswith("DIELECTRIC_")}
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=own | home, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert 2.5 < float(done.stdout.split()[-1]) < 3.0


def test_a_folder_of_runs_that_cannot_be_written_to_is_named_and_nothing_is_started(
    data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DIELECTRIC_RUNS", str(tmp_path / "file" / "runs"))
    for begin in (lambda: Run.start(config(), data), lambda: Screening.of_ids("mp-149", SCRATCH)):
        with pytest.raises(EngineError, match="this is not a folder"):
            begin()


@pytest.mark.parametrize("name", ["config.json", "weights.safetensors"])
@pytest.mark.parametrize("damage", ["gone", "cut", "empty"])
def test_a_damaged_model_is_named_on_the_page_and_by_the_library(tmp_path: Path, name: str, damage: str) -> None:
    folder = tmp_path / "model"
    shutil.copytree(MODELS_FOLDER / "e3nn-scratch", folder)
    path = folder / name
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 if damage == "cut" else 0])
    with pytest.raises(EngineError) as refused:
        Predictor.load(str(folder))
    assert str(folder) in str(refused.value)

    def page(folder: str) -> None:
        from engine import Predictor
        from pages.components.site import guarded

        guarded(lambda: Predictor.load(folder))

    shown = AppTest.from_function(page, args=(str(folder),), default_timeout=60).run()
    assert [error.value for error in shown.error] == [str(refused.value)]


def test_what_a_page_cannot_do_for_want_of_room_is_a_sentence() -> None:
    def page() -> None:
        from pages.components.site import guarded

        def full() -> None:
            with open("/dev/full", "wb", buffering=0) as file:
                file.write(b"x")

        guarded(full)

    shown = AppTest.from_function(page).run()
    assert [error.value for error in shown.error] == [SENTENCE]


def test_runs_and_screenings_that_a_disk_has_damaged_hide_no_others(data: str, runs: Path) -> None:
    good, bad = Run.create(config(epochs=1), data), Run.create(config(), data)
    (bad.folder / "run.json").write_text("{")
    screening, broken = Screening.of_ids("mp-149", SCRATCH), Screening.of_ids("mp-149", SCRATCH)
    (broken.folder / ASKED).write_text('{"title": 1}')
    assert Run.all() == [good]
    assert Screening.all() == [screening]
    (good.folder / STATUS).write_text("nonsense")
    assert good.state() == "failed"
    assert "is damaged" in (good.error() or "")
    assert good.work(lambda _: None) == "finished"


def test_a_data_set_that_is_cut_short_is_left_out_of_every_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIELECTRIC_DATA", str(tmp_path))
    whole = (DATA_FOLDER / "petousis-2017.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(EngineError, match="must be a Parquet file"):
        load_dataset(str(tmp_path / "cut.parquet"))
    for name in ("look_up", "explore", "screen", "train"):
        page = AppTest.from_file(str(ROOT / "pages" / f"{name}.py"), default_timeout=120).run()
        assert not page.exception
        assert not page.error


def test_a_clock_that_jumps_neither_stops_nor_frees_a_job(data: str, tmp_path: Path) -> None:
    run = Run.create(config(epochs=2), data)
    run.work(lambda _: None)
    spent.begin(run.folder)
    begun = spent.seconds(run.folder)
    for years in (-30, 30):
        then = time.time() + years * 365 * 86_400
        os.utime(run.folder / "run.json", (then, then))
        assert Run.all() == [run]
    kept = json.loads((run.folder / spent.SPENT).read_text())
    (run.folder / spent.SPENT).write_text(json.dumps(kept | {"begun": time.time() + 1e9}))
    assert 0 <= spent.seconds(run.folder) <= begun + 1e9
    assert run.seconds_left() == 0


def test_a_material_that_was_fetched_in_the_future_was_fetched_just_now() -> None:
    from pages.components.material.live import _ago

    assert _ago((datetime.now(UTC) + timedelta(days=400)).isoformat()) == "just now"


def test_two_servers_on_one_folder_never_train_one_run_twice(data: str) -> None:
    run = Run.create(config(epochs=300), data)
    script = f"from engine import Run\nRun.open({str(run.folder)!r}).resume()"
    servers = [
        subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [server.communicate()[1] for server in servers]
    assert sorted(server.returncode for server in servers) == [0, 1]
    assert "is being trained already" in "".join(said)
    run.stop()
    wait_until(lambda: run.state() == "stopped")


@pytest.fixture
def training(data: str) -> Iterator[Run]:
    run = Run.create(config(epochs=10_000), data)
    yield run
    if run.state() in ("starting", "running", "stopping"):
        run.stop()
        wait_until(lambda: run.state() not in ("starting", "running", "stopping"))


def test_a_training_that_is_killed_again_and_again_loses_no_epoch_that_was_there(training: Run) -> None:
    seen = 0
    for number in range(4):
        training.resume()
        wait_until(lambda least=seen: len(training.history()) > least)
        time.sleep(0.013 * number)
        os.kill(json.loads((training.folder / STATUS).read_text())["pid"], signal.SIGKILL)
        wait_until(lambda: training.state() == "failed")
        assert "ended without a word" in (training.error() or "")
        epochs = [result.epoch for result in read_history(training.folder)]
        assert epochs == list(range(1, len(epochs) + 1))
        assert len(epochs) > seen
        seen = len(epochs)
    training.resume()
    assert not list(training.folder.glob("*.part"))


def test_a_store_that_is_full_says_so_and_loses_nothing(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    script = (
        "from dataclasses import replace\nfrom pathlib import Path\nfrom engine import EngineError, load_dataset\n"
        "from engine.crystals.material import Fetched\nfrom engine.materials_project.store import MaterialStore\n"
        f"store = MaterialStore(Path({str(disk / 'store.sqlite')!r}))\n"
        "fetched = Fetched(db_version='1', date='2026-01-01T00:00:00+00:00', route='', task_id='', rejected='',"
        " residual=0.0, verifiable=True, energy_above_hull=0.0, theoretical=False)\n"
        "some = [replace(one, fetched=fetched) for one in load_dataset('petousis-2017')]\n"
        "store.put(some[:1])\n"
        "try:\n    store.put(some)\nexcept EngineError as error:\n    print(error)\n"
        "print(len(store.get_many([one.material_id for one in some])))\n"
    )
    (tmp_path / "fill.py").write_text(script)
    done = on_a_disk_of("100k", disk, f"PYTHONPATH=. '{sys.executable}' '{tmp_path / 'fill.py'}'")
    assert done.returncode == 0, done.stderr
    assert "fetched materials cannot be kept" in done.stdout
    assert done.stdout.split()[-1] == "1"


def test_a_log_of_a_job_that_cannot_be_read_is_no_error_of_the_page(data: str) -> None:
    run = Run.create(config(), data)
    (run.folder / LOG).write_bytes(b"\xff\xfe\x00")
    (run.folder / STATUS).write_text('{"state": "running", "pid": 1}')
    assert run.state() == "failed"
    assert run.error()
