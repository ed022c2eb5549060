"""Materials by what a person types: an ID, a formula, a chemical system, a name."""

import difflib
import re
from collections.abc import Iterable, Sequence, Set
from functools import lru_cache

from pymatgen.core import Composition, Element

from engine.crystals.material import MAX_Z, Material
from engine.data.catalogue import energy_above_hull
from engine.data.names import Meaning, is_usual, known_names, meaning, plain_name, respelt
from engine.data.structure_types import structure_type_of, structure_types

UNKNOWN_ENERGY = 0.03  # eV per atom: most crystals of the published sets are stable or nearly so
_DIGITS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_SYMBOLS = frozenset(Element.from_Z(z).symbol for z in range(1, MAX_Z + 1))
LONGEST, MOST_READINGS = 40, 300  # of a formula in small letters
_LIKE = 0.75  # of difflib, for a name that was mistyped


def find_materials(materials: Iterable[Material], query: str) -> list[Material]:
    """Materials by Materials Project ID ("mp-149", "MP149"), name ("quartz"), formula or chemical system ("Ti-O").

    One crystal an ID, in the order of `stablest_first`; none where nothing fits.
    """
    text = query.strip().translate(_DIGITS)
    if not text:
        return []
    materials = list(materials)
    wanted = plain_material_id(text)
    if wanted:
        return [m for m in materials if m.material_id and m.material_id.lower() == wanted][:1]
    formulas = {m.formula for m in materials}
    found = _of_meaning(materials, meaning(text, formulas)) or _of_type(materials, text, formulas)
    system = _system(text)
    if not found and system:
        found = [m for m in materials if m.elements == system]
    if not found:
        formula = _formula(text, formulas)
        found = [m for m in materials if m.formula == formula]
    return stablest_first(_one_an_id(found))


def lacks_structure(query: str, found: Sequence[Material]) -> bool:
    """Whether a name asks for a structure that none of the crystals found has: they are others of its formula."""
    wanted = meaning(query.strip().translate(_DIGITS), {m.formula for m in found})
    if wanted is None or not wanted.space_groups:
        return False
    return bool(found) and all(m.space_group_number not in wanted.space_groups for m in found)


def stablest_first(materials: Iterable[Material]) -> list[Material]:
    """The usual structure of a formula, then by energy above the hull, `UNKNOWN_ENERGY` where it is not known."""

    def rank(material: Material) -> tuple[bool, float, bool, bool, int]:
        energy = energy_above_hull(material)
        return (
            not is_usual(material),
            UNKNOWN_ENERGY if energy is None else energy,
            material.electronic is None,
            material.material_id is None,
            material.natoms,
        )

    return sorted(materials, key=rank)


def plain_material_id(text: str) -> str | None:
    """ "mp-149" for "MP-149", "mp149", "mp 149"; None for what is no such ID. The letter form stays as it is."""
    found = re.fullmatch(r"(mp|mvc)(?:[\s_-]*(\d+)|-([a-z]{8}))", text.strip().casefold())
    return f"{found[1]}-{found[2] or found[3]}" if found else None


def suggestions(materials: Iterable[Material], query: str, limit: int = 8) -> list[str]:
    """Queries that begin with what was typed so far, or look like it: IDs, formulas and names, shortest first."""
    materials = list(materials)
    text = query.strip().translate(_DIGITS).casefold()
    near = plain_material_id(text)
    ids = [m.material_id for m in materials if m.material_id and m.material_id.startswith(near or text)]
    formulas = {m.formula for m in materials}
    begins = [formula for formula in formulas if formula.casefold().startswith(text)]
    here = [name for name, meant in known_names().items() if meant.formula in formulas]
    names = [name for name in here if name.startswith(plain_name(text))]
    found = sorted({*ids, *begins, *names}, key=lambda one: (len(one), one))[:limit] if text else []
    if not found and not near:
        found = difflib.get_close_matches(plain_name(text), here, limit, _LIKE)
        by_small = {formula.casefold(): formula for formula in formulas}
        found += [by_small[one] for one in difflib.get_close_matches(text, by_small, limit, _LIKE)]
        spelt = respelt(text)
        if spelt is not None and spelt not in found and find_materials(materials, spelt):
            found.insert(0, spelt)
    return found[:limit]


def _of_meaning(materials: Sequence[Material], wanted: Meaning | None) -> list[Material]:
    """Those of the wanted space groups; all of the formula or elements where there are none of these."""
    if wanted is None:
        return []
    found = [m for m in materials if wanted.fits(m)]
    return [m for m in found if m.space_group_number in wanted.space_groups] or found


def _of_type(materials: Sequence[Material], text: str, formulas: Set[str]) -> list[Material]:
    """Crystals of a formula that have a structure type: "SrTiO3 perovskite", "half-Heusler HfNiSn"."""
    for kind in structure_types():
        words = r"[\s_\-]+".join(map(re.escape, plain_name(kind).split()))
        rest = re.sub(rf"(?<!\w){words}(?!\w)", "", text, flags=re.IGNORECASE).strip()
        if rest and rest != text:
            formula = _formula(rest, formulas)
            return [m for m in materials if m.formula == formula and structure_type_of(m) == kind]
    return []


def _one_an_id(materials: Iterable[Material]) -> list[Material]:
    """The first of each ID, and all that have none."""
    seen: dict[object, Material] = {}
    for material in materials:
        seen.setdefault(material.material_id or id(material), material)
    return list(seen.values())


def _system(text: str) -> tuple[str, ...] | None:
    """("O", "Ti") for "Ti-O"."""
    parts = [part.strip().capitalize() for part in text.split("-")]
    return tuple(sorted(parts)) if len(parts) > 1 and set(parts) <= _SYMBOLS else None


def _formula(text: str, known: Set[str]) -> str | None:
    """Reduced formula of "TiO2", "Ti O 2" and "tio2"; of the readings of small letters, the one in `known`."""
    text = re.sub(r"[\s_]+", "", text)
    for one in (text, re.sub(r"(?<=[A-Za-z])0", "O", text)):  # a zero for the letter
        exact = _reduced(one)
        if exact in known:
            return exact
        if len(one) <= LONGEST and one in (one.lower(), one.upper()):
            readings = (_reduced(reading) for reading in _readings(one.lower()))
            found = next((reading for reading in readings if reading in known), None)
            if found:
                return found
    return None


@lru_cache(maxsize=500)
def _readings(small: str) -> tuple[str, ...]:
    """Ways to write small letters as symbols of elements with their numbers, long symbols first."""
    if not small:
        return ("",)
    found = []
    for length in (2, 1):
        symbol = small[:length].capitalize()
        if symbol in _SYMBOLS or (length == 1 and symbol in "()"):
            rest = small[length:].lstrip("0123456789.")
            number = small[length : len(small) - len(rest)]
            found += [symbol + number + more for more in _readings(rest)]
    return tuple(found[:MOST_READINGS])


def _reduced(text: str) -> str | None:
    try:
        return Composition(text).reduced_formula
    except (ValueError, ZeroDivisionError):
        return None
