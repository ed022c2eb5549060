"""The rows of a screening: ranked, filtered, drawn, taken away, and any of them opened."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from engine.errors import EngineError
from engine.runs.screening_run import Screening
from engine.screening import table
from engine.screening.pareto import front
from engine.screening.rows import QUANTITIES
from engine.screening.table import LOW_IS_BETTER
from pages.components import cached
from pages.components.crystal.viewer import structure_view
from pages.components.material import answer_view
from pages.components.screen import filters, front_chart
from pages.components.site import LOOK_UP
from pages.components.widgets import (
    DASH,
    INTERVAL,
    MOVABLE,
    clicked_rows,
    number,
    show_table,
    show_warnings,
    subscripts,
)

MOST_LISTED = 500  # rows of the table; the downloads hold all
MOST_REFUSED = 1000  # reasons on the page
HIGH, LOW = "high", "low"
TITLES = {  # of the table's columns, in which there is little room
    "n": "n",
    "electronic": "ε∞",
    "ionic": "ε ionic",
    "total": "ε₀",
    "gap": "gap (eV)",
    "merit": "ε₀ × gap (eV)",
    "birefringence": "Δn",
    "anisotropy": "anisotropy",
    "metallic": "P(metal)",
    "natoms": "atoms",
}
FIRST_PAIR = (
    "gap",
    "total",
    "electronic",
    "n",
)  # axes at first: the gap, and the first of the others that is there
DETAILED = "detailed-row"  # of the session's state
PARTS = {"electronic": "ε∞, electronic", "ionic": "ε, ionic", "total": "ε₀, total"}


def results(screening: Screening, paths: Sequence[Path]) -> None:
    """All that can be seen of the rows in these files."""
    rows = cached.screened(paths)
    answered = rows["error"].isna()
    known = cached.columns_with_values(rows, list(QUANTITIES))
    if not known:
        st.info("No structure has been answered: the reasons are below.", icon=":material/info:")
        refused(rows)
        return
    statement = st.container(horizontal=True, vertical_alignment="center")
    left, right = st.columns([2, 7], gap="medium")
    with left:
        by, lowest = _ranked_by(known)
        wanted = filters.chosen_sieve(rows, by)
    passing = wanted.keep(rows)
    with statement:
        st.markdown(f"**{wanted.sentence(len(passing), int(answered.sum()))}**", width="stretch")
        st.button("Reset filters", on_click=filters.reset, icon=":material/filter_alt_off:")
    with right:
        count = int((~answered).sum())
        scatter, listing, reasons = st.tabs(
            ["Scatter", "Table", f"Refused ({count:,})"], key="rows", on_change="rerun"
        )
        if reasons.open:
            with reasons:
                refused(rows)
        elif passing.empty:
            st.info("No crystal passes all filters. Widen or reset them.", icon=":material/filter_alt_off:")
        elif scatter.open:
            with scatter:
                _scatter(passing, known, paths)
        else:
            with listing:
                _beside(partial(_listing, passing, known, by, lowest, paths), paths)
    detailed(screening, paths)


def refused(rows: pd.DataFrame) -> None:
    """Structures without an answer, each with its reason."""
    found = rows.loc[rows["error"].notna(), ["name", "error"]]
    if found.empty:
        st.caption("Every structure has been answered.")
        return
    st.dataframe(
        found.head(MOST_REFUSED).rename(columns={"name": "structure", "error": "why it has no answer"}),
        hide_index=True, key="refused-rows", alt="Refused structures and the reasons",
    )  # fmt: skip


def _ranked_by(known: list[str]) -> tuple[str, bool]:
    by = st.selectbox(
        "Rank by", known, known.index("merit") if "merit" in known else 0, format_func=QUANTITIES.__getitem__,
        key="by", bind="query-params",
    )  # fmt: skip
    order = st.segmented_control(
        "First", [HIGH, LOW], default=_better(by), key=f"order-{by}", required=True, format_func="{}est".format
    )
    return by, order == LOW


def _better(quantity: str) -> str:
    return LOW if quantity in LOW_IS_BETTER else HIGH


def _beside(draw: Callable[[], None], paths: Sequence[Path]) -> None:
    """Rows in one way or other, and beside them the one that was clicked."""
    left, right = st.columns([3, 2], gap="medium")
    with left:
        draw()
    with right:
        source = st.query_params.get("shown")
        row = None if source is None else table.read_row(paths, source)
        if row is None or row["error"] is not None:
            st.info("Click a crystal to see it here.", icon=":material/ads_click:")
        else:
            _crystal(row)


def _scatter(rows: pd.DataFrame, known: list[str], paths: Sequence[Path]) -> None:
    """Two quantities against each other with the front, and the crystal that was clicked."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        x, high_x = _axis("Across", known, "x", FIRST_PAIR[0])
        y, high_y = _axis("Up", known, "y", next((one for one in FIRST_PAIR[1:] if one in known), known[-1]))
        log = st.toggle("Log axes", value=True, key="log", bind="query-params", width="content")
    on_front = front(rows[x].to_numpy(), rows[y].to_numpy(), high_x=high_x, high_y=high_y)
    _beside(lambda: _chart(rows, on_front, x, y, log=log), paths)


