"""Trainings, screenings and fetches killed with SIGKILL at any moment: what is damaged, what is lost.

python -m benchmarks.kills [--kills N] [--only training,screening,fetching]

Each job is started by the command line, killed after a random time, looked at and gone on with, from its first
second to its end and, where it ends sooner, once more from the beginning.
"""

import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.measure import report
from engine import EngineError, Run, load_dataset
from engine.data.parquet import read_materials, write_materials
from engine.files import read_tensors
from engine.materials_project.client import ENDPOINT_VARIABLE, KEY_VARIABLE
from engine.materials_project.store import MaterialStore
from engine.runs.folder import read_history
from engine.screening.screening import folder_of
from tests import materials_project_server as loopback
from tests.engine.small import config, materials

PATIENCE = 600.0  # s, for a job that is not killed
EPOCHS, CRYSTALS, FETCHED = 400, 400, 1500


@dataclass
class Tally:
    """What came of the kills of one kind of job."""

    kills: int = 0
    ended: int = 0  # jobs that came to their end
    corrupt: int = 0  # files that cannot be read
    lost: int = 0  # epochs, rows, materials that were there before a kill and not after it
    doubled: int = 0
    notes: list[str] = field(default_factory=list)


def main() -> None:
    """Kill all kinds of jobs, print one table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kills", type=int, default=200)
    options.add_argument("--only", default="training,screening,fetching")
    asked = options.parse_args()
    kinds = {"training": trainings, "screening": screenings, "fetching": fetches}
    columns = ("job", "kills", "jobs ended", "corrupt files", "lost", "doubled", "seconds")
    rows: list[tuple] = []
    for name in asked.only.split(","):
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            tally = kinds[name](Path(folder), asked.kills)
        seconds = time.monotonic() - started
        rows.append((name, tally.kills, tally.ended, tally.corrupt, tally.lost, tally.doubled, round(seconds)))
        print(rows[-1], *tally.notes, flush=True)
    report("kills", columns, rows)


def killed_until_ended(
    command: Sequence[str | Path],
    tally: Tally,
    most: int,
    rng: np.random.Generator,
    longest: float,
    look: Callable[[bool], None],
    **variables: str,
) -> None:
    """Call a command until it ends by itself, killed up to `most` times in all, each time after up to `longest` s.

    Args:
        look: called before (False) and after (True) each kill.
    """
    while True:
        run = subprocess.Popen(
            [sys.executable, "-m", "engine", *map(str, command)],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=os.environ | variables,
        )  # fmt: skip
        try:
            _, said = run.communicate(timeout=rng.uniform(0.3, longest) if tally.kills < most else PATIENCE)
        except subprocess.TimeoutExpired:
            look(False)
            run.kill()
            run.communicate()
            tally.kills += 1
            look(True)
            continue
        if run.returncode:
            tally.notes.append(said.strip().splitlines()[-1] if said.strip() else "ended without a word")
            raise SystemExit(f"a job failed: {tally.notes[-1]}")
        tally.ended += 1
        return


def damaged(folder: Path) -> int:
    """Files below a folder that cannot be read as what their names say, half-written ones apart."""
    found = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            try:
                if path.suffix == ".json":
                    json.loads(path.read_text())
                elif path.suffix == ".jsonl":
                    [json.loads(line) for line in path.read_text().splitlines()]
                elif path.suffix == ".safetensors":
                    read_tensors(path)
                elif path.suffix == ".parquet" and path.is_file():
                    pq.read_table(path)
                elif path.suffix == ".sqlite":
                    with closing(sqlite3.connect(path)) as connection:
                        found += connection.execute("PRAGMA integrity_check").fetchone()[0] != "ok"
            except (ValueError, EngineError, pa.ArrowException, sqlite3.DatabaseError):
                found += 1
    return found


def trainings(folder: Path, most: int) -> Tally:
    """A small network from scratch, `EPOCHS` epochs."""
    tally, rng = Tally(), np.random.default_rng(1)
    write_materials(folder / "small.parquet", materials())
    while tally.kills < most:
        run = Run.create(config(epochs=EPOCHS), str(folder / "small.parquet"), folder / f"run-{tally.ended}")
        seen = 0

        def look(after: bool, run: Run = run) -> None:
            nonlocal seen
            epochs = [result.epoch for result in read_history(run.folder)]
            if after:
                tally.lost += max(0, seen - len(epochs))
                tally.doubled += len(epochs) - len(set(epochs))
                tally.corrupt += damaged(run.folder)
            seen = len(epochs)

        killed_until_ended(["train", "--resume", run.folder], tally, most, rng, 9.0, look)
        epochs = [result.epoch for result in run.history()]
        tally.lost += len(set(range(1, EPOCHS + 1)) - set(epochs))
    return tally


def screenings(folder: Path, most: int) -> Tally:
    """Small crystals by the convolution network, electronic part, one worker."""
    tally, rng = Tally(), np.random.default_rng(2)
    small = [material for material in load_dataset("petousis-2017") if material.natoms <= 12][:CRYSTALS]
    write_materials(folder / "some.parquet", small)
    out = folder / "all.parquet"
    command = ["screen", folder / "some.parquet", "--out", out, "--resume", "--workers", "1", "--device", "cpu"]
    command += ["--model", "e3nn-scratch", "--target", "electronic"]
    while tally.kills < most:
        before: set[str] = set()

        def look(after: bool) -> None:
            nonlocal before
            parts = {path.name for path in folder_of(out).glob("part-*.parquet")}
            if after:
                tally.lost += len(before - parts) if not out.exists() else 0
                tally.corrupt += damaged(folder_of(out))
            before = parts

        killed_until_ended(command, tally, most, rng, 16.0, look)
        rows = Counter(pq.read_table(out, columns=["source"])["source"].to_pylist())
        tally.lost += len(small) - len(rows)
        tally.doubled += sum(count > 1 for count in rows.values())
        out.unlink()
        shutil.rmtree(folder_of(out), ignore_errors=True)
    return tally


def fetches(folder: Path, most: int) -> Tally:
    """Materials of a server on this machine that speaks Materials Project's wire format."""
    tally, rng = Tally(), np.random.default_rng(3)
    documents, chance = loopback.Documents(), np.random.default_rng(4)
    few = [material for material in load_dataset("petousis-2017") if material.crystal_system == "monoclinic"][:2]
    for number in range(FETCHED):
        documents.add(few[number % 2], chance, material_id=f"mp-{5000 + number}", with_task=False)
    with loopback.running(documents) as server:
        while tally.kills < most:
            cache, out = folder / f"cache-{tally.ended}", folder / f"all-{tally.ended}.parquet"
            variables = {
                ENDPOINT_VARIABLE: server.address,
                KEY_VARIABLE: loopback.KEY,
                "XDG_CACHE_HOME": str(cache),
            }
            store = MaterialStore(cache / "dielectric-tensors" / "materials-project.sqlite")
            seen: set[str] = set()

            def look(after: bool, store: MaterialStore = store, cache: Path = cache) -> None:
                nonlocal seen
                known = store.known(loopback.DB_VERSION) if store.path.is_file() else set()
                if after:
                    tally.lost += len(seen - known)
                    tally.corrupt += damaged(cache) + len(list(cache.rglob("*.damaged")))
                seen = known

            command = ["fetch", "--all", "--out", out]
            killed_until_ended(command, tally, most, rng, 8.0, look, **variables)
            ids = [material.material_id for material in read_materials(out)]
            tally.lost += FETCHED - len(set(ids))
            tally.doubled += len(ids) - len(set(ids))
    return tally


if __name__ == "__main__":
    main()
