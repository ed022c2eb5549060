"""Write phonondb_ids.csv: IDs of the Kyoto phonon database whose crystals are rows of matbench-dielectric.

    python data/phonondb_ids.py phonondb.parquet        (the file of data/phonons.py)

Only IDs that no set of `catalogue_sources.py` holds, where one row and one ID fit each other and no other. The
cells of the phonon database are PBEsol's, hence smaller: volumes may differ by `SHRINKAGE`.
"""

import csv
import sys
from collections import Counter, defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pymatgen.analysis.structure_matcher import StructureMatcher

from data.catalogue_sources import CLOSE
from engine.data.catalogue import PHONONDB, identities
from engine.data.datasets import EMBEDDED, load_dataset
from engine.data.phonons import read_phonons

SHRINKAGE = (0.99, 1.08)  # volume by PBE over that by PBEsol


def main(path: str) -> None:
    """Match and write; says how many."""
    known = {material_id: one for material_id, one in identities().items() if PHONONDB not in one.sets}
    taken = {identity.row for identity in known.values()}
    unnamed = defaultdict(list)
    for row, material in enumerate(load_dataset(EMBEDDED[1])):
        if row not in taken:
            unnamed[material.formula].append((row, material.structure))
    matcher, pairs = StructureMatcher(), []
    for one in (phonons.material for phonons in read_phonons(path)):
        if one.material_id in known:
            continue
        structure = one.structure
        for row, other in unnamed.get(one.formula, ()):
            growth = (other.volume / len(other)) / (structure.volume / len(structure))
            distance = matcher.get_rms_dist(structure, other) if SHRINKAGE[0] < growth < SHRINKAGE[1] else None
            if distance and distance[0] < CLOSE:
                pairs.append((one.material_id, row))
    ids, rows = Counter(one for one, _ in pairs), Counter(row for _, row in pairs)
    unique = sorted((row, one) for one, row in pairs if ids[one] == rows[row] == 1)
    with (Path(__file__).parent / "phonondb_ids.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([("material_id", "row"), *((one, row) for row, one in unique)])
    print(f"{len(unique)} IDs; {len(pairs) - len(unique)} pairs are not unique")


if __name__ == "__main__":
    main(*sys.argv[1:])
