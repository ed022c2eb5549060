"""Processes that work together through Dask: of this machine, or those of a scheduler that runs elsewhere.

Source: Rocklin, Proc. 14th Python in Science Conf., 126 (2015), doi:10.25080/Majora-7b98e3ed-013.
"""

import logging
import multiprocessing
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from tempfile import TemporaryDirectory

import dask
from distributed import Client, LocalCluster

CLOSING = 5.0  # s
NOWHERE = "127.0.0.1:0"  # of the pages that Dask would show
_LOCAL = {
    "distributed.worker.multiprocessing-method": "forkserver",
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
}


class SchedulerLost(Exception):
    """The scheduler has stopped, or cannot be reached any more."""


@contextmanager
def connected(scheduler: str, workers: int, resources: Mapping[str, float], module: str) -> Iterator[Client]:
    """A client of the scheduler at an address, or of processes of this machine where it is empty.

    Args:
        workers: processes of this machine.
        resources: that each of these has, such as one "GPU".
        module: of what they will do; imported once for all of them.

    Raises:
        SchedulerLost: nothing answers at the address.
    """
    _quiet()
    if scheduler:
        try:
            client = Client(scheduler, timeout=CLOSING)
        except (OSError, ValueError) as error:
            raise SchedulerLost(f"{scheduler}: no scheduler of Dask answers ({error})") from error
        with _closed(client):
            yield client
        return
    threads = max(1, (os.cpu_count() or 1) // workers)
    multiprocessing.set_forkserver_preload([module])
    with (
        dask.config.set(_LOCAL),
        TemporaryDirectory(prefix="dielectric-") as folder,
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            security=True,
            dashboard_address=NOWHERE,
            worker_dashboard_address=NOWHERE,
            local_directory=folder,
            silence_logs=logging.CRITICAL,
            env={"OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "PASSIVE"},
            resources=dict(resources),
        ) as cluster,
        _closed(Client(cluster)) as client,
    ):
        yield client


def _quiet() -> None:
    """Whoever asks Dask hears of what matters by the errors that it raises."""
    for name in list(logging.root.manager.loggerDict):
        if name.startswith("distributed"):
            logging.getLogger(name).setLevel(logging.CRITICAL)


@contextmanager
def _closed(client: Client) -> Iterator[Client]:
    try:
        yield client
    finally:
        with suppress(OSError, TimeoutError):
            client.close(timeout=CLOSING)
