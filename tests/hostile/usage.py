"""What an answer costs: seconds, and the memory of this process and of all that it has started."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from os import getpid
from pathlib import Path

STEP = 0.004  # s between two looks


@dataclass
class Usage:
    """Seconds, and the most MiB of resident memory: more in this process, and all of one that reads for it."""

    seconds: float = 0.0
    here: float = 0.0
    reader: float = 0.0


@contextmanager
def watched() -> Iterator[Usage]:
    """What the block costs, known behind it."""
    usage, over, me = Usage(), threading.Event(), getpid()
    before = _peak(me, "VmRSS:")
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # the peak of this process starts again
    looking = threading.Thread(target=_look, args=(usage, over, me, set(_below(me))), daemon=True)
    looking.start()
    start = time.perf_counter()
    try:
        yield usage
    finally:
        usage.seconds = time.perf_counter() - start
        over.set()
        looking.join()
        usage.here = max(0.0, _peak(me) - before)


def _look(usage: Usage, over: threading.Event, me: int, before: set[int]) -> None:
    while not over.is_set():
        for process in _below(me):
            if process in before or not _reads(process):
                continue
            usage.reader = max(usage.reader, _peak(process))
        over.wait(STEP)


def _reads(process: int) -> bool:
    """Whether it reads files; until it has begun to, it has the memory of its parent."""
    with suppress(OSError):
        return b"reader_process" in Path(f"/proc/{process}/cmdline").read_bytes()
    return False


def _below(process: int) -> list[int]:
    """All that a process has started, and they in turn."""
    found: list[int] = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, task.read_text().split()):
                found += [child, *_below(child)]
    return found


def _peak(process: int, line: str = "VmHWM:") -> float:
    """MiB; 0 of one that has ended."""
    with suppress(OSError, IndexError):
        return int(Path(f"/proc/{process}/status").read_text().split(line)[1].split()[0]) / 1024
    return 0.0
