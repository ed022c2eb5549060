"""Crystals of the Materials Project with their IDs, from the sets in matminer's source distribution.

`catalogue` gives one material an ID, `identifiers` what else is known of each ID. `build.py` writes both.
"""

import ast
import io
import tarfile
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from engine.crystals.material import Material

FOLDER = "matminer-0.3.2/matminer/datasets"
SYMPREC = 0.1  # Å, Materials Project's own
CLOSE = 0.01  # root mean square of StructureMatcher, and share of the volume: the same calculation's crystal
AGAIN = 0.05, 0.075  # the same of a crystal that was relaxed once more, otherwise
MORE_IDS = {  # of rows of `unnamed`
    "phonondb-2018": Path(__file__).with_name("phonondb_ids.csv"),  # by phonondb_ids.py
    "cited": Path(__file__).with_name("cited_ids.csv"),  # by which much of the literature names the crystal
}
SOURCES = {  # an ID's structure comes from the first that holds it
    "elastic-2015": "elastic_tensor.csv",
    "piezoelectric-2015": "piezoelectric_tensor.csv",
    "flla-2015": "flla_2015.csv",
}


def read_tables(sdist: bytes) -> dict[str, pd.DataFrame]:
    """The rows of each of `SOURCES`, `structure` as pymatgen's."""
    tables = {}
    with tarfile.open(fileobj=io.BytesIO(sdist)) as archive:
        for source, name in SOURCES.items():
            table = pd.read_csv(archive.extractfile(f"{FOLDER}/{name}"), skiprows=1)
            if "poscar" in table:
                table["structure"] = [Structure.from_str(text, fmt="poscar") for text in table.poscar]
            else:
                table["structure"] = [Structure.from_dict(ast.literal_eval(text)) for text in table.structure]
            tables[source] = table
    return tables


def catalogue(tables: Mapping[str, pd.DataFrame], known: Sequence[Material]) -> list[Material]:
    """One material for each ID in `tables` that `known` lacks, in the order of the numbers in the IDs."""
    found: dict[str, Material] = {}
    held = {material.material_id for material in known}
    for source, table in tables.items():
        for material_id, structure in zip(table.material_id, table.structure, strict=True):
            if material_id not in held and material_id not in found:
                found[material_id] = _material(material_id, structure, source)
    return sorted(found.values(), key=lambda material: _number(material.material_id))


def _material(material_id: str, structure: Structure, source: str) -> Material:
    symmetry = SpacegroupAnalyzer(structure, symprec=SYMPREC)
    return Material(
        material_id=material_id,
        cell=structure.lattice.matrix,
        atomic_numbers=pd.array(structure.atomic_numbers, dtype="int64").to_numpy(),
        frac_coords=structure.frac_coords,
        space_group_number=symmetry.get_space_group_number(),
        space_group_symbol=symmetry.get_space_group_symbol(),
        source=source,
    )


def _number(material_id: str | None) -> tuple[int, str]:
    prefix, number = str(material_id).split("-")
    return int(number), prefix


def identifiers(
    tables: Mapping[str, pd.DataFrame], materials: Sequence[Material], unnamed: Sequence[Material]
) -> pd.DataFrame:
    """What is known of the ID of each of `materials`, in their order.

    Columns: `material_id`; `sets` that hold it; `energy_above_hull`, eV per atom, of 2015, or none; `row`, the one
    of `unnamed` that is the same crystal, or none; `others`, further IDs of which that row is the crystal too;
    `volume_change`, by which share the row's volume is larger where it is that of `_relaxed_again`, or none.
    Those of `MORE_IDS` follow.
    """
    stability = tables["flla-2015"].set_index("material_id").e_above_hull.to_dict()
    sets = {source: set(table.material_id) for source, table in tables.items()}
    more = pd.concat([pd.read_csv(path).assign(sets=name) for name, path in MORE_IDS.items()], ignore_index=True)
    more["sets"] = [[name] for name in more["sets"]]
    more = more.assign(others=[[]] * len(more), energy_above_hull=np.nan, volume_change=np.nan)
    rows = _same_crystals(materials, unnamed)
    changes = _relaxed_again(
        [material for material in materials if material.material_id not in rows],
        {row: one for row, one in enumerate(unnamed) if row not in {*rows.values(), *more["row"]}},
    )
    rows |= {material_id: row for material_id, (row, _) in changes.items()}
    owners = defaultdict(list)
    for material_id, row in rows.items():
        owners[row].append(material_id)
    found = pd.DataFrame(
        {
            "material_id": m.material_id,
            "sets": [source for source, held in sets.items() if m.material_id in held],
            "energy_above_hull": stability.get(m.material_id),
            "row": rows.get(m.material_id),
            "others": [other for other in owners.get(rows.get(m.material_id), ()) if other != m.material_id],
            "volume_change": changes.get(m.material_id, (None, None))[1],
        }
        for m in materials
    )
    return pd.concat([found, more[found.columns]], ignore_index=True).astype({"row": "Int16"})


def _same_crystals(materials: Sequence[Material], unnamed: Sequence[Material]) -> dict[str, int]:
    """ID -> position in `unnamed` of the crystal that fits it best, for IDs that one fits within `CLOSE`."""
    by_formula = defaultdict(list)
    for row, material in enumerate(unnamed):
        by_formula[material.formula].append((row, material.structure))
    matcher, found = StructureMatcher(), {}
    for material in materials:
        volume, fits = _volume(material.structure), []
        for row, structure in by_formula.get(material.formula, ()):
            if abs(_volume(structure) / volume - 1) < CLOSE:
                distance = matcher.get_rms_dist(material.structure, structure)
                if distance and distance[0] < CLOSE:
                    fits.append((round(distance[0], 5), row))
        if fits:
            found[str(material.material_id)] = min(fits)[1]
    return found


def _relaxed_again(
    materials: Sequence[Material], unnamed: Mapping[int, Material]
) -> dict[str | None, tuple[int, float]]:
    """ID -> row and change of volume of the one of `unnamed` that fits within `AGAIN`, and fits no other ID.

    Of one space group, for the rest might be another phase. Of seventeen that have a refractive index of their
    own, fourteen have that of the row to 0.2 %; of those within `CLOSE`, 85 in a hundred have.
    """
    rows_of, fits = defaultdict(list), []
    for row, one in unnamed.items():
        rows_of[one.formula, one.space_group_number].append(row)
    matcher = StructureMatcher()
    for material in materials:
        for row in rows_of.get((material.formula, material.space_group_number), ()):
            distance = matcher.get_rms_dist(material.structure, unnamed[row].structure)
            change = _volume(unnamed[row].structure) / _volume(material.structure) - 1
            if distance and distance[0] < AGAIN[0] and abs(change) < AGAIN[1]:
                fits.append((material.material_id, row, round(float(change), 4)))
    ids, rows = Counter(one[0] for one in fits), Counter(one[1] for one in fits)
    return {name: (row, change) for name, row, change in fits if ids[name] == rows[row] == 1}


def _volume(structure: Structure) -> float:
    return structure.volume / len(structure)
