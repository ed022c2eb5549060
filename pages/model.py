"""How far a shipped model can be trusted: its errors on crystals of formulas that it was not trained on."""

from collections.abc import Callable

import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engine.errors import EngineError
from engine.evaluation.external import ExternalErrors
from engine.evaluation.report import Judged, model_card
from engine.files import MODELS_FOLDER
from engine.model.out_of_fold import LEVEL
from engine.model.shipped_models import DEFAULT_MODEL, available_models
from engine.runs.run import Run
from engine.tensors.metrics import LARGEST_ENTRY, SMALLEST_MEAN
from pages.components import cached, charts
from pages.components.model import error_charts
from pages.components.model.measured_view import measured_indices
from pages.components.model.parity_view import parity
from pages.components.model.vibrations_view import vibrations
from pages.components.site import header
from pages.components.widgets import (
    DASH,
    INTERVAL,
    PERCENT,
    PLOT,
    run_title,
    show_metrics,
    show_origin,
    show_table,
)


def draw(figure: go.Figure, key: str, alt: str) -> None:
    """A chart to read, with its download button."""
    st.plotly_chart(figure, key=key, config=PLOT, alt=alt)


def where_it_errs(judged: Judged) -> None:
    """Error by element, crystal system and refractive index."""
    figure = error_charts.periodic_table(judged.by_element, dark=st.context.theme.type == "dark")
    draw(figure, "elements", "Periodic table of median errors")
    left, right = st.columns(2, gap="medium")
    with left:
        figure = error_charts.spread(judged.by_crystal_system, "crystal system")
        draw(figure, "systems", "Error by crystal system")
    with right:
        figure = error_charts.spread(judged.by_index, "refractive index n")
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
        draw(error_charts.calibration(curves), "calibration", "Observed share against level of the interval")
    with right:
        st.markdown(f"**DFT means inside the {100 * LEVEL:.0f} % interval**")
        show_table({name: held(judged.coverage) for name, judged in by_target.items()})
    st.caption(
        "Each interval was calibrated on other folds than the crystal's own. On the dotted line, as many DFT "
        "means lie inside as the level says; below it the intervals are too narrow. The calibration knows large "
        "predicted parts, low symmetry and narrow DFT gaps of similar crystals, but not the crystal's own. The "
        "share of a small group can lie far on either side."
    )


def held(coverage: pd.DataFrame) -> dict[str, str]:
    """Coverage of each group as text, with the number of crystals."""
    rows = coverage.iterrows()
    return {str(group): f"{row['inside']:.0f}{PERCENT} of {row['crystals']:,.0f}" for group, row in rows}


def learning_curve(target: str) -> None:
    """Error against the number of training crystals."""
    rows = cached.learning_curve()
    if rows is None:
        st.info("How the error falls with more training crystals was not measured for the shipped models.")
        return
    rows = rows[rows["target"] == target]
    left, right = st.columns(2, gap="medium")
    with left:
        figure = error_charts.learning_curve(rows, "mard", f"{target} mean, relative error (%)")
        draw(figure, "learning-mard", "Relative error against number of training crystals")
    with right:
        figure = error_charts.learning_curve(rows, "ewt10", f"{target} tensors within 10 % (%)")
        draw(figure, "learning-ewt10", "Share of tensors within 10 % against number of training crystals")
    st.caption(
        "Both networks, trained on a part of the crystals and judged on formulas that they were not trained on, "
        f"over the crystals with every DFT entry below {LARGEST_ENTRY:.0f}. The readout of the pretrained "
        "potential also has the same part of the refractive indices: some 400 beside the 84 crystals of the first "
        "point."
    )
    show_origin(cached.origin("learning_curve"))


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


def chosen_target(targets: list[str]) -> str:
    """One of the tensors that the model predicts, kept in the address."""
    return st.segmented_control(
        "Tensor", targets, default=targets[0], key="tensor", required=True, bind="query-params",
        label_visibility="collapsed",
    )  # fmt: skip


