"""Crystals of JSON documents: pymatgen's, Materials Project's, OPTIMADE's and ASE's. Nothing else is decoded."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import gemmi
import numpy as np

from engine.crystals.assumed import taken
from engine.crystals.disorder import ADVICE, Mixed, MixedCrystal, Shares, added_up, check_order
from engine.crystals.refusal import MAX_STRUCTURES, Refused, check, check_count

FORMS = (
    "it must be a pymatgen Structure (lattice.matrix, and sites with species and abc), a document of Materials "
    "Project or OPTIMADE that holds one, or ASE's JSON"
)
ATTACHED = f"it is disordered (atoms are attached to a site that has no place for them); {ADVICE}"
NOT_PERIODIC = "it must be periodic along all three lattice vectors (pbc)"

# cell [3, 3] Å, atomic numbers [N], fractional [N, 3], and what was taken otherwise
Arrays = tuple[np.ndarray, np.ndarray, np.ndarray, tuple[str, ...]]


def read_documents(document: Any) -> list[Arrays]:
    """Every crystal of a decoded document.

    Raises:
        Mixed: its one crystal is disordered.
        Refused: it has none of the known forms, no period along an axis, too many atoms, or several crystals, one
            of which is disordered.
    """
    found: list[Arrays] = []
    entries = _entries(document)
    for one in entries:
        check(len(found) < MAX_STRUCTURES, f"a file may hold at most {MAX_STRUCTURES} structures; split it")
        try:
            found.append(_crystal(one))
        except Mixed as mixed:
            check(not found and next(entries, None) is None, str(mixed))
            raise
        except (KeyError, TypeError, IndexError, AttributeError) as error:
            raise Refused(FORMS) from error
    return found


def _entries(document: Any) -> Iterator[Mapping[str, Any]]:
    """The parts of a document that each describe one crystal."""
    if isinstance(document, list):
        for one in document:
            yield from _entries(one)
        return
    check(isinstance(document, dict), FORMS)
    if isinstance(document.get("ids"), list):  # ASE's JSON
        yield from (document[str(number)] for number in document["ids"])
    elif "structure" in document:  # Materials Project
        yield from _entries(document["structure"])
    elif "attributes" in document:  # OPTIMADE
        yield document["attributes"]
    elif "data" in document:  # an answer of either
        yield from _entries(document["data"])
    else:
        yield document


def _crystal(entry: Mapping[str, Any]) -> Arrays:
    if "cartesian_site_positions" in entry:
        return _of_optimade(entry)
    if "numbers" in entry and "positions" in entry:
        return _of_ase(entry)
    return _of_pymatgen(entry)


def _of_pymatgen(entry: Mapping[str, Any]) -> Arrays:
    lattice, sites = entry["lattice"], entry["sites"]
    check_count(len(sites))
    positions = np.array([site["abc"] for site in sites], dtype=float)
    cell = np.array(lattice["matrix"], dtype=float)
    periodic = lattice.get("pbc", True)
    check(periodic in (True, "T T T") or (isinstance(periodic, list) and all(periodic)), NOT_PERIODIC)
    kinds = [
        [(_atomic_number(kind.get("element")), kind.get("occu", 1)) for kind in site["species"]] for site in sites
    ]
    species = [kind for site in sites for kind in site["species"]]
    notes = taken(
        deuterium=any(kind.get("element") == "D" for kind in species),
        oxidation=any(kind.get("oxidation_state") for kind in species),
    )
    return _ordered(cell, positions, [added_up(one) for one in kinds], notes)


def _of_optimade(entry: Mapping[str, Any]) -> Arrays:
    positions = np.array(entry["cartesian_site_positions"], dtype=float)
    check_count(len(positions))
    check(all(entry.get("dimension_types") or (1, 1, 1)), NOT_PERIODIC)
    cell = np.array(entry["lattice_vectors"], dtype=float)
    check(cell.shape == (3, 3), "it has no lattice: only crystals can be read")
    kinds = {kind["name"]: kind for kind in entry.get("species") or ()}
    shares = []
    for name in entry["species_at_sites"]:
        kind = kinds.get(name, {"chemical_symbols": [name], "concentration": [1]})
        check(not kind.get("attached"), ATTACHED)
        parts = zip(kind["chemical_symbols"], kind["concentration"], strict=True)
        shares.append(added_up((_atomic_number(symbol), part) for symbol, part in parts if symbol != "vacancy"))
    heavy = any("D" in kind.get("chemical_symbols", ()) for kind in kinds.values())
    return _ordered(cell, _fractional(cell, positions), shares, taken(deuterium=heavy))


def _ordered(cell: np.ndarray, positions: np.ndarray, shares: Sequence[Shares], notes: tuple[str, ...]) -> Arrays:
    check(all(shares), "a site holds nothing; leave it out")
    crystal = MixedCrystal(cell=cell, positions=positions, shares=tuple(shares))
    check_order(crystal)
    return cell, crystal.numbers, positions, notes


def _of_ase(entry: Mapping[str, Any]) -> Arrays:
    numbers, cell = _array(entry["numbers"]), _array(entry["cell"])
    check_count(len(numbers))
    check(bool(np.all(_array(entry["pbc"]))), NOT_PERIODIC)
    check(cell.shape == (3, 3), "it has no lattice: only crystals can be read")
    return cell.astype(float), numbers.astype(int), _fractional(cell, _array(entry["positions"])), ()


def _array(value: Any) -> np.ndarray:
    """An array as ASE writes it: a list, or shape, type and numbers."""
    if isinstance(value, dict) and "array" in value:  # a cell
        value = value["array"]
    if isinstance(value, dict):
        shape, kind, numbers = value["__ndarray__"]
        check(kind in ("float64", "int64", "int32", "bool"), FORMS)
        return np.array(numbers, dtype=kind).reshape(shape)
    return np.array(value)


def _fractional(cell: np.ndarray, positions: np.ndarray) -> np.ndarray:
    check(abs(float(np.linalg.det(cell))) > 0, "its cell has no volume")
    return np.linalg.solve(cell.T, positions.T).T


def _atomic_number(symbol: Any) -> int:
    element = gemmi.Element(str(symbol))
    known = element.atomic_number > 0 and element.name == symbol
    check(known, "a site's element is not one; each needs a symbol, such as Si")
    return element.atomic_number
