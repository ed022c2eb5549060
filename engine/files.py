"""Files read and written whole, and the folders that come with the program."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from engine.errors import EngineError, check

PART = ".part"  # of a file that is not whole yet
PACKAGE = Path(__file__).resolve().parent
ROOT = PACKAGE.parent  # the checkout, or the folder that the package was installed into
_SHIPPED = (
    PACKAGE / "shipped"
)  # an installed package has its files here, see pyproject.toml; a checkout has no such
if _SHIPPED.is_dir():
    DATA_FOLDER, MODELS_FOLDER, RESULTS_FOLDER = _SHIPPED / "data", _SHIPPED / "models", _SHIPPED / "results"
else:
    DATA_FOLDER, MODELS_FOLDER, RESULTS_FOLDER = ROOT / "data", ROOT / "models", ROOT / "benchmarks" / "results"


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file; raises EngineError where there is none."""
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise EngineError(f"{path}: no such file; is this the folder of a model or a run?") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise EngineError(f"{path}: is damaged, not JSON") from error
    check(isinstance(content, dict), f"{path}: must hold a JSON object")
    return content


def write_text(path: Path, text: str) -> None:
    """Replace a file by `text`, whole or not at all, also when the machine stops."""
    _replace(path, lambda part: part.write_text(text))


def write_tensors(path: Path, tensors: dict[str, torch.Tensor]) -> None:
    """Replace a safetensors file, whole or not at all, also when the machine stops."""
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    _replace(path, lambda part: part.write_bytes(save(plain)))


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Tensors of a safetensors file; raises EngineError where it is missing or damaged."""
    try:
        return load(path.read_bytes())
    except FileNotFoundError as error:
        raise EngineError(f"{path}: no such file; is this the folder of a model or a run?") from error
    except SafetensorError as error:
        raise EngineError(f"{path}: is damaged ({error}); copy or train the model again") from error


def holds_tensors(path: Path) -> bool:
    """Whether a file is there and whole."""
    try:
        read_tensors(path)
    except EngineError:
        return False
    return True


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    part = path.with_name(f"{path.name}.{os.getpid()}{PART}")
    try:
        write(part)
        _flush(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)  # a full disk needs the room
    _flush(path.parent)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def clear_parts(folder: Path) -> None:
    """Delete what processes that were killed have left half written; none may be at work in the folder."""
    for part in folder.glob(f"*{PART}"):
        part.unlink(missing_ok=True)
