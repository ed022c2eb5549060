"""Train a network on the embedded tensors and watch it learn."""

import streamlit as st

from engine.config import GraphConfig, ModelConfig, TrainConfig
from engine.errors import EngineError
from engine.metrics import TargetMetrics
from engine.runs import Run
from pages.components import cached, charts
from pages.components.site import PREDICT, header
from pages.components.widgets import show_table

DATA = "petousis-2017"
TARGETS = {"electronic": ("electronic",), "ionic": ("ionic",), "both": ("electronic", "ionic")}
LIVE = ("starting", "running")
WORDS = {
    "starting": ":material/hourglass_top: starting",
    "running": ":material/play_arrow: running",
    "finished": ":material/check: finished",
    "stopped": ":material/stop: stopped",
    "failed": ":material/error: failed",
}
DEFAULTS = TrainConfig()


def hyperparameters() -> None:
    """Inputs of a run, with the engine's defaults."""
    graph, model = DEFAULTS.graph, DEFAULTS.model
    st.segmented_control("Target", list(TARGETS), default="both", key="target", required=True)
    a, b, c = st.columns(3)
    a.number_input("Epochs", 1, 2000, DEFAULTS.epochs, key="epochs")
    b.number_input("Batch size", 1, 256, DEFAULTS.batch_size, key="batch_size")
    c.number_input("Learning rate", 1e-6, 1.0, DEFAULTS.learning_rate, format="%g", step=1e-3, key="learning_rate")
    with st.expander("Network and split"):
        a, b, c = st.columns(3)
        a.number_input("Neighbour radius (Å)", 2.0, 12.0, graph.r_max, 0.5, key="r_max")
        b.number_input("lmax", 2, 4, model.lmax, key="lmax", help="Highest degree of the spherical harmonics.")
        c.number_input("Layers", 1, 6, model.num_layers, key="num_layers")
        a.number_input("Channels", 4, 256, model.mul, 4, key="mul", help="Multiplicity of the scalar features.")
        b.number_input("Radial basis", 2, 64, model.num_basis, key="num_basis")
        c.number_input("Weight decay", 0.0, 1.0, DEFAULTS.weight_decay, format="%g", step=1e-3, key="weight_decay")
        a.number_input("Validation share", 0.02, 0.5, DEFAULTS.validation_share, 0.01, key="validation_share")
        b.number_input("Seed", 0, 2**31 - 1, DEFAULTS.seed, key="seed")
        c.selectbox("Device", ["auto", "cpu", "cuda"], key="device", help="auto takes the GPU where there is one.")


def config() -> TrainConfig:
    """What the form holds; raises EngineError for values that do not go together."""
    s = st.session_state
    return TrainConfig(
        graph=GraphConfig(r_max=s.r_max),
        model=ModelConfig(
            targets=TARGETS[s.target], lmax=s.lmax, mul=s.mul, num_layers=s.num_layers, num_basis=s.num_basis
        ),
        epochs=s.epochs,
        batch_size=s.batch_size,
        learning_rate=s.learning_rate,
        weight_decay=s.weight_decay,
        validation_share=s.validation_share,
        seed=s.seed,
        device=s.device,
    )


def start() -> None:
    """Start a run from the form, and show it."""
    try:
        st.session_state.run = Run.start(config(), DATA).name
    except EngineError as error:
        st.session_state.refused = str(error)


def form() -> None:
    """The form that starts a run."""
    with st.form("new", border=True):
        st.markdown(f"**New run** on {DATA}: {cached.trainable(DATA):,} crystals with checked tensors")
        hyperparameters()
        st.form_submit_button("Start training", type="primary", on_click=start)
    reason = st.session_state.pop("refused", None)
    if reason:
        st.error(reason, icon=":material/block:")


def title(run: Run) -> str:
    """One line by which to tell runs apart."""
    asked = run.config
    return f"{run.name} · {' and '.join(asked.model.targets)} · {asked.epochs} epochs · {run.state()}"


def duration(seconds: float) -> str:
    """95 -> "1 min 35 s"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def progress(run: Run, state: str, done: int) -> None:
    """State, epochs done and time left."""
    epochs = run.config.epochs
    text = f"{WORDS[state]}, epoch {done} of {epochs}"
    left = run.seconds_left() if state in LIVE else None
    if left is not None:
        text += f", about {duration(left)} left"
    st.progress(min(done / epochs, 1.0), text=text)


def curves(run: Run) -> None:
    """Loss curve, parity plot and the last validation figures."""
    history = run.history()
    if not history:
        st.caption("The first epoch has not finished yet: the crystals' graphs are being built.")
        return
    left, right = st.columns(2, gap="medium")
    with left:
        figure = charts.loss_curve(
            [e.epoch for e in history], [e.train_loss for e in history], [e.validation_loss for e in history]
        )
        st.plotly_chart(figure, key="loss", config={"displayModeBar": False}, alt="Loss against epoch")
    points = run.parity()
    with right:
        if points is not None:
            figure = charts.parity(points)
            st.plotly_chart(figure, key="parity", config={"displayModeBar": False}, alt="Predicted against DFT")
    st.caption("Validation crystals share no formula with the training crystals. Last epoch:")
    show_table({metrics.target: figures(metrics) for metrics in history[-1].validation})


def figures(metrics: TargetMetrics) -> dict[str, str]:
    """The figures of one target as text."""
    return {
        "mean error of the tensor (Frobenius norm)": f"{metrics.fnorm:.2f}",
        "tensors within 25 / 10 / 5 %": f"{metrics.ewt25:.0f} / {metrics.ewt10:.0f} / {metrics.ewt5:.0f} %",
        "mean error of the mean": f"{metrics.mae:.2f}",
        "the same, relative": f"{metrics.mard:.1f} %",
    }


def follow(name: str) -> None:
    """Draw one run as it stands now."""
    run = next(run for run in Run.all() if run.name == name)
    state = run.state()
    done = len(run.history())
    progress(run, state, done)
    if state in LIVE:
        st.button("Stop training", on_click=run.stop, icon=":material/stop:")
    elif st.session_state.pop("was_live", None) == name:
        st.rerun()
    if state in LIVE:
        st.session_state.was_live = name
    if run.error():
        st.error(run.error(), icon=":material/block:")
    if state == "finished" and st.button("Use this model on the Predict page", type="primary"):
        st.switch_page(PREDICT, query_params={"model": name})
    curves(run)


header(
    "Train",
    "A network from scratch, in a process of its own: close the page or reload it, the training goes on.",
)
form()
runs = Run.all()
if not runs:
    st.info("No run yet. A first look takes few epochs; the defaults take a while on a CPU.")
else:
    labels = {run.name: title(run) for run in runs}
    wanted = st.query_params.get("run")
    index = list(labels).index(wanted) if wanted in labels else 0
    name = st.selectbox("Run", list(labels), index, format_func=labels.get, key="run")
    st.query_params["run"] = name  # the address leads back to this run, for this visitor or another
    live = next(run for run in runs if run.name == name).state() in LIVE
    st.fragment(follow, run_every=2 if live else None)(name)
