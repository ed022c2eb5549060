"""Damaged files and impossible crystals by the ten thousand: reader, archives, tables, graph builder, predictor.

    python -m benchmarks.fuzz --minutes 60

Each input follows from seed, stage and number, and counts once: a later call goes on where the last one stopped.
What must hold is in tests/hostile/promises.py. results/fuzz.json has the counts, artifacts/fuzz/ every input that
broke a promise. The work is done by a process of its own; should it die or hang, that is a broken promise as well.
"""

import argparse
import json
import os
import random
import re
import resource
import subprocess
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any

from benchmarks.measure import RESULTS
from engine.evaluation.provenance import code_version, machine
from engine.files import ROOT, write_text
from tests.hostile.promises import MEMORY, SECONDS

FILE, FOLDER = RESULTS / "fuzz.json", ROOT / "artifacts" / "fuzz"
CURRENT = FOLDER / "current.json"  # what is tried now
HANGS = 90.0  # s without a new input
SAVE = 5.0  # s between two writings of the results
MOST_KINDS = 60  # of refusals that are listed
SEED = 17
ROOM = 10 * 1024**3  # bytes of address space


@dataclass
class Tally:
    """What came of the inputs of one stage."""

    tries: int = 0
    answered: int = 0
    refused: int = 0
    crashes: int = 0
    broken: int = 0
    late_once: int = 0  # over the limits, and when tried again not
    seconds: float = 0.0
    worst_seconds: float = 0.0
    worst_number: int = 0
    peak_mib_here: float = 0.0
    peak_mib_reader: float = 0.0
    refusals: dict[str, int] = field(default_factory=dict)
    found: list[dict[str, Any]] = field(default_factory=list)


def main() -> None:
    """Try inputs for some minutes."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--minutes", type=float, default=1.0)
    options.add_argument("--seed", type=int, default=SEED)
    options.add_argument("--stages", default=",".join(SHARES), help="some of them, with commas between")
    options.add_argument("--again", default="", metavar="STAGE:NUMBER", help="try one input, and say what comes")
    options.add_argument("--found", action="store_true", help="try all again that broke a promise, and note it")
    options.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    asked = options.parse_args()
    warnings.simplefilter("ignore")
    if asked.found:
        _found_again(asked.seed)
    elif asked.again:
        stage, number = asked.again.split(":")
        print(_tried(stage, int(number), asked.seed, Tally()))
    elif asked.work:
        _work(asked.minutes, asked.seed, asked.stages.split(","))
    else:
        _supervise(asked.minutes, sys.argv[1:])


def _found_again(seed: int) -> None:
    """What becomes of each input that broke a promise, by the code as it is now."""
    tallies = _read()
    for stage, tally in tallies.items():
        for one in tally.found:
            try:
                reasons = _tried(stage, one["number"], seed, Tally())
                one["now"] = f"refused: {reasons[0]}" if reasons else "answered"
            except Exception as error:
                one["now"] = f"{type(error).__name__}: {str(error)[:300]}"
    _write(tallies, seed)


def _supervise(minutes: float, arguments: list[str]) -> None:
    """Have a process do the work; where it dies or hangs, write down what it was at, and have another go on."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + 60 * minutes
    while (left := end - time.monotonic()) > 1:
        command = [sys.executable, "-m", "benchmarks.fuzz", *arguments, "--minutes", f"{left / 60:.4f}", "--work"]
        CURRENT.unlink(missing_ok=True)
        worker = subprocess.Popen(command, cwd=ROOT)
        why = _watch(worker, end)
        if why and CURRENT.is_file():
            _lost(why, json.loads(CURRENT.read_text()))
        elif why:
            sys.exit(f"the process could not begin: {why}")


def _watch(worker: subprocess.Popen, end: float) -> str:
    """Why the process ended that did the work; empty where it had done it."""
    while worker.poll() is None:
        time.sleep(1)
        with suppress(OSError):
            if time.time() - CURRENT.stat().st_mtime > HANGS and time.monotonic() < end:
                worker.kill()
                worker.wait()
                return f"no answer within {HANGS:.0f} s"
    return "" if worker.returncode == 0 else f"the process ended with {worker.returncode}"


def _lost(why: str, current: dict[str, Any]) -> None:
    tallies = _read()
    tally = tallies[current["stage"]]
    tally.tries = current["number"] + 1
    tally.crashes += 1
    tally.found.append({"number": current["number"], "what": why})
    (FOLDER / f"{current['stage']}-{current['number']}.json").write_text(json.dumps(current))
    _write(tallies, current["seed"])


def _read() -> dict[str, Tally]:
    known = json.loads(FILE.read_text())["stages"] if FILE.is_file() else {}
    return {stage: Tally(**known.get(stage, {})) for stage in SHARES}


