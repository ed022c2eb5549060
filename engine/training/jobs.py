"""Pieces of work that take minutes, each in a process of its own, kept when they are done."""

import multiprocessing
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Protocol

import torch

from engine.cluster import SchedulerLost, connected
from engine.errors import EngineError
from engine.network.device import resolve_device
from engine.network.potential import keep_memory
from engine.processes import end_with_parent

# How many processes of this machine at once, by default one a core on a CPU and one on a GPU; or the address of a
# scheduler of Dask, whose processes see all folders and files under the same paths.
Workers = int | str | None


class Job(Protocol):
    """What `run_jobs` can do; it travels to another process, so it must pickle."""

    @property
    def device(self) -> str:
        """As in `TrainConfig.device`."""

    def is_done(self) -> bool:
        """Whether an earlier call has done it and kept the result."""

    def run(self) -> None:
        """Do it and keep the result."""


def run_jobs(jobs: Sequence[Job], what: str, workers: Workers = None) -> None:
    """Do what is not done yet. Progress goes to standard error; safe to interrupt, what is done is kept.

    Args:
        what: plural name of the results in progress lines.

    Raises:
        EngineError: the scheduler does not answer.
    """
    todo = [job for job in jobs if not job.is_done()]
    log(f"{len(jobs)} {what}, {len(jobs) - len(todo)} finished before")
    if not todo:
        return
    done = _on_cluster(todo, workers) if isinstance(workers, str) else _here(todo, workers)
    for number, _ in enumerate(done, start=1):
        log(f"{len(jobs) - len(todo) + number} of {len(jobs)} {what} are finished")


def _on_cluster(todo: Sequence[Job], scheduler: str) -> Iterator[None]:
    from distributed import CancelledError, as_completed

    try:
        with connected(scheduler, 0, {}, __name__) as client:
            asked = [client.submit(_run_elsewhere, job, pure=False) for job in todo]
            for future in as_completed(asked):
                yield future.result()
    except (SchedulerLost, CancelledError) as error:
        raise EngineError(f"{scheduler}: the scheduler does not answer; what is finished is kept") from error


def _here(todo: Sequence[Job], workers: int | None) -> Iterator[None]:
    on_gpu = resolve_device(todo[0].device).type == "cuda"
    workers = min(len(todo), workers or (1 if on_gpu else os.cpu_count() or 1))
    threads = max(1, (os.cpu_count() or 1) // workers)
    context = multiprocessing.get_context("forkserver")  # which imports torch once for all workers of all calls
    context.set_forkserver_preload(["engine.training.loop"])
    with ProcessPoolExecutor(workers, context, _begin, (threads, dict(os.environ))) as pool:
        try:
            yield from pool.map(_run, todo)
        except KeyboardInterrupt:  # the pool would wait for the ends of those that are under way
            for process in multiprocessing.active_children():
                process.terminate()
            raise


def log(line: str) -> None:
    """A line of progress."""
    print(line, file=sys.stderr, flush=True)


def _begin(threads: int, environment: dict[str, str]) -> None:
    os.environ.update(environment)  # since the first call it may have changed
    torch.set_num_threads(threads)
    keep_memory()
    end_with_parent()


def _run_elsewhere(job: Job) -> None:
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    keep_memory()
    if not job.is_done():  # by another process, which was taken for dead
        job.run()


def _run(job: Job) -> None:
    job.run()
