"""What may stand below the readouts and stay as it is: the pretrained potential, or what was distilled from it."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch
from e3nn import o3
from torch import nn

from engine.files import MODELS_FOLDER
from engine.network import potential
from engine.network.building import alone
from engine.network.device import numbered
from engine.network.distilled import Student, StudentSize, load_student

STUDENT = MODELS_FOLDER / "fast" / "student.safetensors"


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where features come from.

    Attributes:
        kind: names their folder in the cache.
        irreps: of an atom's features.
        module: graph -> features, on a device and of a dtype, loaded once a process.
    """

    kind: str
    irreps: o3.Irreps
    module: Callable[[torch.device, torch.dtype], nn.Module]


POTENTIAL = Source(kind="features", irreps=potential.IRREPS, module=potential.pretrained_features)


def source(backbone: str) -> Source:
    """That of the backbone "pretrained" or "distilled"; raises EngineError where there is no distilled network."""
    return POTENTIAL if backbone == "pretrained" else _distilled()


def irreps_of(backbone: str) -> o3.Irreps:
    """Irreps of the features of the backbone "pretrained" or "distilled"."""
    return potential.IRREPS if backbone == "pretrained" else StudentSize().irreps


def features_of(backbone: str, device: torch.device) -> Callable[[object], torch.Tensor]:
    """Graph -> float32 features of its atoms, as exact as symmetry needs: the potential works in float64."""
    found = source(backbone).module(device, torch.float64 if backbone == "pretrained" else torch.float32)
    return lambda graph: found(graph).float()


def student_hash() -> str:
    """SHA-256 of the distilled network's weights."""
    return hashlib.sha256(STUDENT.read_bytes()).hexdigest()


def _distilled() -> Source:
    return Source(kind=f"features-{student_hash()[:16]}", irreps=StudentSize().irreps, module=distilled_features)


@alone
def distilled_features(device: torch.device, dtype: torch.dtype) -> Student:
    """The distilled network on a device, loaded once a process; raises EngineError where it is missing."""
    return _loaded(numbered(device), dtype, STUDENT.stat().st_mtime if STUDENT.is_file() else 0.0)


@lru_cache(maxsize=4)
def _loaded(device: torch.device, dtype: torch.dtype, modified: float) -> Student:
    with torch.inference_mode(False), torch.random.fork_rng(devices=[]):
        return load_student(STUDENT).to(device, dtype)
