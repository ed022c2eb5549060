"""A screening from an input to one Parquet file, which can be stopped and gone on with at any moment."""

import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from engine.cluster import SchedulerLost, connected
from engine.errors import EngineError, check
from engine.files import write_text
from engine.limits import granted
from engine.processes import locked
from engine.screening.parts import Part, Settings
from engine.screening.plan import PLAN, Plan, make_plan, read_plan
from engine.screening.rows import SCHEMA
from engine.screening.task import Done, part_path, what_is_done
from engine.screening.workers import default_workers, do_parts, resources
from engine.usage import charge

PROGRESS, ABOUT = "progress.json", b"screening"
ANSWERS = "engine.screening.answers"  # what takes long to import, once for all processes
GROUP = 4096  # rows of a group of the result
PATIENCE = 600.0  # s in which a scheduler may come back
PATIENCE_OF_LOCK = 1.0  # s, longer than anyone looks whether it is held
PAUSE = 2.0  # s between two attempts to reach it
State = Literal["reading", "running", "waiting", "finished", "stopped"]


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a screening is.

    Attributes:
        state: "reading" while the input is taken stock of, "waiting" for a scheduler that does not answer.
        structures: in the input; files, where each may hold several.
        done: of these.
        rows, refused: answered so far, and those among them without an answer.
        rate: structures a second, since the first part of this process was done.
        seconds_left: None before the second part.
    """

    state: State
    structures: int = 0
    done: int = 0
    rows: int = 0
    refused: int = 0
    rate: float = 0.0
    seconds_left: float | None = None


Show = Callable[[Progress], None]


def folder_of(out: Path) -> Path:
    """Where a screening keeps what is done until all is, beside its result."""
    return out.with_name(f"{out.name}.parts")


def screen(
    source: str,
    out: Path,
    settings: Settings,
    *,
    resume: bool = False,
    scheduler: str = "",
    workers: int | None = None,
    show: Show = lambda _: None,
) -> Progress:
    """Predict every structure of an input and write them to `out`, see rows.py; a refused one has its reason.

    Args:
        source: see `Stock.parts`.
        resume: go on with what an earlier call, stopped or killed, has left in `folder_of(out)`; where there is
            nothing, begin.
        scheduler: address of Dask's; empty for processes of this machine. Its processes must see input and result
            under the same paths.
        workers: processes of this machine; by default one a core, or one on a GPU.
        show: called with the progress after each part.

    Raises:
        EngineError: there is no such input or model, the result is there already, or an earlier screening to it is
            not to be gone on with.
        OSError: the input cannot be read, or the rows cannot be written.
    """
    out, folder = out.resolve(), folder_of(out.resolve())
    check(out.suffix == ".parquet", f"{out}: the result must be called FILE.parquet")
    check(out.parent.is_dir(), f"{out.parent}: no such folder")
    check(workers is None or workers >= 1, f"workers must be at least 1, got {workers}")
    if resume and out.is_file():
        found = outcome(out)
        shutil.rmtree(folder, ignore_errors=True)  # of a process that was killed after its last act but this
        return found
    check(not out.exists(), f"{out} is there already; choose another name, or delete it")
    begun = (folder / PLAN).is_file()
    check(resume or not begun, f"{folder} holds a screening that was stopped: go on with --resume, or delete it")
    folder.mkdir(exist_ok=True)
    workers = workers or default_workers(settings.device)
    with locked(folder, PATIENCE_OF_LOCK), _nothing_left(folder), _told(folder, show) as tell:
        tell(Progress(state="reading"))
        plan = read_plan(folder, source, settings) if begun else make_plan(source, settings, folder, workers)
        if not begun:
            _count(plan.structures)
        tally = _Tally(plan)
        todo = [part for part in plan.parts for part in _left(folder, part, tally)]
        tell(tally.progress("running"))
        for done in _all_done(todo, plan.settings, folder, scheduler, workers):
            if done is not None:
                part, answered = done
                _count(answered.rows - part.count)  # of files that hold several
                tally.add(part, answered)
            tell(tally.progress("waiting" if done is None else "running"))
        found = tally.progress("finished")
        _join(folder, plan, out, found)
        tell(found)
    shutil.rmtree(folder)
    return found


def _count(structures: int) -> None:
    """Count structures for the visitor who asked; raises EngineError where they are more than a day's."""
    grant = granted()
    if grant.usage and structures > 0:
        charge(Path(grant.usage), grant.visitor, structures, grant.structures)


