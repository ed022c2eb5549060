"""The real app on a free port."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import ViewportSize

ROOT = Path(__file__).resolve().parents[2]
ARTIFACTS = ROOT / "artifacts"
PROJECTOR: ViewportSize = {"width": 1280, "height": 720}
PATIENCE = 120_000  # ms; the first page loads torch, and the machine may be busy


@contextmanager
def running_app(runs: Path, log: Path | None = None, **variables: str) -> Iterator[str]:
    """The app as `streamlit run app.py` serves it, on a free port; its address.

    Args:
        log: file for all that the server prints.
        variables: of its environment.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    own = {"DIELECTRIC_RUNS": str(runs), "DIELECTRIC_LOGS": str(runs / "logs"), "OMP_NUM_THREADS": "1"}
    environment = os.environ | own | variables
    printed = log.open("w") if log else subprocess.DEVNULL
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=printed, stderr=log and subprocess.STDOUT)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until_healthy(address)
        yield address
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:  # native threads of a script that still ran can hold up Python's exit
            server.kill()
            server.wait()
        if log:
            printed.close()


def wait_until_healthy(address: str) -> None:
    """Return once the server answers."""
    for _ in range(PATIENCE // 250):
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2):  # noqa: S310, our own server
                return
        except OSError:
            time.sleep(0.25)
    raise TimeoutError(f"{address} did not answer within {PATIENCE / 1000:.0f} s")
