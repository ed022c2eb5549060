"""Every crystal on this machine under its Materials Project ID, and how stable it is."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

import pyarrow.parquet as pq

from engine.crystals.material import Material
from engine.data.datasets import EMBEDDED, SHIPPED, load_dataset
from engine.files import DATA_FOLDER

FILE = "identifiers.parquet"
PHONONDB, CITED = "phonondb-2018", "cited"  # of IDs alone
SOURCES = ("elastic-2015", "piezoelectric-2015", "flla-2015")  # of the crystals in the catalogue


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What is known of an ID beside its crystal.

    Attributes:
        sets: those of `SOURCES` that hold the ID, or `PHONONDB`, or `CITED`.
        energy_above_hull: eV per atom, of 2015; None where it is not known.
        row: position of the same crystal in `EMBEDDED[1]`, found by its structure; None where there is none.
        others: further IDs of which that row is the crystal too.
        volume_change: share by which the row's volume is larger than that of the ID's own crystal, where it was
            relaxed once more; None where both are one calculation's.
    """

    sets: tuple[str, ...]
    energy_above_hull: float | None
    row: int | None
    others: tuple[str, ...]
    volume_change: float | None


@lru_cache(maxsize=1)
def identities() -> dict[str, Identity]:
    """Each embedded Materials Project ID, and what is known of it."""
    return {
        row["material_id"]: Identity(
            sets=tuple(row["sets"]),
            energy_above_hull=row["energy_above_hull"],
            row=row["row"],
            others=tuple(row["others"]),
            volume_change=row["volume_change"],
        )
        for row in pq.read_table(DATA_FOLDER / FILE).to_pylist()
    }


def indexed() -> list[Material]:
    """`EMBEDDED[1]` in its order, with IDs where a structure with an ID is the same crystal."""
    owners: dict[int, str] = {}
    for material_id, identity in identities().items():
        if identity.row is not None:
            owners.setdefault(identity.row, material_id)
    return [
        replace(material, material_id=owners[row]) if row in owners else material
        for row, material in enumerate(load_dataset(EMBEDDED[1]))
    ]


def catalogued(known: Iterable[Material]) -> list[Material]:
    """Crystals of the catalogue whose ID none of `known` has."""
    held = {material.material_id for material in known}
    return [material for material in load_dataset(SHIPPED[2]) if material.material_id not in held]


def uncertain(material: Material) -> str:
    """What is not certain of an embedded material's ID, a sentence; empty where there is nothing."""
    identity = identities().get(material.material_id or "")
    if identity is None or identity.row is None:
        return ""
    if identity.others:
        also = " and ".join(identity.others)
        return f"{material.material_id} and {also} are one crystal by structure: the refractive index is theirs."
    if identity.volume_change is not None:
        return (
            f"By its structure, {material.material_id} is the crystal of matbench-dielectric that the refractive "
            f"index is of, relaxed once more: its volume there differs by {abs(identity.volume_change):.1%}."
        )
    if CITED in identity.sets:
        return (
            f"{material.material_id} is the ID by which this crystal is widely cited; its data set holds no IDs."
        )
    if PHONONDB in identity.sets:
        return f"{material.material_id} is the ID of the same crystal in the Kyoto phonon database, by structure."
    if material.source in SOURCES:
        return f"The refractive index is that of the same crystal in {EMBEDDED[1]}, found by its structure."
    return ""


def energy_above_hull(material: Material) -> float | None:
    """eV per atom, as it was fetched or as it was in 2015; None where it is not known."""
    if material.fetched is not None:
        return material.fetched.energy_above_hull
    identity = identities().get(material.material_id or "")
    return None if identity is None else identity.energy_above_hull