class _Tally:
    """Counts what is done."""

    def __init__(self, plan: Plan) -> None:
        self._structures = plan.structures
        self._done = self._rows = self._refused = self._before = 0
        self._first: tuple[float, int] | None = None  # when a part was first done here, and of how many structures

    def add(self, part: Part, done: Done, before: bool = False) -> None:
        """Count a part, which may have been done by an earlier process."""
        self._done += part.count
        self._rows += done.rows
        self._refused += done.refused
        self._before += part.count if before else 0
        if not before and self._first is None:
            self._first = time.monotonic(), part.count

    def progress(self, state: State) -> Progress:
        """What it has come to."""
        since, count = self._first or (0.0, 0)
        fresh = self._done - self._before - count
        rate = fresh / (time.monotonic() - since) if fresh else 0.0
        return Progress(
            state=state,
            structures=self._structures,
            done=self._done,
            rows=self._rows,
            refused=self._refused,
            rate=rate,
            seconds_left=(self._structures - self._done) / rate if rate else None,
        )


@contextmanager
def _nothing_left(folder: Path) -> Iterator[None]:
    """Where a screening ends with a reason before any part is done, nothing of it stands in the next one's way."""
    try:
        yield
    except EngineError:
        if not any(folder.glob("part-*.parquet")):
            shutil.rmtree(folder)
        raise


@contextmanager
def _told(folder: Path, show: Show) -> Iterator[Show]:
    """Progress that goes to `show` and to a file; whatever ends the work but its end is said there."""
    last = Progress(state="reading")

    def tell(progress: Progress) -> None:
        nonlocal last
        last = progress
        write_text(folder / PROGRESS, json.dumps(asdict(progress)))
        show(progress)

    try:
        yield tell
    except BaseException:
        write_text(folder / PROGRESS, json.dumps(asdict(last) | {"state": "stopped"}))
        raise


def _left(folder: Path, part: Part, tally: _Tally) -> Iterator[Part]:
    """What of a part has not been done, it or halves of it; what has is counted."""
    done = what_is_done(folder, part)
    if done is not None:
        tally.add(part, done, before=True)
    elif list(folder.glob(f"part-{part.name}?*.parquet")):
        for half in part.halves():
            yield from _left(folder, half, tally)
    else:
        yield part


def _all_done(
    parts: Sequence[Part], settings: Settings, folder: Path, scheduler: str, workers: int
) -> Iterator[tuple[Part, Done] | None]:
    """`do_parts`, by another connection where one is lost: None while there is none."""
    left = {part.name: part for part in parts}
    give_up = time.monotonic() + (PATIENCE if scheduler else 0)
    while left:
        try:
            with connected(scheduler, min(workers, len(left)), resources(settings.device), ANSWERS) as client:
                for part, done in do_parts(client, list(left.values()), settings, folder):
                    _take_out(part, left)
                    give_up = time.monotonic() + PATIENCE
                    yield part, done
        except SchedulerLost as error:
            if time.monotonic() > give_up or not scheduler:
                raise EngineError(f"{error}; what is done is kept: go on with --resume") from error
            yield None
            time.sleep(PAUSE)


def _take_out(part: Part, left: dict[str, Part]) -> None:
    """Take a part that is done out of those that are left; of a half, the other is left."""
    if part.name in left:
        del left[part.name]
        return
    whole = next(part.name[:length] for length in range(len(part.name)) if part.name[:length] in left)
    left |= {half.name: half for half in left.pop(whole).halves()}
    _take_out(part, left)


def _rows_of(folder: Path, part: Part) -> Iterator[pa.Table]:
    if part_path(folder, part).is_file():
        yield pq.read_table(part_path(folder, part))
    else:
        for half in part.halves():
            yield from _rows_of(folder, half)


def _join(folder: Path, plan: Plan, out: Path, found: Progress) -> None:
    """Write the rows of all parts to `out`, which appears whole."""
    about = {**asdict(found), "source": plan.source, "settings": asdict(plan.settings)}
    schema = SCHEMA.with_metadata({ABOUT: json.dumps(about).encode()})
    unfinished = folder / out.name
    with pq.ParquetWriter(unfinished, schema, compression="zstd") as writer:
        group: list[pa.Table] = []
        for part in plan.parts:
            for rows in _rows_of(folder, part):
                group.append(rows)
            if sum(map(len, group)) >= GROUP:
                writer.write_table(pa.concat_tables(group).cast(schema))
                group = []
        if group:
            writer.write_table(pa.concat_tables(group).cast(schema))
    unfinished.replace(out)


def outcome(out: Path) -> Progress:
    """What a finished screening came to; raises EngineError for a file that is no result of one."""
    told = (pq.read_schema(out).metadata or {}).get(ABOUT)
    if told is None:
        raise EngineError(f"{out}: is no result of a screening; choose another name")
    about = json.loads(told)
    return Progress(**{name: about[name] for name in Progress.__dataclass_fields__})
