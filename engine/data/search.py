"""Materials by what a person types: an ID, a formula, a chemical system."""

from collections.abc import Iterable

from engine.crystals.material import Material


def find_materials(materials: Iterable[Material], query: str) -> list[Material]:
    """Materials by Materials Project ID, formula ("TiO2") or chemical system ("Ti-O"), best match first."""
    text = query.strip()
    if not text:
        return []
    materials = list(materials)
    by_id = [m for m in materials if m.material_id and m.material_id.lower() == text.lower()]
    if by_id:
        return by_id
    if "-" in text and not text.lower().startswith("mp"):
        system = tuple(sorted(part.strip().capitalize() for part in text.split("-")))
        return [m for m in materials if m.elements == system]
    formula = _reduced(text)
    return [m for m in materials if m.formula == formula]


def suggestions(materials: Iterable[Material], query: str, limit: int = 8) -> list[Material]:
    """Materials whose ID or formula begins with what was typed so far, shortest first."""
    text = query.strip().lower()
    hits = [
        m
        for m in materials
        if m.formula.lower().startswith(text) or (m.material_id or "").lower().startswith(text)
    ]
    return sorted(hits, key=lambda m: (len(m.formula), m.formula, m.material_id or ""))[:limit]


def _reduced(text: str) -> str | None:
    from pymatgen.core import Composition

    try:
        return Composition(text).reduced_formula
    except ValueError:
        return None
