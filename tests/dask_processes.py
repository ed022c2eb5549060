"""Schedulers and workers of Dask as they run elsewhere: processes of their own, which may be killed."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

SOON = 120.0  # s


@contextmanager
def dask(part: str, *arguments: object) -> Iterator[subprocess.Popen]:
    """A "scheduler" or a "worker", as `dask` starts it."""
    command = [sys.executable, "-m", f"distributed.cli.dask_{part}", *map(str, arguments), "--no-dashboard"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
