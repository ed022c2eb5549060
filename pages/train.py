"""Train a network on the embedded tensors and watch it learn."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from engine.config import GraphConfig, ModelConfig, TrainConfig
from engine.data.datasets import EMBEDDED, available_datasets
from engine.errors import EngineError
from engine.runs.job import LIVE
from engine.runs.run import Run
from pages.components import cached, charts
from pages.components.model import error_charts
from pages.components.site import MODEL, PREDICT, header
from pages.components.visitor import visitor
from pages.components.widgets import PLOT, STATES, attempt, duration, refusal, run_title, show_metrics

DATA = "petousis-2017"
EXPECTED = "electronic"  # target of the figure before the first run
TARGETS = {"electronic": ("electronic",), "ionic": ("ionic",), "both": ("electronic", "ionic")}
MOST_COMPARED = 4
WORDS = STATES | {"stopping": f"{STATES['stopping']}, what its finished epochs learnt is being saved"}
NOTES = {
    "pretrained": "A readout learns on the frozen features of SevenNet l3i5, a potential that knows how atoms act "
    "on each other. The first run computes these features, some minutes on a CPU; they are kept, and a later run "
    "takes a minute or two.",
    "distilled": "A readout learns on the features of a small network that was taught by the potential: less "
    "exact, and ten times as fast in every prediction.",
    "scratch": "An equivariant convolution network (e3nn) learns everything from these crystals.",
}


@dataclass(frozen=True, kw_only=True)
class Form:
    """What a visitor entered, by the names of the fields in `TrainConfig`, its `graph` and its `model`."""

    training: dict[str, Any]
    graph: dict[str, Any]
    model: dict[str, Any]


def hyperparameters(default: TrainConfig) -> Form:
    """Inputs of a run, with the defaults of its backbone."""
    backbone = default.model.backbone

    def key(name: str) -> str:
        return f"{name}-{backbone}"

    target = st.segmented_control("Target", list(TARGETS), default="both", key="target", required=True)
    index_data = ""
    if default.index_data and st.toggle(
        "Learn the mean from refractive indices too",
        key="indices",
        help="3,819 more crystals, without tensors. Their features take a quarter of an hour, once.",
    ):
        index_data = default.index_data
    a, b, c = st.columns(3)
    chosen: dict[str, Any] = {
        "index_data": index_data,
        "epochs": a.number_input("Epochs", 1, 2000, default.epochs, key=key("epochs")),
        "batch_size": b.number_input("Batch size", 1, 256, default.batch_size, key=key("batch_size")),
        "learning_rate": c.number_input(
            "Learning rate", 1e-6, 1.0, default.learning_rate, format="%g", step=1e-3, key=key("learning_rate")
        ),
    }
    with st.expander("Network and split"):
        a, b, c = st.columns(3)
        chosen |= {
            "weight_decay": a.number_input(
                "Weight decay", 0.0, 10.0, default.weight_decay, format="%g", step=1e-2, key=key("weight_decay")
            ),
            "validation_share": b.number_input(
                "Validation share", 0.02, 0.5, default.validation_share, 0.01, key="validation_share"
            ),
            "seed": c.number_input("Seed", 0, 2**31 - 1, default.seed, key="seed"),
            "device": a.selectbox(
                "Device", ["auto", "cpu", "cuda"], key="device", help="auto takes the GPU where there is one."
            ),
        }
        shape: dict[str, Any] = {}
        graph: dict[str, Any] = {}
        if backbone == "scratch":
            model = default.model
            graph["r_max"] = b.number_input(
                "Neighbour radius (Å)", 2.0, 12.0, default.graph.r_max, 0.5, key="r_max"
            )
            shape = {
                "lmax": c.number_input(
                    "lmax", 2, 4, model.lmax, key="lmax", help="Highest degree of the spherical harmonics."
                ),
                "num_layers": a.number_input("Layers", 1, 6, model.num_layers, key="num_layers"),
                "mul": b.number_input(
                    "Channels", 4, 256, model.mul, 4, key="mul", help="Multiplicity of each degree."
                ),
                "num_basis": c.number_input("Radial basis", 2, 64, model.num_basis, key="num_basis"),
            }
    shape["targets"] = TARGETS[target]
    return Form(training=chosen, graph=graph, model=shape)


def config_of(backbone: str, form: Form) -> TrainConfig:
    """The configuration that the form asks for; raises EngineError where it makes none."""
    return TrainConfig.for_backbone(
        backbone,
        graph=GraphConfig(**form.graph),
        model=ModelConfig(backbone=backbone, **form.model),
        **form.training,
    )


def start(data: str, backbone: str, form: Form, name: str) -> None:
    """Start a run from the form, and show it."""

    def begin() -> None:
        st.session_state.run = Run.start(
            config_of(backbone, form), data, title=name.strip(), visitor=visitor()
        ).name

    attempt(begin)


def time_needed(data: str, backbone: str, form: Form) -> None:
    """How long the training would take."""
    try:
        expected = Run.seconds_expected(config_of(backbone, form), data)
    except EngineError:
        return  # said when it is started
    if expected is None:
        st.caption("This machine has not trained such a network yet: the first epochs tell how long it takes.")
        return
    seconds, known = expected
    by = "by the last such run on this machine" if known else "very roughly: the first epochs tell more"
    st.caption(f"About {duration(seconds)}, {by}.")


def data_set() -> str:
    """The embedded tensors, or a fetched data set where there is one."""
    choices = [DATA, *available_datasets()[len(EMBEDDED) :]]
    if len(choices) == 1:
        return DATA
    return st.selectbox("Data set", choices, format_func=lambda name: Path(name).stem, key="data")


def form() -> None:
    """The form that starts a run."""
    names = charts.BACKBONES
    backbone = st.segmented_control(
        "Network", list(names), default="pretrained", format_func=names.__getitem__, key="backbone", required=True
    )
    st.caption(NOTES[backbone])
    data = data_set()
    with st.container(border=True):
        st.markdown(f"**New run** on {Path(data).stem}: {cached.trainable(data):,} crystals with checked tensors")
        name = st.text_input("Name", key="name", max_chars=60, placeholder="to know it by, if you like")
        inputs = hyperparameters(TrainConfig.for_backbone(backbone))
        time_needed(data, backbone, inputs)
        if st.button("Start training", type="primary"):
            start(data, backbone, inputs, name)
    refusal()


def progress(run: Run, state: str, done: int) -> None:
    """State, epochs done and time left."""
    epochs = run.config.epochs
    text = f"{WORDS[state]}, epoch {done} of {epochs}"
    left = run.seconds_left() if state in LIVE else None
    if left is not None:
        text += f", about {duration(left)} left"
    st.progress(min(done / epochs, 1.0), text=text)


def curves(run: Run, state: str) -> None:
    """Loss curve, parity plot and the last validation figures."""
    history = run.history()
    if not history:
        done, total = run.features() or (0, 0)
        if done < total:
            st.progress(done / total, text=f"Features of the potential: {done:,} of {total:,} crystals")
        elif state in LIVE:
            st.caption("The first epoch has not finished yet.")
        else:
            st.caption("It ended before its first epoch had finished: there is nothing to show yet.")
        return
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Loss**")
        figure = charts.loss_curve(
            [e.epoch for e in history], [e.train_loss for e in history], [e.validation_loss for e in history]
        )
        st.plotly_chart(figure, key="loss", config=PLOT, alt="Loss against epoch")
    points = run.parity()
    with right:
        if points is not None:
            st.markdown("**Validation crystals**")
            figure = charts.parity(points)
            alt = "Predicted against DFT mean of each validation crystal"
            st.plotly_chart(figure, key="parity", config=PLOT, alt=alt)
    st.caption(
        "Validation crystals share no formula with the training crystals. Mean ε: of the tensor's diagonal, no "
        "unit. Theirs are the points and, after the last epoch, these figures:"
    )
    show_metrics(history[-1].validation)


def follow(name: str) -> None:
    """Draw one run as it stands now."""
    run = next(run for run in Run.all() if run.name == name)
    state = run.state()
    done = len(run.history())
    progress(run, state, done)
    if state in LIVE:
        st.button("Stop training", on_click=run.stop, icon=":material/stop:", disabled=state == "stopping")
        st.session_state.was_live = name
    elif st.session_state.pop("was_live", None) == name:
        st.rerun()  # the whole page, so that it stops asking every two seconds
    if run.error():
        st.error(run.error(), icon=":material/block:")
    if state not in LIVE:
        afterwards(run, state)
    curves(run, state)


def afterwards(run: Run, state: str) -> None:
    """What can be done with a run that no process is at."""
    with st.container(horizontal=True):
        if run.has_model:
            if st.button("Use this model on the Predict page", type="primary"):
                st.switch_page(PREDICT, query_params={"model": run.name})
            st.page_link(MODEL, label="Its errors", icon=":material/monitoring:", query_params={"model": run.name})
        if state != "finished":
            st.button(
                "Go on", on_click=attempt, args=(partial(run.resume, visitor()),), icon=":material/play_arrow:"
            )
        with st.popover("Delete", icon=":material/delete:"):
            st.markdown("The run and its model are gone for good.")
            st.button("Delete this run", on_click=attempt, args=(run.delete,), type="primary")


def watch(runs: list[Run]) -> None:
    """The run that the visitor or the address chooses, as it goes on."""
    labels = {run.name: run_title(run) for run in runs}
    wanted = st.query_params.get("run")
    index = list(labels).index(wanted) if wanted in labels else 0
    name = st.selectbox("Run", list(labels), index, format_func=labels.__getitem__, key="run")
    st.query_params["run"] = name  # the address leads back to this run, for this visitor or another
    live = next(run for run in runs if run.name == name).state() in LIVE
    st.fragment(follow, run_every=2 if live else None)(name)
    compare([run for run in runs if run.history()])


def compare(runs: list[Run]) -> None:
    """Validation losses of several runs in one chart, and their last figures side by side."""
    if len(runs) < 2:
        return
    labels = {run.name: run_title(run) for run in runs}
    with st.expander("Compare runs"):
        names = st.multiselect(
            "Runs", list(labels), list(labels)[:2], format_func=labels.__getitem__, key="compared",
            max_selections=MOST_COMPARED, label_visibility="collapsed",
        )  # fmt: skip
        chosen = {labels[run.name]: run.history() for run in runs if run.name in names}
        if not chosen:
            return
        figure = charts.losses(
            {title: [(e.epoch, e.validation_loss) for e in history] for title, history in chosen.items()}
        )
        st.plotly_chart(figure, key="losses", config=PLOT, alt="Validation loss of each run against epoch")
        st.caption("Losses compare runs that learn the same targets.")
        for title, history in chosen.items():
            st.markdown(f"**{title}**")
            show_metrics(history[-1].validation)


def expected() -> None:
    """Before the first run: what a training comes to, where that was measured."""
    st.markdown("**No run yet.** Loss and predictions appear here, epoch by epoch.")
    rows = cached.learning_curve()
    if rows is None:
        return
    rows = rows[rows["target"] == EXPECTED]
    figure = error_charts.learning_curve(rows, "mard", f"{EXPECTED} mean, relative error (%)")
    st.plotly_chart(figure, key="expected", config=PLOT, alt="Error against number of training crystals")
    st.caption("What to expect: error on crystals of formulas not trained on, by the size of the training set.")


header(
    "Train",
    "A network learns in a process of its own: close the page or reload it, the training goes on.",
)
left, right = st.columns([4, 5], gap="large")
with left:
    form()
with right:
    runs = Run.all()
    if runs:
        watch(runs)
    else:
        expected()