def _chart(rows: pd.DataFrame, on_front: np.ndarray, x: str, y: str, *, log: bool) -> None:
    figure = front_chart.scatter(rows, on_front, x, y, log=log)
    alt = f"{QUANTITIES[y]} against {QUANTITIES[x]}, with the Pareto front"
    pick = partial(_remember, rows["source"])
    st.plotly_chart(figure, key="front", config=MOVABLE, on_select=pick, alt=alt)
    count = int(rows[[x, y]].notna().all(axis=1).sum())
    drawn = f" {front_chart.MOST_DRAWN:,} of them are drawn." if count > front_chart.MOST_DRAWN else ""
    st.caption(
        f"{count:,} of these crystals have both quantities.{drawn} {len(on_front):,} are on the Pareto front: no "
        "other is better in one quantity without being worse in the other. A click shows a crystal."
    )


def _axis(label: str, known: list[str], key: str, first: str) -> tuple[str, bool]:
    """A quantity, and whether more of it is better."""
    index = known.index(first) if first in known else 0
    quantity = st.selectbox(
        label, known, index, format_func=QUANTITIES.__getitem__, key=key, bind="query-params", width=215
    )
    better = st.segmented_control(
        "better",
        [HIGH, LOW],
        default=_better(quantity),
        key=f"{key}-{quantity}-better",
        required=True,
        width="content",
    )
    return quantity, better == HIGH


def _remember(sources: pd.Series) -> None:
    """Show the crystal that was clicked from now on (a callback)."""
    rows = clicked_rows("front")
    if len(rows) == 1:
        st.query_params["shown"] = sources[rows[0]]


def _crystal(row: dict[str, Any]) -> None:
    """The crystal of a row, its figures, and the way to everything else."""
    st.subheader(subscripts(row["formula"]), anchor=False)
    atoms = f"{row['natoms']} atom{'s' if row['natoms'] > 1 else ''} in the cell"
    st.markdown(" · ".join(filter(None, [row["material_id"], atoms])))
    with st.container(horizontal=True):
        tell = "Tensor and its interval, below"
        st.button(tell, on_click=_open, args=(row["source"],), icon=":material/arrow_downward:")
        if row["material_id"]:
            asked = {"mp_id": row["material_id"]}
            st.page_link(LOOK_UP, label="Look up", icon=":material/open_in_full:", query_params=asked)
    show_table(figures(row))
    if row["warnings"]:
        show_warnings([row["warnings"].replace(row["formula"], subscripts(row["formula"]))])
    structure_view(table.structure_of(row), key="screened")


