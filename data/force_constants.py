"""Write data/force_constants.parquet: zone-centre force constants of the crystals that have tensors.

    python data/force_constants.py        (ten minutes on two cores)

Computed with the pretrained potential by engine/network/force_constants.py; one row a crystal, `key`
its `engine.network.feature_cache.structure_key`, `force_constants` the [3 N, 3 N] matrix in eV/Å^2, row by row.
"""

import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine.crystals.material import Material
from engine.data.datasets import load_dataset
from engine.network.feature_cache import SHIPPED, structure_key
from engine.network.force_constants import force_constants
from engine.processes import end_with_parent


def row(material: Material) -> tuple[str, np.ndarray]:
    """Key and flat force constants of one crystal."""
    torch.set_num_threads(1)
    matrix = force_constants(material, torch.device("cpu"))
    return structure_key(material), matrix.astype(np.float32).ravel()


def write(rows: list[tuple[str, np.ndarray]]) -> None:
    """Write the file, whole or not at all."""
    keys, values = zip(*rows, strict=True)
    part = SHIPPED.with_suffix(".part")
    table = pa.table({"key": keys, "force_constants": pa.array(values, pa.list_(pa.float32()))})
    pq.write_table(table, part, compression="zstd", compression_level=19)
    part.replace(SHIPPED)


if __name__ == "__main__":
    materials = load_dataset("petousis-2017")
    rows = []
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn"), initializer=end_with_parent) as pool:
        for one in pool.map(row, materials, chunksize=4):
            rows.append(one)
            if len(rows) % 20 == 0:
                print(f"{len(rows)} of {len(materials)} crystals", flush=True)
    write(rows)
