"""A tour of seven crystals that goes on by itself: structure, DFT tensor, prediction and why each is shown."""

import time
from contextlib import suppress

import streamlit as st

from engine.crystals.material import Material
from engine.errors import EngineError
from engine.prediction.prediction import Prediction
from engine.teaching.tour import STAY, STOPS, Stop, reason, verdict
from engine.tensors import surfaces, tensors
from pages.components import cached, charts
from pages.components.colours import faint_grey
from pages.components.crystal.overlay import Overlay
from pages.components.crystal.viewer import structure_view
from pages.components.material import infrared_view
from pages.components.material.tensor_view import PARTS
from pages.components.site import LOOK_UP, header
from pages.components.widgets import INTERVAL, PLOT, number, show_table, space_group, span, subscripts

STOP = {stop.material_id: stop for stop in STOPS}
IDS = list(STOP)
# A talk's screen is far from its audience: from this width on all is larger, up to the edges. Plotly measures
# itself in pixels of the screen, and would be cut.
LARGE = """<style>@media (min-width: 1800px) {.block-container {max-width: none; zoom: 1.35}
.stPlotlyChart {zoom: calc(1 / 1.35)}}</style>"""
BAR = """<style>@keyframes fill {{from {{width: 0}} to {{width: 100%}}}}</style>
<div id="since-{since}" style="height:3px;background:{behind}"><div style="height:3px;width:0;
background:#1f8fb0;animation:fill {seconds}s linear"></div></div>"""


def material_of(stop: Stop) -> tuple[int, Material]:
    """Row and material of a stop."""
    row = cached.search(stop.material_id)[0]
    return row, cached.materials()[row]


def go(step: int) -> None:
    """To the next crystal or the one before, round and round (a callback)."""
    st.session_state.crystal = IDS[(IDS.index(st.session_state.crystal) + step) % len(IDS)]


def start() -> None:
    """From the first crystal on, by itself (a callback)."""
    st.session_state.crystal = IDS[0]
    st.session_state.runs = True


def leave() -> None:
    """Back to the beginning (a callback)."""
    st.session_state.crystal = None
    st.session_state.runs = False


def pause() -> None:
    """Stay at this crystal, or go on (a callback)."""
    st.session_state.runs = not st.session_state.get("runs", False)


def clock(since: float, runs: bool) -> None:
    """Step on once the time is over; drawn as a bar that fills, and stays empty in a pause."""
    if runs and time.monotonic() - since > STAY / 2:  # not the run that drew it
        go(1)
        st.rerun()
    st.html(BAR.format(since=since, behind=faint_grey(0.25), seconds=STAY if runs else 0))


