"""A key of Materials Project belongs to one visitor's session, or to the server: no job knows it."""

import os
from pathlib import Path

from engine import Run
from engine.data.parquet import write_materials
from engine.runs.screening_run import Screening
from engine.screening.parts import Settings
from tests.engine.hosting.test_logs import KEY
from tests.engine.runs.test_run import wait_until
from tests.engine.small import config, materials


def test_a_job_knows_no_key_and_leaves_none_behind_whether_it_ends_well_or_crashes(tmp_path, monkeypatch):
    monkeypatch.setenv("DIELECTRIC_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("MP_API_KEY", KEY)
    write_materials(tmp_path / "small.parquet", materials())
    run = Run.start(config(epochs=10_000), str(tmp_path / "small.parquet"))
    screening = Screening.of_files([("broken.cif", b"data_x")], Settings(model="no-such-model"))
    screening.begin("ada")
    wait_until(lambda: len(run.history()) >= 1)
    environment = Path(f"/proc/{run.told()['pid']}/environ").read_bytes()
    assert b"DIELECTRIC_RUNS" in environment
    run.stop()
    wait_until(lambda: run.state() == "stopped" and screening.state() == "failed")
    files = [path for path in (tmp_path / "runs").rglob("*") if path.is_file()]
    assert len(files) > 8
    assert all(KEY.encode() not in content for content in (environment, *(path.read_bytes() for path in files)))
    assert os.environ["MP_API_KEY"] == KEY