def _write(tallies: dict[str, Tally], seed: int, minutes: float = 0.0) -> None:
    stages = {name: vars(tally) | {"refusals": _most(tally.refusals)} for name, tally in tallies.items()}
    before = json.loads(FILE.read_text())["minutes"] if FILE.is_file() else 0.0
    about = {"seed": seed, "minutes": before + minutes, **_made_by(), "date": date.today().isoformat()}
    about |= {"limits": {"seconds": SECONDS, "mib": MEMORY}}
    write_text(FILE, json.dumps(about | {"stages": stages}, indent=1, ensure_ascii=False) + "\n")


@cache
def _made_by() -> dict[str, str]:
    return {"code": code_version(), "machine": machine()}


def _most(refusals: dict[str, int]) -> dict[str, int]:
    return dict(sorted(refusals.items(), key=lambda one: -one[1])[:MOST_KINDS])


def _work(minutes: float, seed: int, wanted: list[str]) -> None:
    """Try inputs of each stage in turn, by their share of the time."""
    resource.setrlimit(resource.RLIMIT_AS, (ROOM, ROOM))  # so that greed is an error, and not the machine's end
    end = time.monotonic() + 60 * minutes
    for stage in wanted:  # what is imported and loaded once is no answer's time
        with suppress(Exception):
            _stages()[stage](random.Random(stage))  # noqa: S311  # no secret
    tallies, saved = _read(), time.monotonic()
    while time.monotonic() < end:
        stage = min(wanted, key=lambda one: tallies[one].seconds / SHARES[one])
        tally = tallies[stage]
        number, tally.tries = tally.tries, tally.tries + 1
        CURRENT.write_text(json.dumps({"seed": seed, "stage": stage, "number": number}))
        try:
            _count(tally, _tried(stage, number, seed, tally))
        except Late as late:
            _once_more(late, stage, number, seed, tally)
        except Exception as error:
            broken = isinstance(error, AssertionError)
            tally.broken, tally.crashes = tally.broken + broken, tally.crashes + (not broken)
            what = f"{type(error).__name__}: {str(error)[:300]}"
            tally.found.append({"number": number, "what": what})
            saved_as = FOLDER / f"{stage}-{number}.txt"
            saved_as.write_text(f"{what}\n\n{traceback.format_exc()}\n", errors="backslashreplace")
        if (since := time.monotonic() - saved) > SAVE:
            _write(tallies, seed, since / 60)
            saved = time.monotonic()
    _write(tallies, seed, (time.monotonic() - saved) / 60)


def _once_more(late: "Late", stage: str, number: int, seed: int, tally: Tally) -> None:
    """Whether an input is late again: the machine may have been busy with something else."""
    try:
        _count(tally, _tried(stage, number, seed, tally))
        tally.late_once += 1
    except Late as again:
        tally.broken += 1
        tally.found.append({"number": number, "what": f"{late}, then {again}"})
        if again.seconds > tally.worst_seconds:
            tally.worst_seconds, tally.worst_number = again.seconds, number


class Late(AssertionError):
    """The answer took longer, or more memory, than promised."""

    def __init__(self, seconds: float, here: float, reader: float) -> None:
        super().__init__(f"{seconds:.1f} s, {here:.0f} and {reader:.0f} MiB")
        self.seconds = seconds


def _tried(stage: str, number: int, seed: int, tally: Tally) -> list[str]:
    """Reasons of refusals; none where the input was answered. Raises what the input brings about."""
    from tests.hostile.usage import watched

    rng = random.Random(f"{seed}:{stage}:{number}")  # noqa: S311  # no secret
    try:
        with watched() as usage:
            reasons, make_sure = _stages()[stage](rng)
        make_sure()
        return reasons
    finally:
        tally.seconds += usage.seconds
        tally.peak_mib_here = max(tally.peak_mib_here, usage.here)
        tally.peak_mib_reader = max(tally.peak_mib_reader, usage.reader)
        if tally.worst_seconds < usage.seconds <= SECONDS:
            tally.worst_seconds, tally.worst_number = usage.seconds, number
        within = usage.seconds <= SECONDS and max(usage.reader, usage.here) <= MEMORY
        if not within and sys.exc_info()[0] is None:
            raise Late(usage.seconds, usage.here, usage.reader)


def _count(tally: Tally, reasons: list[str]) -> None:
    tally.refused += bool(reasons)
    tally.answered += not reasons
    for reason in reasons:
        kind = re.sub(r"\d[\d.,e+-]*", "0", reason.split(": ", 1)[-1])[:80]
        tally.refusals[kind] = tally.refusals.get(kind, 0) + 1


@cache
def _stages() -> dict[str, Callable[[random.Random], tuple[list[str], Callable[[], None]]]]:
    from tests.hostile import stages

    return {name: getattr(stages, name) for name in SHARES}


SHARES = {"reader": 5.0, "archives": 1.0, "table": 1.0, "graph": 2.0, "predictor": 3.0}  # of the time


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
