"""Does a screening keep up, and lose nothing? Reading, workers, kills, and memory over many rows.

python -m benchmarks.screening [--rows N] [--kills N]
"""

import argparse
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.measure import report
from engine import Predictor, load_dataset
from engine.crystals.reader import read_each
from engine.errors import check
from engine.screening.parts import Settings
from engine.screening.plan import make_plan
from engine.screening.reading import items
from engine.screening.rows import row_of
from engine.screening.screening import folder_of, screen
from engine.screening.task import write_rows

DATA, MODEL = "petousis-2017", "e3nn-scratch"
FILES = 1000
SETTINGS = Settings(model=MODEL, method="direct", targets=("electronic",), device="cpu")
MEBIBYTE = 1024**2
LONGEST = 600.0  # s, between two kills


def main() -> None:
    """Measure all, print them as one table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--kills", type=int, default=50)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [
            (f"reading {FILES:,} CIF files, s", reading(folder)),
            *workers(folder),
            *kills(folder, asked.kills),
            *memory(folder, asked.rows),
        ]
    report("screening", ("what", "value"), rows, data=DATA, model=MODEL)


def reading(folder: Path) -> float:
    """Seconds to read as many CIF files as `FILES`, half of them with symmetry."""
    files = []
    for number, material in enumerate(load_dataset(DATA)[:FILES]):
        text = material.structure.to(fmt="cif", symprec=0.01 if number % 2 else None)
        files.append((f"{number}.cif", text.encode()))
    read_each(files[:1])  # starts the reader
    started = time.perf_counter()
    found = [answer for start in range(0, FILES, 64) for answer in read_each(files[start : start + 64])]
    seconds = time.perf_counter() - started
    refused = [one for one in found if isinstance(one, Exception)]
    check(not refused, f"{len(refused)} of {FILES} files were refused: {refused[:1]}")
    return seconds


def workers(folder: Path) -> list[tuple[str, float]]:
    """What a second worker brings, from the first part that is done to the last."""
    rates = {}
    for count in (1, 2, 1, 2):
        out, times = folder / f"workers-{time.monotonic_ns()}.parquet", []
        screen(
            DATA,
            out,
            SETTINGS,
            workers=count,
            show=lambda progress, t=times: t.append((time.monotonic(), progress.done)),
        )
        running = [(moment, done) for moment, done in times if done]
        (first, before), (last, after) = running[0], running[-2]
        rates.setdefault(count, []).append((after - before) / (last - first))
    one, two = (max(rates[count]) for count in (1, 2))
    return [
        ("crystals a second, one worker", one),
        ("crystals a second, two workers", two),
        ("two workers to one", two / one),
    ]


def kills(folder: Path, count: int) -> list[tuple[str, float]]:
    """Rows lost and doubled when workers and runs are killed at random moments, in turns."""
    rng, done = np.random.default_rng(0), 0
    expected = [f"{DATA}#{number}" for number in range(1, 1 + len(load_dataset(DATA)))]
    lost = doubled = runs = 0
    while done < count:
        out = folder / f"kills-{runs}.parquet"
        runs += 1
        done += _killed_until_finished(out, rng, count - done)
        found = Counter(pq.read_table(out, columns=["source"])["source"].to_pylist())
        lost += sum(name not in found for name in expected)
        doubled += sum(number > 1 for number in found.values())
    return [
        ("kills", float(done)),
        ("screenings", float(runs)),
        ("rows lost", float(lost)),
        ("rows doubled", float(doubled)),
    ]


def _killed_until_finished(out: Path, rng: np.random.Generator, most: int) -> int:
    """Run a screening to its end, killed up to `most` times; how often it was."""
    command = [sys.executable, "-m", "engine", "screen", DATA, "--out", str(out), "--resume", "--workers", "2"]
    command += ["--model", MODEL, "--target", "electronic", "--device", "cpu"]
    killed = 0
    while not out.exists():
        run = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        while run.poll() is None:
            try:
                run.wait(rng.uniform(1, 12) if killed < most else LONGEST)
            except subprocess.TimeoutExpired:
                at_work = _workers(run)
                victim = run.pid if killed % 2 or not at_work else at_work[rng.integers(len(at_work))].pid
                os.kill(victim, signal.SIGKILL)
                killed += 1
        run.wait()
    return killed


def _workers(run: subprocess.Popen) -> list[psutil.Process]:
    """Children of the process that forks workers, once there is one."""
    children = psutil.Process(run.pid).children()
    servers = [one for one in children if "forkserver" in " ".join(one.cmdline())]
    return [worker for server in servers for worker in server.children()]


def memory(folder: Path, count: int) -> list[tuple[str, float]]:
    """Memory of reading, writing, resuming and joining many rows in one process; the network answers one."""
    source = folder / "many.parquet"
    _write_many(source, count)
    (answer,) = Predictor.load(MODEL, "cpu").predict_many([load_dataset(DATA)[0]], targets=["electronic"])
    out = folder / "rows.parquet"
    parts = folder_of(out)
    plan = make_plan(str(source), SETTINGS, parts, 2)
    started, peaks = time.perf_counter(), []
    for number, part in enumerate(plan.parts):
        rows = [
            row_of(
                item, item.crystal if isinstance(item.crystal, str) else replace(answer, structure=item.crystal)
            )
            for group in items(part)
            for item in group
        ]
        write_rows(parts, part, rows)
        if number in (len(plan.parts) // 20, len(plan.parts) - 1):
            peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MEBIBYTE)
    rate = count / (time.perf_counter() - started)
    started = time.perf_counter()
    found = screen(str(source), out, SETTINGS, resume=True, workers=1)
    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MEBIBYTE)
    seconds = time.perf_counter() - started
    sources = pq.read_table(out, columns=["source"])["source"]
    check(found.rows == count == len(sources.unique()), f"{len(sources.unique())} of {count} rows")
    shutil.rmtree(parts, ignore_errors=True)
    return [
        ("rows", float(count)),
        ("rows a second, read and written", rate),
        ("MiB after a twentieth", peaks[0]),
        ("MiB more after all", peaks[1] - peaks[0]),
        ("MiB more after resuming and joining", peaks[2] - peaks[0]),
        ("s to resume and join", seconds),
    ]


def _write_many(path: Path, count: int) -> None:
    """Perovskites of random size, in one group of rows, as other programs write them."""
    rng, size = np.random.default_rng(0), 10_000
    places = [0.0, 0, 0, 0.5, 0.5, 0.5, 0.5, 0.5, 0, 0.5, 0, 0.5, 0, 0.5, 0.5]
    schema = pa.schema(
        [
            ("cell", pa.list_(pa.float64())),
            ("atomic_numbers", pa.list_(pa.int16())),
            ("frac_coords", pa.list_(pa.float64())),
        ]
    )
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, count, size):
            sides = rng.uniform(3.8, 4.4, min(size, count - start))
            rows = [
                {
                    "cell": (a * np.eye(3)).ravel().tolist(),
                    "atomic_numbers": [56, 22, 8, 8, 8],
                    "frac_coords": places,
                }
                for a in sides
            ]
            writer.write_table(pa.Table.from_pylist(rows, schema))


if __name__ == "__main__":
    main()
