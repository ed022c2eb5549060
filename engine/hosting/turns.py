"""Predictions in the server's own process: counted for the visitor, and no more at once than it has memory for."""

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from engine.hosting.logs import event
from engine.hosting.metrics import PREDICTIONS, QUEUE, SECONDS
from engine.limits import in_force
from engine.runs.job import usage_file
from engine.usage import charge

_at_work = 0
_changed = threading.Condition()


@contextmanager
def turn(visitor: str) -> Iterator[None]:
    """Wait until one more prediction may begin, and hold that turn.

    Raises:
        EngineError: the visitor has had all structures of the day.
    """
    global _at_work
    limits = in_force()
    if math.isfinite(limits.structures_a_day):
        charge(usage_file(), visitor, 1, limits.structures_a_day)
    with QUEUE.track_inprogress(), _changed:
        _changed.wait_for(lambda: _at_work < limits.predictions_at_once)
        _at_work += 1
    since = time.monotonic()
    try:
        yield
    finally:
        with _changed:
            _at_work -= 1
            _changed.notify()
        seconds = time.monotonic() - since
        PREDICTIONS.inc()
        SECONDS.observe(seconds)
        event("predicted", seconds=round(seconds, 3))
