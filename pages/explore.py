"""All materials at once: filters, periodic table, distributions, a scatter with the clicked crystal beside it."""

from collections.abc import Callable
from functools import partial

import pandas as pd
import streamlit as st

from engine.crystals.material import Material
from engine.data import exports
from engine.data.table_filter import Filter, one_a_crystal, sentence, without_value
from pages.components import cached
from pages.components.crystal.viewer import structure_view
from pages.components.explore import filters, linked, scatter_charts
from pages.components.explore.scatter_charts import AXIS_LABELS
from pages.components.material import tensor_view
from pages.components.site import LOOK_UP, header
from pages.components.widgets import DASH, MOVABLE, clicked_rows, crystal_names, space_group, subscripts, written

QUANTITIES = list(AXIS_LABELS)
TITLES = {
    "space_group": "space group",
    "crystal_system": "crystal system",
    "band_gap": "PBE band gap (eV)",
    "natoms": "atoms",
}
SHOWN = ["id", "formula", "space_group", "crystal_system", *QUANTITIES, "doubts", "source"]


def address(row: pd.Series) -> dict[str, str]:
    """Query parameters that lead to this row's material: its ID, or formula and row where it has none."""
    if pd.notna(row["id"]):
        return {"mp_id": row["id"]}
    return {"mp_id": row["formula"], "row": str(row.name)}


def scatter(rows: pd.DataFrame) -> None:
    """Two quantities against each other, and the crystal that was clicked."""
    left, right = st.columns([3, 2], gap="medium")
    with left:
        draw_scatter(rows)
    with right:
        beside(st.query_params.get("shown"))


def draw_scatter(rows: pd.DataFrame) -> None:
    """The scatter with its choice of axes."""
    choices = cached.columns_with_values(rows, QUANTITIES)
    left, middle, right = st.columns([3, 3, 2], vertical_alignment="bottom")
    with left:
        x = quantity("Across", choices, "across", "n")
    with middle:
        y = quantity("Up", choices, "up", "band_gap")
    log = right.toggle("Log axes", value=True, key="log", bind="query-params")
    st.plotly_chart(
        scatter_charts.scatter(rows, crystal_names(rows), x, y, log=log), key="scatter", on_select=remember,
        config=MOVABLE, alt=f"{AXIS_LABELS[y]} against {AXIS_LABELS[x]}, a point a crystal",
    )  # fmt: skip
    count = rows[[x, y]].notna().all(axis=1).sum()
    st.caption(
        f"{count:,} of these crystals have both quantities. A click shows the crystal beside; box or lasso "
        "select several for the table and its files."
    )


def quantity(label: str, choices: list[str], key: str, first: str) -> str:
    """One of the quantities, kept in the address."""
    index = choices.index(first) if first in choices else 0
    return st.selectbox(label, choices, index, format_func=AXIS_LABELS.__getitem__, key=key, bind="query-params")


def remember() -> None:
    """Show the clicked crystal from now on, or keep the several that were selected for the table (a callback)."""
    rows = clicked_rows("scatter")
    if len(rows) == 1:
        st.query_params["shown"] = str(rows[0])
    st.session_state.picked = rows if len(rows) > 1 else []


def forget() -> None:
    """No selection in the scatter (a callback)."""
    st.session_state.picked = []


def beside(row: str | None) -> None:
    """The crystal of that row with its key figures, or what to do to see one."""
    materials = cached.materials()
    if row is None or not row.isdecimal() or int(row) >= len(materials):
        st.info("Click a point to see its crystal here.", icon=":material/ads_click:")
        return
    crystal(materials[int(row)], cached.table().iloc[int(row)])


def crystal(material: Material, row: pd.Series) -> None:
    """Structure, DFT figures and the way to everything else."""
    st.subheader(subscripts(material.formula), anchor=False)
    facts = [material.material_id, space_group(material.space_group_symbol), material.crystal_system]
    st.markdown(" · ".join(filter(None, facts)))
    st.page_link(
        LOOK_UP, label="Prediction and tensors", icon=":material/open_in_full:", query_params=address(row)
    )
    structure_view(material.structure, key="explore")
    tensor_view.summary(None, material)
    tensor_view.doubts_note(material)


