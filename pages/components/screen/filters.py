"""The inputs that choose rows of a screening; their state stands in the address, so that a view can be shared."""

import pandas as pd
import streamlit as st

from engine.data.table_filter import Range
from engine.model.metals import LIKELY
from engine.screening.sieve import Sieve
from engine.screening.table import PARTS, TENSOR_OF

WIDEST = 10.0  # eV, of the slider; its end stands for all above
ANY = "any"
FACTORS = (ANY, "5", "3", "2", "1.5", "1.3", "1.2", "1.1")
DEFAULTS: dict[str, object] = {
    "gap": (0.0, WIDEST),
    "metal": LIKELY,
    "factor": ANY,
    "unwarned": False,
    "useful": True,
    "hold": [],
    "lack": [],
    "atoms": None,
}


def chosen_sieve(rows: pd.DataFrame, by: str) -> Sieve:
    """Draw the inputs for the rows of a screening that are ranked by a quantity; what they stand for."""
    symbols = sorted({symbol for elements in rows["elements"].drop_duplicates() for symbol in elements})
    ranges: dict[str, Range] = {}
    if rows["gap"].notna().any():
        low, high = st.slider("Band gap (eV)", 0.0, WIDEST, (0.0, WIDEST), 0.1, key="gap", bind="query-params")
        ranges["gap"] = (low or None, None if high == WIDEST else high)
    if rows["metallic"].notna().any():
        most = st.slider(
            "Probability of a metal, at most", 0.0, 1.0, LIKELY, 0.05, key="metal", bind="query-params"
        )
        ranges["metallic"] = (None, None if most == 1 else most)
    known = [part for part in PARTS if rows[f"width_{part}"].notna().any()] or list(PARTS)
    part = TENSOR_OF[by] if TENSOR_OF.get(by) in known else known[0]
    factor = st.select_slider(
        f"90 % interval of ε {part} within a factor of", FACTORS, ANY, key="factor", bind="query-params"
    )
    unwarned = st.toggle(
        "Without warnings",
        key="unwarned",
        bind="query-params",
        help="Crystals whose formula the model has learnt from pass: that makes a prediction no worse.",
    )
    useful = st.toggle(
        "Only useful predictions", value=True, key="useful", bind="query-params",
        help="Leaves out crystals of which a tensor's interval takes all meaning from its number.",
    )  # fmt: skip
    holds = _elements("Holds all of these elements", symbols, "hold", "any")
    lacks = _elements("Holds none of these", symbols, "lack", "none")
    atoms = st.number_input("Atoms in the cell, at most", 1, None, None, key="atoms", bind="query-params")
    ranges["natoms"] = (None, atoms)
    return Sieve(
        holds=holds, without=lacks, ranges=ranges, factor=None if factor == ANY else float(factor), part=part,
        unwarned=unwarned, useful=useful,
    )  # fmt: skip


def reset() -> None:
    """The filters as they are at first (a callback)."""
    for key, value in DEFAULTS.items():
        st.session_state[key] = value


def _elements(label: str, symbols: list[str], key: str, empty: str) -> tuple[str, ...]:
    return tuple(
        st.multiselect(
            label, symbols, key=key, placeholder=empty, bind="query-params", select_all=False, filter_mode="prefix"
        )
    )
