"""Processes that work for a server while it answers others; what is stopped costs no more time."""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, InvalidStateError
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import cache
from multiprocessing import spawn
from typing import Any
from weakref import WeakSet

from pebble import ProcessExpired, ProcessPool

from engine.errors import EngineError
from engine.limits import Grant, as_variable, granted
from engine.network.potential import keep_memory
from engine.processes import end_with_parent

BEHIND = 5  # niceness: pages come first, and trainings last
STEP = 0.2  # s, between two looks at whether processes are well
STOPPED = "stopped before it was answered"
PRELOADED = ["engine.prediction.predictor", "engine.teaching.two_networks"]  # imported once for all processes


class Pool:
    """At most so many processes, begun when they are first needed; more work than that waits for its turn."""

    def __init__(self, most: Callable[[], int]) -> None:
        self.begun = 0  # times that the processes were begun anew, with nothing loaded
        self._most = most
        self._turn = threading.Lock()
        self._pool: ProcessPool | None = None
        self._watcher: threading.Thread | None = None
        self._open: WeakSet[_Work] = WeakSet()

    def schedule(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Have a process call this; `outcome` says what came of it, and its `cancel` stops the work."""
        work = _Work(function, arguments)
        if self._pool is not None and self._turn.acquire(blocking=False):
            try:
                self._ask(work)
            finally:
                self._turn.release()
        else:  # beginning takes seconds: the first process waits for what is imported for all
            threading.Thread(target=self._ask_in_turn, args=(work,), daemon=True).start()
        return work

    def end(self) -> None:
        """End all processes, and what they do."""
        with self._turn:
            for work in list(self._open):
                work.cancel()
            if self._pool is not None:
                self._pool.stop()
                self._pool = None
        if self._watcher is not None:
            self._watcher.join()

    def _ask_in_turn(self, work: "_Work") -> None:
        with self._turn:
            try:
                self._ask(work)
            except Exception as error:
                with suppress(InvalidStateError):  # it was stopped
                    work.set_exception(error)

    def _ask(self, work: "_Work") -> None:
        self._open.add(work)
        self._pool = self._pool or self._processes()
        try:
            work.follow(self._pool, self._pool.schedule(work.function, args=work.arguments))
        except RuntimeError:  # processes that were killed in the middle of a word have broken the pool
            self._pool = self._processes()
            work.follow(self._pool, self._pool.schedule(work.function, args=work.arguments))

    def _processes(self) -> ProcessPool:
        _leave_the_main_script()
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(PRELOADED)
        own = as_variable(Grant(memory=granted().memory))
        self.begun += 1
        pool = ProcessPool(max_workers=self._most(), context=context, initializer=_settle, initargs=(own,))
        self._watcher = threading.Thread(target=self._watch, args=(pool,), daemon=True)
        self._watcher.start()
        return pool

    def _watch(self, pool: ProcessPool) -> None:
        """Wait for the end of this pool; if it broke, ask another one, once, for what it leaves unanswered.

        Of that it gives up only what it had registered, with a BrokenProcessPool, and forgets the rest.
        """
        while pool.active:
            time.sleep(STEP)
        with self._turn:
            left = [work for work in self._open if work.pool is pool and not work.done()]
        for work in left:
            if work.asked_again:
                with suppress(InvalidStateError):  # it was stopped
                    work.set_exception(ProcessExpired("its processes ended twice"))
            else:
                work.asked_again = True
                self._ask_in_turn(work)
        pool.stop()
        pool.join()


class _Work(Future[Any]):
    """What a process is asked, perhaps as soon as there is one."""

    def __init__(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        super().__init__()
        self.function, self.arguments = function, arguments
        self.pool: ProcessPool | None = None
        self.asked_again = False
        self._asked: Future[Any] | None = None

    def follow(self, pool: ProcessPool, asked: Future[Any]) -> None:
        """End as what was asked of this pool ends."""
        self.pool, self._asked = pool, asked
        if self.cancelled():
            asked.cancel()
        asked.add_done_callback(self._end)

    def cancel(self) -> bool:
        """Stop the work, begun or not."""
        if self._asked is not None:
            self._asked.cancel()
        if self.cancelled():
            return True
        stopped = super().cancel()
        if stopped:
            self.set_running_or_notify_cancel()  # whoever waits for it
        return stopped

    def running(self) -> bool:
        """Whether a process is at it."""
        return self._asked is not None and self._asked.running()

    def _end(self, asked: Future[Any]) -> None:
        with suppress(InvalidStateError):  # it was stopped
            if asked.cancelled():
                self.cancel()
            elif not (error := asked.exception()):
                self.set_result(asked.result())
            elif not isinstance(error, BrokenProcessPool):  # which `Pool` sees to
                self.set_exception(error)


@cache
def _leave_the_main_script() -> None:
    """Have no process of this one import the main script, which Streamlit makes the page that runs just now."""
    of_main = spawn.get_preparation_data

    def data(name: str) -> dict[str, Any]:
        return {key: value for key, value in of_main(name).items() if not key.startswith("init_main")}

    spawn.get_preparation_data = data


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
    end_with_parent()
