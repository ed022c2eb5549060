"""Processes that work for a server while it answers others; what is stopped costs no more time."""

import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import Any

from pebble import ProcessExpired, ProcessPool

from engine.errors import EngineError
from engine.limits import Grant, as_variable, granted
from engine.network.potential import keep_memory

BEHIND = 5  # niceness: pages come first, and trainings last
STOPPED = "stopped before it was answered"
PRELOADED = ["engine.prediction.predictor", "engine.teaching.two_networks"]  # imported once for all processes


class Pool:
    """At most so many processes, begun when they are first needed; more work than that waits for its turn."""

    def __init__(self, most: Callable[[], int]) -> None:
        self.begun = 0  # times that the processes were begun anew, with nothing loaded
        self._most = most
        self._turn = threading.Lock()
        self._pool: ProcessPool | None = None

    def schedule(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Have a process call this; `outcome` says what came of it, and its `cancel` stops the work."""
        with self._turn:
            pool = self._pool = self._pool or self._processes()
            try:
                return pool.schedule(function, args=arguments)
            except RuntimeError:  # one that was killed in the middle of a word has broken the pool
                pool.stop()
                self._pool = self._processes()
                return self._pool.schedule(function, args=arguments)

    def end(self) -> None:
        """End all processes, and what they do."""
        with self._turn:
            if self._pool is not None:
                self._pool.stop()
                self._pool.join()
                self._pool = None

    def _processes(self) -> ProcessPool:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(PRELOADED)
        own = as_variable(Grant(memory=granted().memory))
        self.begun += 1
        return ProcessPool(max_workers=self._most(), context=context, initializer=_settle, initargs=(own,))


def outcome(asked: Future[Any], what: str) -> Any:
    """What came of it; waits for it.

    Args:
        what: the work in words, for a process that ended over it: "predicted this crystal".

    Raises:
        EngineError: what the work raised; or it was stopped, or its process ended.
    """
    try:
        return asked.result()
    except CancelledError as error:
        raise EngineError(STOPPED) from error
    except ProcessExpired as error:
        raise EngineError(
            f"the process that {what} ended without an answer, perhaps for want of memory; ask again, or give a "
            "smaller cell"
        ) from error


def is_final(asked: Future[Any]) -> bool:
    """Whether the same question would get the same answer: not where it was stopped, or its process ended."""
    return not asked.done() or not (asked.cancelled() or isinstance(asked.exception(), ProcessExpired))


def _settle(variables: dict[str, str]) -> None:
    os.environ.update(variables)
    os.nice(BEHIND)
    keep_memory()
