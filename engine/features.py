"""Features of the pretrained potential, kept on disk: they take longer than the training that uses them.

A file a crystal in the user's cache folder, named by a hash of crystal, potential and version. Safe to delete,
and safe under several processes: each file appears whole.
"""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from platformdirs import user_cache_path

from engine.checkpoint import read_tensors, write_tensors
from engine.errors import EngineError
from engine.graph import collate, crystal_graphs
from engine.materials import Material
from engine.pretrained import GRAPH, NAME, pretrained_features

VERSION = 1
ATOMS_AT_ONCE = 200


def material_features(
    materials: Sequence[Material],
    device: torch.device,
    progress: Callable[[int, int], None] | None = None,
) -> list[torch.Tensor]:
    """[N, pretrained.IRREPS] on the CPU for each material, computed on `device` where the cache lacks them.

    Args:
        progress: called with (computed, to compute) after each batch.
    """
    paths = [_path(material) for material in materials]
    missing = [index for index, path in enumerate(paths) if not path.is_file()]
    missing.sort(key=lambda index: materials[index].natoms)
    done = 0
    while done < len(missing):
        batch = [missing[done]]
        largest = materials[missing[done]].natoms
        for index in missing[done + 1 :]:
            largest = materials[index].natoms
            if largest * (len(batch) + 1) > ATOMS_AT_ONCE:
                break
            batch.append(index)
        _compute([materials[index] for index in batch], [paths[index] for index in batch], device)
        done += len(batch)
        if progress:
            progress(done, len(missing))
    return [_read(material, path, device) for material, path in zip(materials, paths, strict=True)]


def _path(material: Material) -> Path:
    key = hashlib.sha256(f"{NAME} {VERSION}".encode())
    for array in (material.cell, material.atomic_numbers, material.frac_coords):
        key.update(array.tobytes())
    name = key.hexdigest()
    return user_cache_path("dielectric-tensors") / "features" / name[:2] / f"{name}.safetensors"


def _compute(materials: Sequence[Material], paths: Sequence[Path], device: torch.device) -> None:
    graph = collate(crystal_graphs(materials, GRAPH, device=device))
    features = pretrained_features(device)(graph).cpu().split([material.natoms for material in materials])
    for path, tensor in zip(paths, features, strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_tensors(path, {"features": tensor})


def _read(material: Material, path: Path, device: torch.device) -> torch.Tensor:
    try:
        return read_tensors(path)["features"]
    except (EngineError, KeyError):  # deleted or damaged meanwhile
        _compute([material], [path], device)
        return read_tensors(path)["features"]
