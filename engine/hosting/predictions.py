"""Predictions of a server, in processes that keep their models until what they do is stopped."""

import math
import tempfile
import time
from concurrent.futures import Future
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import uuid4
from weakref import WeakKeyDictionary

from pymatgen.core import Structure

from engine.crystals.material import Material
from engine.errors import EngineError
from engine.hosting import pool
from engine.hosting.logs import event
from engine.hosting.metrics import PREDICTIONS, QUEUE, SECONDS
from engine.hosting.pool import Pool
from engine.limits import in_force
from engine.prediction.prediction import Prediction
from engine.prediction.predictor import Predictor
from engine.runs.job import usage_file
from engine.usage import charge

MOST = 2  # processes, whatever the limit
Asked = Future[tuple[Prediction, float]]  # and the seconds that it took
POOL = Pool(lambda: int(min(in_force().predictions_at_once, MOST)))
_notes: WeakKeyDictionary[Asked, Path] = WeakKeyDictionary()  # files in which a process says how far it is
_warmed: set[tuple[str | None, float, int]] = set()


def ask(visitor: str, model: str | None, changed: float, crystal: Structure | Material, **options: Any) -> Asked:
    """Have a crystal predicted; `outcome` says what came of it, and its `cancel` stops the work.

    Args:
        visitor: for whom it is counted.
        model, changed: name or run folder, and when that was written last.
        options: of `Predictor.predict`.

    Raises:
        EngineError: the visitor has had all structures of the day.
    """
    most = in_force().structures_a_day
    if math.isfinite(most):
        charge(usage_file(), visitor, 1, most)
    note = Path(tempfile.gettempdir()) / f"dielectric-{uuid4().hex}"
    asked: Asked = POOL.schedule(_predict, model, changed, crystal, options, note)
    _notes[asked] = note
    QUEUE.inc()
    asked.add_done_callback(_count)
    return asked


def share_done(asked: Asked) -> float:
    """How much of it is done, from 0 to 1, as far as its process has noted."""
    if asked.done():
        return 1.0
    with suppress(OSError, ValueError, KeyError):  # before the first step, there is no note
        return float(_notes[asked].read_text())
    return 0.0


def outcome(asked: Asked) -> Prediction | EngineError:
    """The answer to what was asked for, or why there is none; waits for it."""
    try:
        prediction: Prediction = pool.outcome(asked, "predicted this crystal")[0]
    except EngineError as error:
        return error
    return prediction


def warm_up(model: str | None, changed: float) -> None:
    """Have a process load a model, once, while a visitor still chooses a file."""
    if (model, changed, POOL.begun) not in _warmed:
        POOL.schedule(_load, model, changed)
        _warmed.add((model, changed, POOL.begun))


@lru_cache(maxsize=3)
def _predictor(model: str | None, changed: float) -> Predictor:
    return Predictor.load(model)


def _load(model: str | None, changed: float) -> None:
    _predictor(model, changed)


def _predict(
    model: str | None, changed: float, crystal: Structure | Material, options: dict[str, Any], note: Path
) -> tuple[Prediction, float]:
    def steps(done: int, total: int) -> None:
        with suppress(OSError):
            note.write_text(f"{done / total:.3f}")

    since = time.monotonic()
    answer = _predictor(model, changed).predict(crystal, **options, steps=steps, also_by_pbesol=True)
    return answer, time.monotonic() - since


def _count(asked: Asked) -> None:
    QUEUE.dec()
    _notes[asked].unlink(missing_ok=True)
    if asked.cancelled() or asked.exception():
        event("not predicted", reason=str(outcome(asked)))
        return
    PREDICTIONS.inc()
    SECONDS.observe(asked.result()[1])
    event("predicted", seconds=round(asked.result()[1], 3))
