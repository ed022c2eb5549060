"""Predictions in processes of their own: the server answers others meanwhile, and what is stopped costs no time.

Two crystals are predicted at once, more wait. A process keeps its models until what it does is stopped.
"""

import math
import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from functools import cache, lru_cache
from typing import Any

from pebble import ProcessExpired, ProcessPool
from pymatgen.core import Structure

from engine.crystals.material import Material
from engine.errors import EngineError
from engine.hosting.logs import event
from engine.hosting.metrics import PREDICTIONS, QUEUE, SECONDS
from engine.limits import Grant, as_variable, granted, in_force
from engine.network.potential import keep_memory
from engine.prediction.prediction import Prediction
from engine.prediction.predictor import Predictor
from engine.runs.job import usage_file
from engine.usage import charge

MOST = 2  # processes, whatever the limit
BEHIND = 5  # niceness: pages come first, and trainings last
STOPPED = "stopped before it was answered"
Asked = Future[tuple[Prediction, float]]  # and the seconds that it took
_scheduling = threading.Lock()
_warmed: set[tuple[str | None, float]] = set()


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
    asked: Asked = _schedule(_predict, model, changed, crystal, options)
    QUEUE.inc()
    asked.add_done_callback(_count)
    return asked


def outcome(asked: Asked) -> Prediction | EngineError:
    """The answer to what was asked for, or why there is none; waits for it."""
    try:
        return asked.result()[0]
    except CancelledError:
        return EngineError(STOPPED)
    except EngineError as error:
        return error
    except ProcessExpired:
        return EngineError(
            "the process that predicted this crystal ended without an answer, perhaps for want of memory; ask "
            "again, or give a smaller cell"
        )


def is_final(asked: Asked) -> bool:
    """Whether the same question would get the same answer: not where it was stopped, or its process ended."""
    return not asked.done() or not (asked.cancelled() or isinstance(asked.exception(), ProcessExpired))


def warm_up(model: str | None, changed: float) -> None:
    """Have a process load a model, once, while a visitor still chooses a file."""
    if (model, changed) not in _warmed:
        _warmed.add((model, changed))
        _schedule(_load, model, changed)


def _schedule(function: Callable[..., Any], *arguments: Any) -> Future[Any]:
    with _scheduling:
        try:
            return _pool().schedule(function, args=arguments)
        except RuntimeError:  # one that was killed in the middle of a word has broken the pool
            _pool().stop()
            _pool.cache_clear()
            _warmed.clear()
            return _pool().schedule(function, args=arguments)


@cache
def _pool() -> ProcessPool:
    context = multiprocessing.get_context("forkserver")  # which imports torch once for all of them
    context.set_forkserver_preload([__name__])
    grant = granted()
    own = Grant(memory=grant.memory)
    count = int(min(in_force().predictions_at_once, MOST))
    return ProcessPool(max_workers=count, context=context, initializer=_begin, initargs=(as_variable(own),))


def _begin(variables: dict[str, str]) -> None:
    os.environ.update(variables)
    os.nice(BEHIND)
    keep_memory()


@lru_cache(maxsize=3)
def _predictor(model: str | None, changed: float) -> Predictor:
    return Predictor.load(model)


def _load(model: str | None, changed: float) -> None:
    _predictor(model, changed)


def _predict(
    model: str | None, changed: float, crystal: Structure | Material, options: dict[str, Any]
) -> tuple[Prediction, float]:
    since = time.monotonic()
    return _predictor(model, changed).predict(crystal, **options), time.monotonic() - since


def _count(asked: Asked) -> None:
    QUEUE.dec()
    if asked.cancelled() or asked.exception():
        event("not predicted", reason=str(outcome(asked)))
        return
    PREDICTIONS.inc()
    SECONDS.observe(asked.result()[1])
    event("predicted", seconds=round(asked.result()[1], 3))
