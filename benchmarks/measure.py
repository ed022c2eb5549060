"""What every benchmark needs: a clock, a table and a JSON file that says which machine it was."""

import json
import statistics
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import torch

from engine.evaluation.provenance import code_version, machine

RESULTS = Path(__file__).resolve().parent / "results"


def median_seconds(jobs: dict[Any, Callable[[], Any]], repeats: int) -> dict[Any, float]:
    """Median time of each job; the jobs take turns, so that a busy moment hits them all."""
    times: dict[Any, list[float]] = {name: [] for name in jobs}
    for job in jobs.values():
        job()  # first calls load and compile
    for _ in range(repeats):
        for name, job in jobs.items():
            start = time.perf_counter()
            job()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def report(name: str, columns: tuple[str, ...], rows: list[tuple], **facts: Any) -> None:
    """Print the rows as a table and write them, code, day, machine and other facts to results/<name>.json."""
    cells = [columns, *((f"{x:,.4g}" if isinstance(x, float) else f"{x}" for x in row) for row in rows)]
    cells = [tuple(row) for row in cells]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    facts |= {"threads": torch.get_num_threads()}
    print(f"{name}: " + ", ".join(f"{k} {v}" for k, v in facts.items()) + f", {machine()}")
    for row in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    RESULTS.mkdir(exist_ok=True)
    made = {"code": code_version(), "date": date.today().isoformat(), "machine": machine()}
    content = {**facts, **made, "rows": [dict(zip(columns, row, strict=True)) for row in rows]}
    (RESULTS / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n")
