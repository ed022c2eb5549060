"""In how many directions the bonds of a crystal run on: 3 a framework, 2 layers, 1 chains, 0 molecules."""

import json
import multiprocessing
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

from platformdirs import user_cache_path
from pymatgen.analysis.dimensionality import get_dimensionality_larsen
from pymatgen.analysis.local_env import CrystalNN
from pymatgen.core import Structure

from engine.data.datasets import dataset_hash, load_dataset
from engine.files import write_text

CHUNK = 20  # crystals handed to a process at a time


def dimensionality(structure: Structure) -> int:
    """Largest dimensionality among the bonded components, 0 to 3; 3 where no bonds can be told.

    Source: Larsen et al., Phys. Rev. Mater. 3, 034003 (2019), on the bonds of pymatgen's CrystalNN.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of elements without a tabulated radius
        try:
            return int(get_dimensionality_larsen(CrystalNN().get_bonded_structure(structure)))
        except (ValueError, RuntimeError, IndexError):
            return 3


def dimensionalities(data: str, progress: Callable[[int, int], None] | None = None) -> list[int]:
    """`dimensionality` of every crystal of a data set, kept in the user's cache folder; minutes the first time.

    Args:
        progress: called with (done, total) while they are found.
    """
    path = user_cache_path("dielectric-tensors") / f"dimensionality-{dataset_hash(data)[:16]}.json"
    if path.is_file():
        return json.loads(path.read_text())
    structures = [material.structure for material in load_dataset(data)]
    found = []
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
        for one in pool.map(dimensionality, structures, chunksize=CHUNK):
            found.append(one)
            if progress and len(found) % CHUNK == 0:
                progress(len(found), len(structures))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(found))
    return found
