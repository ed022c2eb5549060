"""What the pretrained potential gives, kept on disk: it takes longer than the training that uses it.

A file a crystal in the user's cache folder, named by a hash of crystal, potential and version. Safe to delete,
and safe under several processes: each file appears whole. What the disk does not take is kept in memory. Force
constants of the embedded tensors are shipped.
"""

import hashlib
import logging
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow.parquet as pq
import torch
from platformdirs import user_cache_path
from pymatgen.core import Structure

from engine.crystals.graph import collate, crystal_graphs
from engine.crystals.material import Material
from engine.errors import EngineError
from engine.files import DATA_FOLDER, read_tensors, write_tensors
from engine.network.force_constants import force_constants
from engine.network.frozen_features import POTENTIAL, Source
from engine.network.potential import GRAPH, NAME

VERSION = {"features": 1, "forces": 3}  # counts up when what is kept would come out otherwise
ATOMS_AT_ONCE = 100
SHIPPED = DATA_FOLDER / "force_constants.parquet"

_log = logging.getLogger("dielectric.cache")
_unkept: dict[Path, torch.Tensor] = {}  # what the disk did not take
Progress = Callable[[int, int], None]
Crystal = Structure | Material
Kept = TypeVar("Kept", Material, Crystal)


def material_features(
    materials: Sequence[Material],
    device: torch.device,
    progress: Progress | None = None,
    of: Source = POTENTIAL,
) -> list[torch.Tensor]:
    """[N, of.irreps] on the CPU for each material, computed on `device` where the cache lacks them.

    Args:
        progress: called with (computed, to compute) after each batch.
        of: what gives the features, the potential by default.
    """
    compute = partial(_compute_features, of)
    missing = [material for material in materials if not _is_kept(_path(material, of.kind))]
    missing.sort(key=lambda material: material.natoms)
    done = 0
    while done < len(missing):
        batch = [missing[done]]
        for material in missing[done + 1 :]:
            if material.natoms * (len(batch) + 1) > ATOMS_AT_ONCE:
                break
            batch.append(material)
        compute(batch, device)
        done += len(batch)
        if progress:
            progress(done, len(missing))
    return [_read(material, of.kind, compute, device) for material in materials]


def known_force_constants(
    crystals: Sequence[Crystal],
    device: torch.device,
    progress: Progress | None = None,
    steps: Progress | None = None,
) -> list[torch.Tensor]:
    """[3 N, 3 N] eV/Å^2 on the CPU for each crystal: shipped, cached, or computed.

    Args:
        progress: called with (computed, to compute) after each crystal.
        steps: called with (done, total) within each crystal, see `force_constants`.
    """
    missing = [crystal for crystal in crystals if not has_force_constants(crystal)]
    for done, crystal in enumerate(missing, start=1):
        _compute_force_constants([crystal], device, steps)
        if progress:
            progress(done, len(missing))
    return [_force_constants(crystal, device) for crystal in crystals]


def has_force_constants(crystal: Crystal) -> bool:
    """Whether its force constants are shipped or cached."""
    return structure_key(crystal) in shipped_force_constants() or _is_kept(_path(crystal, "forces"))


@lru_cache(maxsize=1)
def shipped_force_constants() -> dict[str, np.ndarray]:
    """`structure_key` -> flat [9 N^2] force constants of the embedded crystals that have tensors."""
    if not SHIPPED.is_file():
        return {}
    table = pq.read_table(SHIPPED)
    rows = zip(table["key"].to_pylist(), table["force_constants"], strict=True)
    return {key: row.values.to_numpy() for key, row in rows}


def structure_key(crystal: Crystal, prefix: str = "") -> str:
    """Hash of a crystal, to the last digit of its coordinates; a Material and its structure have the same."""
    key = hashlib.sha256(prefix.encode())
    if isinstance(crystal, Material):
        arrays = crystal.cell, crystal.atomic_numbers, crystal.frac_coords
    else:
        arrays = crystal.lattice.matrix, np.array(crystal.atomic_numbers), crystal.frac_coords
    for array, kind in zip(arrays, (np.float64, np.int64, np.float64), strict=True):
        key.update(np.ascontiguousarray(array, dtype=kind).tobytes())
    return key.hexdigest()


def _path(crystal: Crystal, kind: str) -> Path:
    name = structure_key(crystal, f"{NAME} {VERSION.get(kind, 1)}")
    return user_cache_path("dielectric-tensors") / kind / name[:2] / f"{name}.safetensors"


def _force_constants(crystal: Crystal, device: torch.device) -> torch.Tensor:
    shipped = shipped_force_constants().get(structure_key(crystal))
    if shipped is None:
        return _read(crystal, "forces", _compute_force_constants, device)
    return torch.tensor(shipped).reshape(round(len(shipped) ** 0.5), -1)


def _compute_features(of: Source, materials: Sequence[Material], device: torch.device) -> None:
    graph = collate(crystal_graphs(materials, GRAPH, device=device))
    with torch.inference_mode():
        features = of.module(device, torch.float32)(graph).cpu()
    counts = [material.natoms for material in materials]
    for material, tensor in zip(materials, features.split(counts), strict=True):
        _write(material, of.kind, tensor)


def _compute_force_constants(
    crystals: Sequence[Crystal], device: torch.device, steps: Progress | None = None
) -> None:
    for crystal in crystals:
        _write(crystal, "forces", torch.tensor(force_constants(crystal, device, steps)).float())


def _write(crystal: Crystal, kind: str, tensor: torch.Tensor) -> None:
    path = _path(crystal, kind)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_tensors(path, {kind: tensor})
    except OSError as error:  # full, or not ours to write to
        if not _unkept:
            _log.warning("%s is not kept on disk, and computed anew next time (%s)", kind, error)
        _unkept[path] = tensor


def _is_kept(path: Path) -> bool:
    return path in _unkept or path.is_file()


def _read(
    crystal: Kept,
    kind: str,
    compute: Callable[[Sequence[Kept], torch.device], None],
    device: torch.device,
) -> torch.Tensor:
    path = _path(crystal, kind)
    try:
        return _kept(path, kind)
    except (EngineError, KeyError, OSError):  # deleted or damaged meanwhile
        compute([crystal], device)
        return _kept(path, kind)


def _kept(path: Path, kind: str) -> torch.Tensor:
    return _unkept[path] if path in _unkept else read_tensors(path)[kind]
