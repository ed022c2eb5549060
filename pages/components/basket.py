"""Crystals that a visitor has put aside to compare: what they are called in an address, and which they are."""

import re
from collections.abc import Callable
from functools import partial

import streamlit as st

from engine.crystals.material import Material
from engine.prediction.prediction import Prediction
from pages.components import cached
from pages.components.material import live
from pages.components.site import COMPARE

MOST = 6  # crystals side by side
_KEY = "basket"  # of the session's state
_WITHOUT_ID = re.compile(r"(?P<formula>.+) row (?P<row>\d+)")


def name_of(material: Material, row: int | None) -> str:
    """What the address calls a crystal: its ID, or formula and row in `cached.materials()`."""
    return material.material_id or f"{material.formula} row {row}"


def named(name: str) -> tuple[Material, Callable[[], Prediction]] | None:
    """The crystal of an ID, name or formula, the first of several, and how to predict it; or None."""
    plain = live.material_id(name)
    stored = live.local(plain)
    if stored is not None:
        date = stored.fetched.date if stored.fetched else ""
        return stored, partial(cached.prediction_of_fetched, plain, date)
    index = _row(name)
    if index is None:
        hits = cached.search(plain or name)
        index = hits[0] if hits else None
    return None if index is None else (cached.materials()[index], partial(cached.prediction_of, index))


def _row(name: str) -> int | None:
    found = _WITHOUT_ID.fullmatch(name)
    materials = cached.materials()
    if found is None or int(found["row"]) >= len(materials):
        return None
    row = int(found["row"])
    return row if materials[row].formula == found["formula"] else None


def offer(material: Material, row: int | None) -> None:
    """A button that puts the crystal aside or takes it back, and the way to the comparison."""
    basket: list[str] = st.session_state.setdefault(_KEY, [])
    name = name_of(material, row)
    held = name in basket
    st.button(
        "Take out of the comparison" if held else "Add to comparison",
        icon=":material/remove:" if held else ":material/add:",
        type="tertiary",
        key="basket-change",
        on_click=_change,
        args=(name,),
        disabled=len(basket) >= MOST and not held,
        help=f"Up to {MOST} crystals, side by side.",
    )
    if basket:
        link(f"Compare {len(basket)}", basket)


def link(label: str, names: list[str]) -> None:
    """A link to the comparison of these crystals."""
    st.page_link(COMPARE, label=label, icon=":material/compare:", query_params=[("of", one) for one in names])


def _change(name: str) -> None:
    basket = st.session_state[_KEY]
    st.session_state[_KEY] = [one for one in basket if one != name] if name in basket else [*basket, name]