def controls() -> str | None:
    """The crystals to choose from and the buttons; the ID of the chosen one."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.segmented_control(
            "Crystal", IDS, format_func=lambda name: subscripts(material_of(STOP[name])[1].formula), key="crystal",
            label_visibility="collapsed", width="stretch",
        )  # fmt: skip
        if chosen is None:
            st.button("Start the demo", type="primary", on_click=start, icon=":material/play_arrow:")
        else:
            buttons(st.session_state.get("runs", False))
    return chosen


def buttons(runs: bool) -> None:
    """Step, pause and leave, by mouse or by key."""
    st.button("Back", on_click=go, args=(-1,), icon=":material/skip_previous:", shortcut="Left")
    label, icon = ("Pause", ":material/pause:") if runs else ("Go on", ":material/play_arrow:")
    st.button(label, key="pause", on_click=pause, icon=icon, shortcut="Space")
    st.button("Next", on_click=go, args=(1,), icon=":material/skip_next:", shortcut="Right")
    st.button("Leave", on_click=leave, icon=":material/close:", shortcut="Esc")


def overview() -> None:
    """All of them, before the start."""
    for row in (STOPS[:4], STOPS[4:]):  # each with columns of its own, so that its boxes are as high as each other
        for place, stop in zip(st.columns(len(row)), row, strict=True):
            _, material = material_of(stop)
            with place.container(border=True, height="stretch"):
                st.markdown(f"**{subscripts(material.formula)}** · {stop.title}")
                st.caption(reason(stop, material))


def shown(stop: Stop) -> None:
    """One crystal: structure on the left, reason and tensors on the right."""
    row, material = material_of(stop)
    prediction = None
    with suppress(EngineError):  # without a model, DFT is shown alone
        prediction = cached.prediction_of(row)
    left, right = st.columns(2, gap="large")
    with left:
        structure_view(material.structure, key="demo", overlay=surface(material, stop.target))
    with right, st.container(gap="xsmall"):
        words(stop, material, prediction)
        vibrating = None if prediction is None else prediction.vibrating
        if stop.spectrum and vibrating is not None and vibrating.modes is not None:
            infrared_view.reflectivity(vibrating, vibrating.modes, "demo")
            show_table(means(prediction, material))
        else:
            compared(prediction, material, stop.target)


def surface(material: Material, target: str) -> Overlay | None:
    """The DFT tensor that the stop is about, to be drawn into the crystal; none where it has no such surface."""
    tensor = getattr(material, target)
    with suppress(EngineError):
        quantity = surfaces.of_tensor(tensor, "permittivity")
        surfaces.check_body(quantity)
        return Overlay(quantity=quantity, name=f"{target.capitalize()} ε(direction), DFT")
    return None


def words(stop: Stop, material: Material, prediction: Prediction | None) -> None:
    """What is shown, why, and how the network did."""
    st.subheader(stop.title, anchor=False)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**{subscripts(material.formula)}** · {space_group(material.space_group_symbol)} · "
            f"{material.crystal_system} · {material.material_id}",
            width="content",
        )
        st.page_link(
            LOOK_UP, label="Everything about it", icon=":material/open_in_full:",
            query_params={"mp_id": stop.material_id}, width="content",
        )  # fmt: skip
    st.markdown(reason(stop, material))
    if prediction is not None:
        st.markdown(verdict(prediction, material, stop.target))


def compared(prediction: Prediction | None, material: Material, target: str) -> None:
    """The tensor that the stop is about, and the means of all three."""
    panels = {"DFT": getattr(material, target)}
    if prediction is not None:
        predicted = getattr(prediction, target)
        panels = {"Prediction": predicted, **panels, "Prediction − DFT": predicted - panels["DFT"]}
    figure = charts.tensor_panels(panels, dark=st.context.theme.type == "dark")
    names = f"{target.capitalize()} tensor in structure Cartesian axes"
    st.markdown(f":small[{names}]")
    st.plotly_chart(figure, key="tensor", config=PLOT, alt=f"{names}: {', '.join(panels)}")
    show_table(means(prediction, material))


def means(prediction: Prediction | None, material: Material) -> dict[str, dict[str, str]]:
    """Mean of each tensor: prediction, its interval, DFT."""
    columns: dict[str, dict[str, str]] = {"Prediction": {}, INTERVAL: {}, "DFT": {}}
    for part, title in PARTS.items():
        row = f"{title}, mean"
        columns["DFT"][row] = number(tensors.mean(getattr(material, part)))
        if prediction is None:
            continue
        with suppress(EngineError):  # a model without intervals
            columns["Prediction"][row] = number(tensors.mean(getattr(prediction, part)))
            columns[INTERVAL][row] = span(prediction.interval(part))
    return {name: column for name, column in columns.items() if column}


asked = st.query_params.get("crystal")
st.session_state.setdefault("crystal", asked if asked in STOP else None)
header(
    "Demo",
    f"Seven crystals, from isotropic to extreme, {STAY} seconds each, predicted by networks that were not trained "
    "on their formulas.",
)
st.html(LARGE)
chosen = controls()
if chosen is None:
    st.query_params.pop("crystal", None)
    overview()
else:
    st.query_params["crystal"] = chosen
    runs = st.session_state.get("runs", False)
    st.fragment(clock, run_every=STAY if runs else None)(time.monotonic(), runs)
    shown(STOP[chosen])
