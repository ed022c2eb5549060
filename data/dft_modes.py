"""Write data/dft_modes.parquet: zone-centre modes by DFT of the embedded crystals that a phonon database holds.

    python data/dft_modes.py PHONONS        (minutes)

PHONONS is the file of data/phonons.py. Columns, source and licence: "Modes by DFT" in README.md beside this file.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import spglib
from pymatgen.core import Structure

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine.crystals.likeness import nearest_of_phase
from engine.crystals.material import Material, structure_of
from engine.crystals.primitive import primitive
from engine.data.datasets import load_dataset
from engine.data.dft_modes import SHIPPED
from engine.data.phonons import Phonons, read_phonons
from engine.evaluation.mode_errors import dft_modes
from engine.network.constants import SYMMETRY_TOLERANCE

ORTHORHOMBIC = range(16, 75)  # space groups
DIGITS = 2  # of cm^-1
SCHEMA = pa.schema(
    [
        ("material_id", pa.string()),
        ("labels", pa.list_(pa.string())),  # K
        ("wavenumbers", pa.list_(pa.float32())),  # K, cm^-1
        ("strengths", pa.list_(pa.float32())),  # K
    ]
)


def setting(structure: Structure) -> tuple:
    """What the names of representations depend on: the setting of the space group, and the order of free axes."""
    cell = structure.lattice.matrix.tolist(), structure.frac_coords.tolist(), structure.atomic_numbers
    found = spglib.get_symmetry_dataset(cell, symprec=SYMMETRY_TOLERANCE)
    edges = np.linalg.norm(found.std_lattice, axis=1)
    return found.hall_number, tuple(np.argsort(edges)) if found.number in ORTHORHOMBIC else ()


def row(material: Material, known: Phonons) -> dict[str, Any] | None:
    """The row of a crystal; None where DFT's is another one, or its modes may be named otherwise."""
    own, other = structure_of(primitive(material)), known.material.structure
    if len(own) != len(other) or nearest_of_phase(own, [other]) is None or setting(own) != setting(other):
        return None
    modes = dft_modes(known)
    unstable = bool(modes.unstable.any())
    return {
        "material_id": material.material_id,
        "labels": list(modes.first(np.array(modes.labels))),
        "wavenumbers": modes.first(modes.wavenumbers).round(DIGITS),
        "strengths": np.where(unstable, np.nan, modes.set_strengths).round(4),
    }


def main() -> None:
    """Build the file, whole or not at all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("phonons", type=Path, help="file of data/phonons.py")
    known = {one.material.material_id: one for one in read_phonons(parser.parse_args().phonons)}
    shared = [m for m in load_dataset("petousis-2017") if m.material_id in known and m.natoms > 1]
    rows = [found for m in shared if (found := row(m, known[m.material_id]))]
    part = SHIPPED.with_suffix(".part")
    table = pa.Table.from_pylist(rows, SCHEMA)
    pq.write_table(table, part, compression="zstd", compression_level=19)
    part.replace(SHIPPED)
    print(f"{SHIPPED.name}: {len(rows)} crystals; of {len(shared)} that share an ID, the others are not alike")


if __name__ == "__main__":
    main()
