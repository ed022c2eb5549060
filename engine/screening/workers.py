"""The parts of a screening, done by the processes of a cluster, whatever becomes of one of these."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from distributed import CancelledError, Client, Future, KilledWorker, as_completed

from engine.cluster import SchedulerLost
from engine.errors import EngineError
from engine.network.device import resolve_device
from engine.screening.parts import Part, Settings
from engine.screening.reading import sources
from engine.screening.task import Done, do_part, refuse_part

AHEAD = 2  # parts that each process has been given
RETRIES = 2  # of a part that fails, as on a file system that is busy
KILLED = (
    "computing it ended the process three times; it may need more memory than there is "
    "(a smaller cell, or a machine with more memory)"
)


class _Failed(Exception):
    """A part cannot be done: `error` is the task's own, and says nothing of the scheduler."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


def default_workers(device: str) -> int:
    """Processes of this machine: one a core, or one where there is a GPU."""
    return 1 if resolve_device(device).type == "cuda" else os.cpu_count() or 1


def resources(device: str) -> dict[str, float]:
    """What a process has of a GPU where there is one, and what a part needs of it."""
    return {"GPU": 1.0} if device == "cuda" else {}


def do_parts(
    client: Client, parts: Sequence[Part], settings: Settings, folder: Path
) -> Iterator[tuple[Part, Done]]:
    """Have the parts done, in any order; each as it is done.

    A part that ends the process that does it is tried again, three times in all, then in halves; a structure that
    does so alone is refused.

    Raises:
        SchedulerLost: what was done meanwhile is kept.
        EngineError: there is no such model or device.
        OSError: the input cannot be read, or the rows cannot be written.
    """
    waiting, asked = deque(parts), dict[Future, Part]()
    coming = as_completed()

    def ask() -> None:
        while waiting and len(asked) < AHEAD * max(1, len(client.nthreads())):
            part = waiting.popleft()
            future = client.submit(
                do_part,
                part,
                settings,
                folder,
                key=f"part-{part.name}-{uuid4().hex}",
                pure=False,
                retries=RETRIES,
                resources=resources(settings.device),
            )
            asked[future] = part
            coming.add(future)

    try:
        ask()
        while asked:
            future = next(coming)
            part = asked.pop(future)
            if future.status == "finished":
                yield part, future.result()
            else:
                yield from _failed(future, part, folder, waiting.appendleft)
            ask()
    except _Failed as failed:
        raise failed.error from None
    except (OSError, RuntimeError, CancelledError) as error:
        raise SchedulerLost("the scheduler does not answer any more") from error
    finally:
        with suppress(Exception):
            client.cancel(list(asked))


def _failed(
    future: Future, part: Part, folder: Path, again: Callable[[Part], None]
) -> Iterator[tuple[Part, Done]]:
    """What becomes of a part that was not done."""
    if future.status != "error":
        raise SchedulerLost("the scheduler does not answer any more")
    error = future.exception()
    if not isinstance(error, KilledWorker):
        raise _Failed(
            error if isinstance(error, (EngineError, OSError)) else EngineError(f"part {part.name}: {error!r}")
        )
    if part.count > 1:
        for half in reversed(part.halves()):
            again(half)
    else:
        try:
            done = refuse_part(part, sources(part), KILLED, folder)
        except OSError as error:  # of this machine's disk, not of the scheduler
            raise _Failed(error) from error
        yield part, done
