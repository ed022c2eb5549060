"""Which model is asked, and for tensors of which functional."""

from pathlib import Path

import streamlit as st

from engine.model.shipped_models import available_models
from engine.prediction.prediction import Functional
from engine.runs.run import Run
from pages.components import cached
from pages.components.widgets import run_title


def chosen_model() -> tuple[str, float] | None:
    """Name or folder of the model to ask and when it was last written; None where there is no model yet."""
    models = {name: name for name in available_models()}
    models |= {str(run.folder): f"{run_title(run)} (your training)" for run in Run.all() if run.has_model}
    if not models:
        st.info("No model is there yet. Train one on the Train page; it appears here when it has finished.")
        return None
    wanted = st.query_params.get("model")
    start = next((i for i, name in enumerate(models) if Path(name).name == wanted), 0)
    name = st.selectbox("Model", list(models), format_func=models.__getitem__, key="model", index=start)
    return name, cached.changed(name)


def chosen_functional(model: tuple[str, float]) -> Functional:
    """The functional whose tensors are asked for; no choice where the model knows one alone."""
    known = cached.predictor(*model).functionals
    if len(known) == 1:
        return known[0]
    asked = st.segmented_control(
        "Functional",
        known,
        default=known[0],
        key="functional",
        width="content",
        help="Tensors as density functional theory gives them. The model is calibrated for PBE, the functional of "
        "Materials Project's tensors; phonon data taught it how those of PBEsol differ.",
    )
    return asked or known[0]
