"""Where a figure comes from: data, code, packages and machine."""

import os
import platform
import subprocess
import time
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from engine.config import TrainConfig
from engine.data.datasets import dataset_hash
from engine.data.phonons import teaching_phonons
from engine.files import ROOT

PACKAGE = "dielectric-tensors"
UNKNOWN = "unknown"
CHANGED = "+changes"  # beside a commit: code or data were not those of the commit
MADE_FROM = ("engine", "benchmarks/*.py", "data", "requirements*.txt")  # what figures depend on


def code_version() -> str:
    """Commit of the checkout, `CHANGED` after it where code or data differ; outside of one the package's version.

    Results and models that were written since the commit do not count as changes.
    """
    if not (ROOT / ".git").exists():
        return _installed_version()
    try:
        commit = _git("rev-parse", "--short=12", "HEAD")
        changed = _git("status", "--porcelain", "--", *MADE_FROM)
    except (OSError, subprocess.SubprocessError):  # no git on this machine
        return UNKNOWN
    return commit + (CHANGED if changed else "")


def _git(*arguments: str) -> str:
    command = ["git", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=10, check=True)
    return done.stdout.strip()


def _installed_version() -> str:
    try:
        return f"version {version(PACKAGE)}"
    except PackageNotFoundError:
        return UNKNOWN


def today() -> str:
    """The day, UTC, ISO 8601."""
    return datetime.now(UTC).date().isoformat()


def machine() -> str:
    """Processor, cores, accelerator and the versions of Python and PyTorch."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    versions = f"Python {platform.python_version()}, torch {torch.__version__}"
    return f"{_processor()}, {os.cpu_count()} cores, {device}, {versions}"


def about(data: str, config: TrainConfig, seeds: int, started: float, code: str) -> dict[str, str]:
    """What a figure was measured on.

    Args:
        started: time of `time.perf_counter` at the start.
        code: `code_version` at the start.
    """
    found = {
        "data": data,
        "data_sha256": dataset_hash(data),
        "code": code,
        "seeds": ", ".join(str(config.seed + seed) for seed in range(seeds)),
        "date": today(),
        "machine": machine(),
        "seconds": f"{time.perf_counter() - started:.0f}",
    }
    if config.index_data:
        found |= {"index_data": config.index_data, "index_data_sha256": dataset_hash(config.index_data)}
    if config.phonon_data:
        found |= {
            "phonon_data": Path(config.phonon_data).name,
            "phonon_data_sha256": dataset_hash(config.phonon_data),
            "phonon_crystals": str(len(teaching_phonons(config.phonon_data, config.index_data, ()))),
        }
    return found


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
