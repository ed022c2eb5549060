"""Processes of this program: started, at work in a folder, stopped in an orderly way."""

import fcntl
import math
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from engine.errors import EngineError
from engine.limits import granted

LOCK = "lock"


@contextmanager
def locked(folder: Path, patience: float = 0.0, lock: str = LOCK) -> Iterator[TextIO]:
    """Hold a folder by one of its locks; `patience` (s) outlasts those who only look whether it is held.

    Raises:
        EngineError: another process holds it.
    """
    give_up = time.monotonic() + patience
    with (folder / lock).open("w") as handle:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() >= give_up:
                    raise EngineError(f"{folder}: another process is at work on it") from error
                time.sleep(0.02)
        yield handle


@contextmanager
def interruptible() -> Iterator[None]:
    """Have SIGTERM raise KeyboardInterrupt, as Ctrl-C does, and the end of the time that was granted too."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    previous = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGALRM)}
    seconds = granted().seconds
    signal.setitimer(signal.ITIMER_REAL, 0 if math.isinf(seconds) else max(seconds, 0.01))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in previous.items():
            signal.signal(number, handler)


def is_locked(folder: Path, lock: str = LOCK) -> bool:
    """Whether a process holds the folder by that lock."""
    try:
        with locked(folder, lock=lock):
            return False
    except EngineError:
        return True


def end_with_parent() -> None:
    """Have this process end as soon as the one that asked for it does, were it killed, whatever is left to do."""
    parent = multiprocessing.parent_process()
    if parent is not None:

        def follow() -> None:
            parent.join()
            os._exit(1)

        threading.Thread(target=follow, daemon=True).start()
