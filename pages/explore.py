"""All embedded materials at once: filters, distributions, a scatter that opens what is clicked."""

import pandas as pd
import streamlit as st

from engine.materials import CRYSTAL_SYSTEMS
from pages.components import cached, charts
from pages.components.site import LOOK_UP, header

QUANTITIES = list(charts.AXIS_LABELS)
TITLES = {
    "space_group": "space group",
    "crystal_system": "crystal system",
    "band_gap": "band gap (eV)",
    "natoms": "atoms",
}
SHOWN = ["id", "formula", "space_group", "crystal_system", *QUANTITIES, "source"]


def between(rows: pd.DataFrame, column: str, label: str) -> pd.Series:
    """Slider over the column's range; rows without a value pass while the slider spans all."""
    values = rows[column].dropna()
    low, high = values.min().item(), values.max().item()
    chosen = st.slider(label, low, high, (low, high), key=f"range-{column}")
    if chosen == (low, high):
        return pd.Series(True, index=rows.index)
    return rows[column].between(*chosen)


def filters(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows that the visitor's filters keep."""
    names = rows["source"].unique().tolist()
    sources = st.multiselect("Data set", names, key="sources", placeholder="all")
    systems = st.multiselect("Crystal system", CRYSTAL_SYSTEMS, key="systems", placeholder="all")
    symbols = sorted({symbol for elements in rows["elements"] for symbol in elements})
    wanted = st.multiselect("Holds all of these elements", symbols, key="wanted", placeholder="any")
    unwanted = st.multiselect("Holds none of these", symbols, key="unwanted", placeholder="none")
    keep = between(rows, "n", "Refractive index n")
    keep &= between(rows, "band_gap", "Band gap (eV)")
    keep &= between(rows, "natoms", "Atoms in the cell")
    keep &= rows["source"].isin(sources or names)
    keep &= rows["crystal_system"].isin(systems or CRYSTAL_SYSTEMS)
    keep &= rows["elements"].map(lambda held: set(wanted) <= set(held) and not set(unwanted) & set(held))
    return rows[keep]


def open_material(row: pd.Series) -> None:
    """Go to the Look up page of this row."""
    st.switch_page(LOOK_UP, query_params=address(row))


def address(row: pd.Series) -> dict[str, str]:
    """Query parameters that lead to this row: its ID, or formula and row where it has none."""
    if pd.notna(row["id"]):
        return {"mp_id": row["id"]}
    return {"mp_id": row["formula"], "row": str(row.name)}


def scatter(rows: pd.DataFrame) -> None:
    """Two quantities against each other; a click opens the material."""
    choices = cached.columns_with_values(rows, QUANTITIES)
    left, middle, right = st.columns([2, 2, 1], vertical_alignment="bottom")
    x = left.selectbox(
        "Across", choices, format_func=charts.AXIS_LABELS.get, key="across", index=_at(choices, "n")
    )
    y = middle.selectbox(
        "Up", choices, format_func=charts.AXIS_LABELS.get, key="up", index=_at(choices, "band_gap")
    )
    log = right.toggle("Log axes", value=True, key="log")
    figure = charts.scatter(rows, x, y, log=log)
    chosen = st.plotly_chart(
        figure, key="scatter", on_select="rerun", selection_mode="points", alt=f"{y} against {x}",
        config={"displaylogo": False, "scrollZoom": True},
    )  # fmt: skip
    points = chosen["selection"]["points"]
    if points:
        open_material(rows.loc[_index_of(points[0])])
    count = rows[[x, y]].notna().all(axis=1).sum()
    st.caption(f"{count:,} of these materials have both quantities. Click a point to open its material.")


def _at(choices: list[str], name: str) -> int:
    return choices.index(name) if name in choices else 0


def _index_of(point: dict) -> int:
    data = point["customdata"]
    return int(data[0] if isinstance(data, list) else data)


def distributions(rows: pd.DataFrame) -> None:
    """One histogram a quantity."""
    chosen = cached.columns_with_values(rows, ["n", "ionic", "anisotropy", "band_gap"])
    for place, column in zip(st.columns(2) * 2, chosen, strict=False):
        with place:
            label = charts.AXIS_LABELS[column]
            st.plotly_chart(
                charts.histogram(rows[column], label), key=f"histogram-{column}", alt=f"Distribution of {label}",
                config={"displayModeBar": False},
            )  # fmt: skip


def listing(rows: pd.DataFrame) -> None:
    """The table itself, with download."""
    plain = rows[SHOWN].rename(columns=TITLES)
    chosen = st.dataframe(
        plain, hide_index=True, height=420, key="listing", on_select="rerun", selection_mode="single-row",
        column_config={
            TITLES.get(column, column): st.column_config.NumberColumn(format="%.3f") for column in QUANTITIES[:-1]
        },
    )  # fmt: skip
    if chosen["selection"]["rows"]:
        open_material(rows.iloc[chosen["selection"]["rows"][0]])
    st.caption("Tick a row to open its material.")
    st.download_button(
        "Download these rows as CSV",
        rows[SHOWN].to_csv(index=False),
        "materials.csv",
        "text/csv",
        on_click="ignore",
    )


everything = cached.table()
header(
    "Explore",
    f"{len(everything):,} crystals with DFT dielectric data. Tensors are given by the mean of their diagonal.",
)
left, right = st.columns([1, 3], gap="large")
with left:
    selected = filters(everything)
with right:
    if selected.empty:
        st.info("No material passes all filters. Widen one of them.", icon=":material/filter_alt_off:")
    else:
        st.markdown(f"**{len(selected):,}** materials")
        tabs = st.tabs(["Scatter", "Distributions", "Table"])
        for tab, draw in zip(tabs, (scatter, distributions, listing), strict=True):
            with tab:
                draw(selected)
