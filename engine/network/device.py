"""Where a computation runs."""

import torch

from engine.errors import check


def resolve_device(device: str) -> torch.device:
    """ "auto" is CUDA where there is one, else the CPU; raises EngineError for a device that is not there.

    A CUDA device comes with its number, so that one device has one name.
    """
    check(device in ("auto", "cpu", "cuda"), f"device must be auto, cpu or cuda, got {device!r}")
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    check(device != "cuda" or torch.cuda.is_available(), "no CUDA device is available; use --device cpu")
    return numbered(torch.device(device))


def numbered(device: torch.device) -> torch.device:
    """The same device, "cuda" with the number of the current one."""
    if str(device) == "cuda":
        return torch.device("cuda", torch.cuda.current_device())
    return device