def listing(rows: pd.DataFrame) -> None:
    """The table itself, with downloads."""
    picked = rows.index.intersection(st.session_state.get("picked", []))
    if len(picked):
        rows = rows.loc[picked]
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"Only the **{len(rows):,}** of them that are selected in the scatter.", width="content")
            st.button("Show all that pass", on_click=forget)
    formats = {TITLES.get(name, name): st.column_config.NumberColumn(format="%.3f") for name in QUANTITIES[:-1]}
    chosen = st.dataframe(
        written(rows)[SHOWN].rename(columns=TITLES), hide_index=True, height=420, key="listing", on_select="rerun",
        selection_mode="single-row", alt="Table of the crystals", placeholder=DASH,
        column_config=formats | {"id": st.column_config.TextColumn(width=95)},
    )  # fmt: skip
    if chosen["selection"]["rows"]:
        st.switch_page(LOOK_UP, query_params=address(rows.iloc[chosen["selection"]["rows"][0]]))
    st.caption("Tick a row to open its material.")
    downloads(rows)


def downloads(rows: pd.DataFrame) -> None:
    """These rows as files, each made when it is asked for."""
    materials = [cached.materials()[row] for row in rows.index]
    makers: dict[str, tuple[str, str, Callable[[], str | bytes]]] = {
        "CSV": ("csv", "text/csv", partial(exports.to_csv, rows[SHOWN], materials)),
        "Parquet": ("parquet", "application/vnd.apache.parquet", partial(exports.to_parquet, materials)),
        "extxyz": ("extxyz", "chemical/x-xyz", partial(exports.to_extxyz, materials)),
    }
    with st.container(horizontal=True):
        for name, (ending, kind, make) in makers.items():
            st.download_button(f"Download {name}", make, f"materials.{ending}", kind, on_click="ignore", key=name)
    st.caption(
        "CSV holds these columns, the tensors, the lattice vectors that fix their axes, and what to cite. Parquet "
        "holds the structures too, as `python -m engine train --data FILE` and `load_dataset` read them. extxyz "
        "(ASE) holds structures and tensors in the Cartesian axes of each frame."
    )


def stated(wanted: Filter, count: int, of: int) -> None:
    """The filter in words, and the way back to no filter."""
    st.markdown(f"**{sentence(wanted, count, of)}**", width="stretch")
    unknown = without_value(wanted, everything)
    if unknown:
        told = "; ".join(f"{of:,} without a known {name}" for name, of in unknown.items())
        st.markdown(f":gray[Left out as unknown: {told}]", width="stretch")
    st.button("Reset filters", on_click=filters.reset, disabled=not wanted.asks, icon=":material/filter_alt_off:")


everything = cached.table()
crystals = one_a_crystal(everything)
header(
    "Explore",
    f"{len(crystals):,} crystals with DFT dielectric data. Tensors are given by the mean of their diagonal.",
)
statement = st.container(horizontal=True, vertical_alignment="center")
left, right = st.columns([2, 7], gap="medium")
with left:
    wanted = filters.chosen_filter(everything)
selected = one_a_crystal(wanted.keep(everything))
with statement:
    stated(wanted, len(selected), len(crystals))
with right:
    points, table, spreads, rows = st.tabs(
        ["Scatter", "Elements", "Distributions", "Table"], key="view", bind="query-params"
    )
    if selected.empty:
        st.info("No crystal passes all filters. Widen or reset them.", icon=":material/filter_alt_off:")
    elif points.open:
        with points:
            scatter(selected)
    elif rows.open:
        with rows:
            listing(selected)
    if table.open:
        with table:
            linked.elements(selected, wanted)
    elif spreads.open:
        with spreads:
            linked.distributions(selected, crystals)
