"""Pieces of work that take minutes, each in a process of its own, kept when they are done."""

import multiprocessing
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Protocol

import torch

from engine.network.device import resolve_device
from engine.network.potential import keep_memory


class Job(Protocol):
    """What `run_jobs` can do; it travels to another process, so it must pickle."""

    @property
    def device(self) -> str:
        """As in `TrainConfig.device`."""

    def is_done(self) -> bool:
        """Whether an earlier call has done it and kept the result."""

    def run(self) -> None:
        """Do it and keep the result."""


def run_jobs(jobs: Sequence[Job], what: str, workers: int | None = None) -> None:
    """Do what is not done yet. Progress goes to standard error; safe to interrupt, what is done is kept.

    Args:
        what: plural name of the results in progress lines.
        workers: processes at once; by default one a core on a CPU, one on a GPU.
    """
    todo = [job for job in jobs if not job.is_done()]
    log(f"{len(jobs)} {what}, {len(jobs) - len(todo)} finished before")
    if not todo:
        return
    on_gpu = resolve_device(todo[0].device).type == "cuda"
    workers = min(len(todo), workers or (1 if on_gpu else os.cpu_count() or 1))
    threads = max(1, (os.cpu_count() or 1) // workers)
    context = multiprocessing.get_context("forkserver")  # which imports torch once for all workers of all calls
    context.set_forkserver_preload(["engine.training.loop"])
    with ProcessPoolExecutor(workers, context, _begin, (threads, dict(os.environ))) as pool:
        for done, _ in enumerate(pool.map(_run, todo), start=1):
            log(f"{len(jobs) - len(todo) + done} of {len(jobs)} {what} are finished")


def log(line: str) -> None:
    """A line of progress."""
    print(line, file=sys.stderr, flush=True)


def _begin(threads: int, environment: dict[str, str]) -> None:
    os.environ.update(environment)  # since the first call it may have changed
    torch.set_num_threads(threads)
    keep_memory()


def _run(job: Job) -> None:
    job.run()