def figures(name: str, by_target: dict[str, Judged]) -> None:
    """The errors with the names that published tables give them."""
    st.subheader("In figures", anchor=False)
    show_metrics([judged.metrics for judged in by_target.values()])
    st.caption(
        f"Over the crystals with every DFT entry below {LARGEST_ENTRY:.0f}, as in published tables; the plots "
        "above hold the others too. Out-of-fold: each crystal was predicted by networks whose training left out "
        "every crystal of its formula. Settings were chosen with the first of the five folds in view, so that "
        "fold is no pure test; the model card says what else was."
    )
    origin = cached.origin(name)
    if origin is not None and origin.index_data:
        phonons = (
            f" and the phonon calculations of {origin.phonon_count:,} crystals" if origin.phonon_count else ""
        )
        st.caption(
            f"Not these tensors alone taught this model: {origin.index_count:,} refractive indices of "
            f"{origin.index_data}{phonons} did too, and its potential was pretrained on energies, forces and "
            "stresses of the Materials Project, also of crystals judged here."
        )
    show_origin(origin)


def external(name: str) -> None:
    """The test on crystals that were in no training and in no choice."""
    report = cached.external_test()
    if report is None or report.about["model"] != name:
        return
    st.subheader("External test", anchor=False)
    columns: dict[str, Callable[[ExternalErrors], str]] = {
        "number": lambda e: f"{e.count:,}",
        "n², median error": lambda e: f"{e.median:.1f}{PERCENT}",
        "n², mean error": lambda e: f"{e.mean:.1f}{PERCENT}",
        "MAE of n": lambda e: f"{e.mae:.3f}",
        f"n within 5{PERCENT}": lambda e: f"{e.within:.1f}{PERCENT}",
        f"inside the {INTERVAL}": lambda e: DASH if e.inside is None else f"{e.inside:.1f}{PERCENT}",
    }
    show_table({title: {e.group: text(e) for e in report.groups} for title, text in columns.items()})
    st.caption(
        "Refractive indices of matbench_dielectric, of the cells with more than 24 atoms whose formula no network "
        f"was trained on; {report.wrong_labels} have a label of n = 1, which no crystal has, and stay in."
    )
    origin, model = cached.origin("external"), cached.origin(name)
    if origin is not None and model is not None and (age := origin.age(model)):
        st.caption(age)
    show_origin(origin)


def result(name: str, by_target: dict[str, Judged], target: str) -> None:
    """A tab for each way to look at the errors, and below them the figures."""
    judged = by_target[target]
    draw: dict[str, Callable[[], None]] = {
        "Parity": lambda: parity(judged),
        "Where it errs": lambda: where_it_errs(judged),
        "Intervals": lambda: intervals(by_target),
        "Learning curve": lambda: attempt(learning_curve, target),
    }
    if name == DEFAULT_MODEL:
        draw["Against experiment"] = lambda: attempt(measured_indices)
    # What is closed is not drawn, so that a page appears at once.
    tabs = st.tabs(list(draw), key="errors", on_change="rerun", bind="query-params")
    for tab, show in zip(tabs, draw.values(), strict=True):
        if tab.open:
            with tab:
                show()
    attempt(figures, name, by_target)
    attempt(external, name)
    attempt(vibrations, name)


def report(name: str, beside: DeltaGenerator) -> None:
    """All that is known of one model's errors; the choice of tensor goes `beside` that of the model."""
    by_target = cached.judged(name)
    if by_target is None:
        st.info(f"{name} was never judged: there are no out-of-fold predictions in its folder.")
        return
    with beside:
        target = chosen_target(list(by_target))
    result(name, by_target, target)


def of_run(run: Run) -> None:
    """The errors of a model that was trained here, on the crystals that its training kept for validation."""
    st.subheader("On its validation crystals", anchor=False)
    points = run.parity()
    if points is not None:
        draw(charts.parity(points), "run-parity", "Predicted against DFT mean of each validation crystal")
    show_metrics(run.history()[-1].validation)
    st.caption(
        "Crystals whose formulas the training left out. The shipped models are judged out-of-fold, over all of "
        "them."
    )


header("Model", "How well the network predicts crystals of formulas that it was not trained on.")
left, right = st.columns([2, 3], gap="medium", vertical_alignment="center")
runs = {run.name: run for run in Run.all() if run.has_model and run.history()}
titles = {run.name: f"{run_title(run)} (your training)" for run in runs.values()}
name = left.selectbox(
    "Model", [*available_models(), *runs], key="model", bind="query-params", label_visibility="collapsed",
    format_func=lambda one: titles.get(one, one),
)  # fmt: skip
if not name:
    st.info("No model is there yet.")
elif name in runs:
    of_run(runs[name])
else:
    attempt(report, name, right)
    card(name)
