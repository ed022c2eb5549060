"""Write models/sevennet-l3i5/predictions.parquet: what the model says of every crystal that has an ID here.

    python data/predictions.py        (hours on two cores; goes on where it was ended)

Each by the networks that never saw its formula, where there are any, by PBE and by PBEsol. Likely metals without a
DFT index get the electronic tensor by PBE alone. The small cells come first; those of more than --atoms wait for
another run, and pages compute what is not shipped.
"""

import argparse
import hashlib
import json
import multiprocessing
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
import torch
from platformdirs import user_cache_path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine.crystals.material import Material
from engine.crystals.vacuum import in_vacuum
from engine.data.catalogue import catalogued, indexed
from engine.data.datasets import EMBEDDED, load_dataset
from engine.files import MODELS_FOLDER
from engine.model.checkpoint import WEIGHTS
from engine.model.shipped_models import DEFAULT_MODEL
from engine.network.feature_cache import SHIPPED, VERSION, structure_key
from engine.network.potential import keep_memory
from engine.prediction.predictor import AskedMethod, Predictor
from engine.prediction.shipped import FILE, Row, made_of, row_of, write_predictions
from engine.processes import end_with_parent

FOLDER = MODELS_FOLDER / DEFAULT_MODEL
_predictor: list[Predictor] = []  # of a worker


def source_hash() -> str:
    """SHA-256 of what predictions come of: weights, embedded force constants, and how those of others are made."""
    parts = (FOLDER / WEIGHTS).read_bytes(), SHIPPED.read_bytes(), str(VERSION).encode()
    return hashlib.sha256(b"".join(parts)).hexdigest()


def with_ids() -> list[Material]:
    """Every embedded crystal that an ID leads to, small ones first; not what stands in a box, see vacuum.py."""
    known = [*load_dataset(EMBEDDED[0]), *indexed()]
    found: dict[str, Material] = {}
    for material in [*known, *catalogued(known)]:
        if material.material_id:
            found.setdefault(material.material_id, material)
    crystals = [material for material in found.values() if in_vacuum(material.structure) is None]
    return sorted(crystals, key=lambda material: material.natoms)


def start() -> None:
    """Make a worker ready."""
    torch.set_num_threads(1)
    keep_memory()
    end_with_parent()
    _predictor.append(Predictor(FOLDER, device="cpu"))


def predicted(material: Material, method: AskedMethod) -> list[Row]:
    """The rows of one crystal, one for each functional."""
    predictor = _predictor[0]
    if material.n is None:  # else DFT found a gap
        electronic = predictor.predict(material.structure, out_of_fold=True, targets=["electronic"])
        if electronic.likely_metal:
            return [row_of(material, electronic)]
    answer = predictor.predict(material, out_of_fold=True, ionic_method=method, also_by_pbesol=True)
    return [row_of(material, one) for one in (answer, answer.by_pbesol) if one is not None]


def kept(folder: Path, source: str, method: AskedMethod) -> dict[str, list[Row]]:
    """Rows that the same source gave before, by this method or a better one: shipped, or of an unfinished run."""
    shipped = FOLDER / FILE
    found: dict[str, list[Row]] = {}
    if shipped.is_file() and made_of(shipped) == source:
        for row in pq.read_table(shipped).to_pylist():
            found.setdefault(row["key"], []).append(row)
    for path in folder.glob("*.json"):
        rows = json.loads(path.read_text())
        found[path.stem] = [row | {"spread": [tuple(pair) for pair in row["spread"]]} for row in rows]
    return {key: rows for key, rows in found.items() if method == "direct" or rows[0]["ionic_method"] != "direct"}


def answers(materials: Iterable[Material], folder: Path, method: AskedMethod) -> None:
    """Predict, the rows of a crystal a file as soon as they are there."""
    context = multiprocessing.get_context("spawn")
    materials = list(materials)
    with ProcessPoolExecutor(mp_context=context, initializer=start) as pool:
        for done, rows in enumerate(pool.map(partial(predicted, method=method), materials, chunksize=4), start=1):
            part = folder / f"{rows[0]['key']}.part"
            part.write_text(json.dumps(rows))
            part.replace(part.with_suffix(".json"))
            if done % 50 == 0:
                print(f"{done} of {len(materials)} crystals", flush=True)


def main() -> None:
    """Predict what is not yet predicted, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--atoms", type=int, help="of the largest cell to predict; all if left out")
    parser.add_argument("--write", action="store_true", help="only write what is there")
    parser.add_argument(
        "--direct",
        action="store_true",
        help="what is missing by the direct method: minutes; a later run replaces it",
    )
    options = parser.parse_args()
    source, method = source_hash(), "direct" if options.direct else "full"
    folder = user_cache_path("dielectric-tensors") / "predictions" / source[:16]
    folder.mkdir(parents=True, exist_ok=True)
    materials, rows = with_ids(), kept(folder, source, method)
    if not options.write:
        largest = options.atoms or max(one.natoms for one in materials)
        missing = [one for one in materials if one.natoms <= largest and structure_key(one) not in rows]
        answers(missing, folder, method)
    rows = kept(folder, source, "direct")
    there = [key for material in materials if (key := structure_key(material)) in rows]
    once = dict.fromkeys(there)  # two IDs may have the very same crystal
    write_predictions(FOLDER / FILE, [row for key in once for row in rows[key]], source)
    print(f"{len(there)} of {len(materials)} crystals are in {FILE}")


if __name__ == "__main__":
    main()
