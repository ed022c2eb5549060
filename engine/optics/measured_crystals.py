"""Crystals whose infrared modes were measured: data/measured-modes.toml, which says what its entries are."""

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ase.spacegroup import Spacegroup
from pymatgen.core import Lattice, Structure

from engine.errors import required
from engine.files import DATA_FOLDER
from engine.optics.measured_modes import measured_modes

TABLE = DATA_FOLDER / "measured-modes.toml"
_CUBIC, _HEXAGONAL = 195, 143  # first space groups of cubic crystals, and of trigonal and hexagonal ones


@dataclass(frozen=True, kw_only=True)
class MeasuredMode:
    """An infrared mode at room temperature.

    Attributes:
        label: Mulliken symbol of its irreducible representation.
        order: how many softer modes have the same.
        transverse, longitudinal: cm^-1; the longitudinal one of that order, None where it is not known.
    """

    label: str
    order: int
    transverse: float
    longitudinal: float | None


@dataclass(frozen=True, kw_only=True, eq=False)
class MeasuredCrystal:
    """A crystal as measured.

    Attributes:
        phase: tells it from others of its formula.
        structure: at room temperature, by diffraction.
        modes: its infrared modes, of each representation the softest without a gap.
        source, structure_source: publications that modes and structure are from.
    """

    formula: str
    phase: str
    structure: Structure
    modes: tuple[MeasuredMode, ...]
    source: str
    structure_source: str


@lru_cache(maxsize=1)
def measured_crystals() -> tuple[MeasuredCrystal, ...]:
    """All of them, in the order of the table."""
    content = tomllib.loads(TABLE.read_text())
    return tuple(_crystal(entry, content["sources"]) for entry in content["crystal"])


def _crystal(entry: dict[str, Any], sources: dict[str, str]) -> MeasuredCrystal:
    if "modes" in entry:
        modes, source = entry["modes"], sources[entry["source"]]
    else:
        modes, source = _by_formula(entry["formula"])
    return MeasuredCrystal(
        formula=entry["formula"],
        phase=entry["phase"],
        structure=_structure(entry),
        modes=tuple(
            MeasuredMode(
                label=label, order=order, transverse=pair[0], longitudinal=pair[1] if len(pair) > 1 else None
            )
            for label, pairs in modes.items()
            for order, pair in enumerate(pairs)
        ),
        source=source,
        structure_source=sources[entry["structure"]],
    )


def _by_formula(formula: str) -> tuple[dict[str, list[list[float]]], str]:
    """The one infrared mode of a cubic halide by its dispersion formula, and where that is from."""
    known = {one.formula: one for one in measured_modes()}
    found = required(known.get(formula), f"{TABLE}: {formula} has no modes, and no dispersion formula gives them")
    source = f"H. H. Li, by way of refractiveindex.info, doi:{found.doi}"
    return {"T1u": [[found.transverse, found.longitudinal]]}, source


def _structure(entry: dict[str, Any]) -> Structure:
    group, edges, sites = entry["space_group"], entry["lattice"], entry["sites"]
    if group >= _CUBIC:
        lattice = Lattice.cubic(edges[0])
    elif group >= _HEXAGONAL:
        lattice = Lattice.hexagonal(*edges)
    else:
        lattice = Lattice.tetragonal(*edges)
    # pymatgen takes a second to make a cubic group.
    places, kinds = Spacegroup(group).equivalent_sites([site[1:] for site in sites])
    return Structure(lattice, [sites[kind][0] for kind in kinds], places)