def figures(row: dict[str, Any]) -> dict[str, dict[str, str]]:
    """The key figures of a row, and the intervals of those that have one."""
    of_gap = ", DFT" if row["gap_known"] else ", estimate"
    shown = {"n": "Refractive index n"} | PARTS | {"gap": f"Band gap{of_gap} (eV)", "merit": "ε₀ times gap (eV)"}
    shown |= {"birefringence": "Birefringence", "metallic": "Probability of a metal"}
    values = {title: number(row[name]) for name, title in shown.items() if row[name] is not None}
    ends = {
        title: (row[f"{part}_interval90_low"], row[f"{part}_interval90_high"]) for part, title in PARTS.items()
    }
    intervals = {title: f"{number(low)}–{number(high)}" for title, (low, high) in ends.items() if low is not None}
    return {"Prediction": values, INTERVAL: intervals}


def _open(source: str) -> None:
    """Predict a row's crystal once more, with all that follows from it (a callback)."""
    st.session_state[DETAILED] = source


def detailed(screening: Screening, paths: Sequence[Path]) -> None:
    """The crystal whose tensor was asked for, as the Predict page shows one."""
    source = st.session_state.get(DETAILED)
    if source is None or source != st.query_params.get("shown"):
        return
    row = table.read_row(paths, source)
    if row is None:
        return
    st.divider()
    st.subheader(subscripts(row["formula"]), anchor=False)
    try:
        answer = cached.prediction_of_row(str(screening.folder), source, row, screening.asked.settings)
    except EngineError as error:
        st.error(str(error), icon=":material/block:")
    else:
        answer_view.show(answer, "opened")


def _listing(rows: pd.DataFrame, known: list[str], by: str, lowest: bool, paths: Sequence[Path]) -> None:
    """The best rows, and all that pass as files."""
    ranked = rows.dropna(subset=[by]).sort_values(by, ascending=lowest, kind="stable")
    best = ranked.head(MOST_LISTED)
    columns = ["name", "formula", *dict.fromkeys([by, *known])]
    shown = best[columns].assign(
        formula=best["formula"].map(subscripts),
        warnings=best["warned"].map({True: "yes", False: ""}),
        link="/?mp_id=" + best["material_id"],
    )
    titles = {"name": "structure", "link": "Look up", **TITLES}
    numbers = {TITLES[name]: st.column_config.NumberColumn(format="%.3f") for name in known if name != "natoms"}
    st.dataframe(
        shown.rename(columns=titles), hide_index=True, height=440, key="best", on_select=partial(_pick, best),
        selection_mode="single-row", placeholder=DASH, alt=f"Crystals ranked by {QUANTITIES[by]}",
        column_config=numbers | {"Look up": st.column_config.LinkColumn(display_text="open")},
    )  # fmt: skip
    left_out = f", the best {MOST_LISTED:,} are listed" if len(ranked) > MOST_LISTED else ""
    unknown = len(rows) - len(ranked)
    without = f" {unknown:,} without a value are left out." if unknown else ""
    st.caption(f"{len(ranked):,} ranked by {QUANTITIES[by]}{left_out}.{without} Tick a row to see its crystal.")
    _downloads(paths, ranked.index.tolist())


def _pick(best: pd.DataFrame) -> None:
    """Show the crystal of the row that was ticked (a callback)."""
    ticked = st.session_state["best"]["selection"]["rows"]
    if ticked:
        st.query_params["shown"] = str(best["source"].iloc[ticked[0]])


def _downloads(paths: Sequence[Path], positions: list[int]) -> None:
    """The ranked rows as files, each made when it is asked for."""
    with st.container(horizontal=True):
        st.download_button(
            "Download CSV", partial(table.to_csv, paths, positions), "screening.csv", "text/csv", on_click="ignore"
        )
        st.download_button(
            "Download Parquet", partial(table.to_parquet, paths, positions), "screening.parquet",
            "application/vnd.apache.parquet", on_click="ignore",
        )  # fmt: skip
    st.caption(
        "All that are ranked, with tensors, intervals and warnings. Parquet holds the crystals too, and can be "
        "screened again by a slower method: `python -m engine screen screening.parquet --out ...`."
    )
