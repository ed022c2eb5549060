"""How far a shipped model can be trusted: its errors on crystals whose formula it never saw."""

from collections.abc import Callable

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from engine.errors import EngineError
from engine.metrics import LARGEST_ENTRY, SMALLEST_MEAN
from engine.out_of_fold import LEVEL
from engine.report import Judged, model_card
from engine.shipped_models import MODELS_FOLDER, available_models
from pages.components import cached, model_charts
from pages.components.site import LOOK_UP, header
from pages.components.widgets import show_metrics, show_table

WORST = 10  # crystals listed
MOVABLE = {"displaylogo": False, "scrollZoom": True}
FIXED = {"displaylogo": False, "modeBarButtons": [["toImage"]]}


def draw(figure: go.Figure, key: str, alt: str) -> None:
    """A chart to read, with its download button."""
    st.plotly_chart(figure, key=key, config=FIXED, alt=alt)


def open_material(material_id: str) -> None:
    """Go to the Look up page of this material."""
    st.switch_page(LOOK_UP, query_params={"mp_id": material_id})


def clickable(figure: go.Figure, key: str, alt: str) -> None:
    """A chart whose points open their material."""
    chosen = st.plotly_chart(
        figure, key=key, config=MOVABLE, alt=alt, on_select="rerun", selection_mode="points"
    )
    if chosen["selection"]["points"]:
        open_material(chosen["selection"]["points"][0]["customdata"][0])


def parity(judged: Judged) -> None:
    """Means and components against DFT; the crystals that are furthest off."""
    target = judged.metrics.target
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Mean of the diagonal**")
        clickable(model_charts.mean_parity(judged.crystals, target), "means", f"Predicted {target} means")
    with right:
        st.markdown("**Every component**")
        clickable(
            model_charts.component_parity(judged.components, target),
            "components",
            f"Predicted {target} components",
        )
    st.caption(
        "One point a crystal on the left, six on the right, in the structure's own axes. Click a point to open "
        "its material. A mean of zero has no place on the logarithmic axes."
    )
    st.markdown("**Furthest off**")
    listing(judged.worst(WORST))


def listing(crystals: pd.DataFrame) -> None:
    """Crystals to open by a tick."""
    titles = {
        "formula": "formula", "material_id": "id", "crystal_system": "crystal system", "dft": "DFT mean",
        "predicted": "predicted mean", "error": "error (%)",
    }  # fmt: skip
    chosen = st.dataframe(
        crystals[list(titles)].rename(columns=titles), hide_index=True, key="listing", on_select="rerun",
        selection_mode="single-row", column_config={
            "DFT mean": st.column_config.NumberColumn(format="%.2f"),
            "predicted mean": st.column_config.NumberColumn(format="%.2f"),
            "error (%)": st.column_config.NumberColumn(format="%.0f"),
        },
    )  # fmt: skip
    if chosen["selection"]["rows"]:
        open_material(crystals["material_id"].iloc[chosen["selection"]["rows"][0]])
    st.caption("Tick a row to open its material.")


def where_it_errs(judged: Judged) -> None:
    """Error by element, crystal system and refractive index."""
    draw(model_charts.periodic_table(judged.by_element), "elements", "Periodic table of median errors")
    left, right = st.columns(2, gap="medium")
    with left:
        figure = model_charts.spread(judged.by_crystal_system, "crystal system")
        draw(figure, "systems", "Error by crystal system")
    with right:
        figure = model_charts.spread(judged.by_index, "refractive index n")
        draw(figure, "indices", "Error by refractive index")
    st.caption(
        f"Error of the {judged.metrics.target} mean, relative to DFT; means under {SMALLEST_MEAN} have none. "
        "A box holds the middle half of the crystals, its line is the median, the whiskers leave out 5 % at each "
        "end. Elements of no crystal are pale; the pointer shows how many crystals hold the others."
    )


def intervals(by_target: dict[str, Judged]) -> None:
    """Whether the intervals hold what they promise."""
    left, right = st.columns(2, gap="large")
    with left:
        curves = {name: judged.calibration for name, judged in by_target.items()}
        draw(model_charts.calibration(curves), "calibration", "Observed share against level of the interval")
    with right:
        st.markdown(f"**DFT means inside the {100 * LEVEL:.0f} % interval**")
        show_table({name: held(judged.coverage) for name, judged in by_target.items()})
    st.caption(
        "Each interval was calibrated on other folds than the crystal's own. A curve on the dotted line keeps its "
        "promise at every level; below it the intervals are too narrow. The promise is for all crystals together, "
        "so a crystal system can lie on either side."
    )


def held(coverage: pd.DataFrame) -> dict[str, str]:
    """Coverage of each group as text, with the number of crystals."""
    return {group: f"{row['inside']:.0f} % of {row['crystals']:,.0f}" for group, row in coverage.iterrows()}


def learning_curve(target: str) -> None:
    """Error against the number of training crystals."""
    rows = cached.learning_curve()
    if rows is None:
        st.info("How the error falls with more training crystals was not measured for the shipped models.")
        return
    rows = rows[rows["target"] == target]
    left, right = st.columns(2, gap="medium")
    with left:
        figure = model_charts.learning_curve(rows, "mard", f"{target} mean, relative error (%)")
        draw(figure, "learning-mard", "Relative error against number of training crystals")
    with right:
        figure = model_charts.learning_curve(rows, "ewt10", f"{target} tensors within 10 % (%)")
        draw(figure, "learning-ewt10", "Share of tensors within 10 % against number of training crystals")
    st.caption(
        "Both networks, trained on a part of the crystals and judged on formulas that they never saw, over the "
        f"crystals with every DFT entry below {LARGEST_ENTRY:.0f}."
    )


def card(name: str) -> None:
    """The model's own description."""
    text = model_card(MODELS_FOLDER / name)
    if text:
        with st.expander("Model card"):
            st.markdown(text)


def attempt(section: Callable[..., None], *arguments: object) -> None:
    """Draw a section, or say why it cannot be drawn."""
    try:
        section(*arguments)
    except EngineError as error:
        st.error(str(error), icon=":material/block:")


def result(name: str) -> None:
    """All figures of one model."""
    by_target = cached.judged(name)
    if by_target is None:
        st.info(f"{name} was never judged: there are no out-of-fold predictions in its folder.")
        return
    show_metrics([judged.metrics for judged in by_target.values()])
    st.caption(
        f"Over the crystals with every DFT entry below {LARGEST_ENTRY:.0f}, as in published tables; the figures "
        "below hold the others too. Out-of-fold: each crystal was predicted by a network whose training left out "
        "every crystal of its formula."
    )
    target = st.segmented_control(
        "Tensor", list(by_target), default=next(iter(by_target)), key="tensor", required=True, bind="query-params"
    )
    tabs = st.tabs(["Parity", "Where it errs", "Intervals", "Learning curve"])
    with tabs[0]:
        parity(by_target[target])
    with tabs[1]:
        where_it_errs(by_target[target])
    with tabs[2]:
        intervals(by_target)
    with tabs[3]:
        attempt(learning_curve, target)


header("Model", "How well the network predicts crystals whose formula it never saw.")
name = st.selectbox("Model", available_models(), key="model", bind="query-params", width=420)
if name is None:
    st.info("No model is there yet.")
else:
    attempt(result, name)
    card(name)
