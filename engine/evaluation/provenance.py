"""Where a figure comes from: data, code, packages and machine."""

import os
import platform
import subprocess
import time
from pathlib import Path

import torch

from engine.config import TrainConfig
from engine.data.datasets import dataset_hash
from engine.files import ROOT


def code_version() -> str:
    """Commit of the checkout, with "+changes" where files differ from it; "unknown" outside of one."""
    command = ["git", "describe", "--always", "--abbrev=12", "--dirty=+changes", "--exclude=*"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return done.stdout.strip()


def machine() -> str:
    """Processor, cores, accelerator and the versions of Python and PyTorch."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    versions = f"Python {platform.python_version()}, torch {torch.__version__}"
    return f"{_processor()}, {os.cpu_count()} cores, {device}, {versions}"


def about(data: str, config: TrainConfig, seeds: int, started: float) -> dict[str, str]:
    """What a figure was measured on; `started` is a time of `time.perf_counter`."""
    found = {
        "data": data,
        "data_sha256": dataset_hash(data),
        "code": code_version(),
        "seeds": ", ".join(str(config.seed + seed) for seed in range(seeds)),
        "machine": machine(),
        "seconds": f"{time.perf_counter() - started:.0f}",
    }
    if config.index_data:
        found |= {"index_data": config.index_data, "index_data_sha256": dataset_hash(config.index_data)}
    return found


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
