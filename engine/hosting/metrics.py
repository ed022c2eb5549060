"""Counts for whoever watches a server, as Prometheus reads them, at an address of this machine; off by default."""

import ipaddress
import os
from functools import partial

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, start_http_server

from engine.errors import EngineError, check
from engine.runs.job import LIVE, Job
from engine.runs.run import Run
from engine.runs.screening_run import Screening

VARIABLE = "DIELECTRIC_METRICS"  # HOST:PORT
REQUESTS = Counter("dielectric_requests", "Runs of a page's script", ["page"])
PREDICTIONS = Counter("dielectric_predictions", "Crystals that a network was asked for by a page")
SECONDS = Histogram(
    "dielectric_prediction_seconds", "Time of a prediction", buckets=(0.1, 0.3, 1, 3, 10, 30, 100, 300)
)
REFUSALS = Counter("dielectric_refusals", "What was refused", ["what"])
QUEUE = Gauge("dielectric_queue", "Predictions that wait for their turn")
JOBS = Gauge("dielectric_jobs", "Jobs at work", ["kind"])


def serve_metrics() -> str:
    """Serve them at $DIELECTRIC_METRICS; the address, empty where none is asked for.

    Raises:
        EngineError: the address is not one of this machine alone, or taken.
    """
    address = os.environ.get(VARIABLE, "")
    if not address:
        return ""
    host, _, port = address.rpartition(":")
    check(
        port.isdigit() and _is_local(host), f"{VARIABLE}={address}: must be like 127.0.0.1:9464, of this machine"
    )
    for kind, jobs in (("training", Run), ("screening", Screening)):
        JOBS.labels(kind).set_function(partial(_at_work, jobs))
    try:
        start_http_server(int(port), host, REGISTRY)
    except OSError as error:
        raise EngineError(f"{VARIABLE}={address}: cannot be listened at ({error})") from error
    return address


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _at_work(jobs: type[Job]) -> float:
    return sum(job.state() in LIVE for job in jobs.all())
