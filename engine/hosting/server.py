"""The beginning of a server: what it keeps to and where it writes, said once a process."""

import os
import sys
import threading
from functools import cache
from pathlib import Path

from engine.files import ROOT
from engine.hosting.logs import begin_logs, event
from engine.hosting.metrics import serve_metrics
from engine.limits import FILE, FILE_VARIABLE, Limits, enforce, read_limits

LOCAL = "--local"  # after `streamlit run app.py --`: one's own machine, without limits
_first = threading.Lock()


def begin() -> None:
    """Enforce the limits, begin the log and serve metrics, when the first page of this process is asked for.

    Raises:
        EngineError: limits.toml says something that is no limit, or metrics have no address of this machine.
    """
    with _first:
        _begin()


@cache
def _begin() -> None:
    local = LOCAL in sys.argv[1:]
    enforce(Limits() if local else read_limits(Path(os.environ.get(FILE_VARIABLE) or ROOT / FILE)))
    metrics = serve_metrics()
    begin_logs("streamlit")
    event("begun", limits="none" if local else FILE, metrics=metrics)
