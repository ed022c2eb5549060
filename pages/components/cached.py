"""Everything that is computed once and kept: data sets, models, predictions, parsed files."""

import gc
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from engine.crystals.material import Material
from engine.data.catalogue import SOURCES, catalogued, identities, indexed
from engine.data.datasets import EMBEDDED, available_datasets, dataset_path, labelled, load_dataset
from engine.data.search import find_materials
from engine.errors import EngineError, required
from engine.evaluation.external import ExternalReport, read_external
from engine.evaluation.measured_report import read_measured
from engine.evaluation.report import Judged, judge, read_learning_curve
from engine.evaluation.results import Origin, read_origin, results_file
from engine.evaluation.vibration_report import VibrationReport, read_vibrations
from engine.files import MODELS_FOLDER
from engine.hosting.pool import Pool, is_final
from engine.hosting.predictions import Asked, ask
from engine.hosting.readings import Reading, ask_to_read, what_was_read
from engine.materials_project.store import MaterialStore
from engine.model.checkpoint import CONFIG
from engine.model.out_of_fold import read_out_of_fold
from engine.network.potential import keep_memory
from engine.prediction.prediction import Functional, Prediction
from engine.prediction.predictor import Predictor
from engine.runs.screening_run import STRUCTURES
from engine.screening.parts import Settings
from engine.screening.table import read_table, structure_of
from engine.teaching import two_networks
from engine.teaching.equivariance import read_contrast
from engine.teaching.sites import Neighbours, distinct_atoms
from engine.teaching.two_networks import Pair
from engine.tensors import tensors
from pages.components import waiting
from pages.components.crystal.scene import Scene, make_scene
from pages.components.visitor import visitor

LESSONS = Pool(lambda: 1)  # what the Theory page computes


def materials() -> tuple[Material, ...]:
    """Every material: embedded ones to learn from, tensors first, fetched ones, and the rest of the catalogue."""
    return _materials(_datasets())


def _datasets() -> tuple[tuple[str, float], ...]:
    """Name of each data set and when its file was last written, so that a new one is taken up."""
    return tuple((name, dataset_path(name).stat().st_mtime) for name in available_datasets())


@st.cache_resource(show_spinner="Reading the data …", max_entries=2)
def _materials(datasets: tuple[tuple[str, float], ...]) -> tuple[Material, ...]:
    found = []
    for name, _ in datasets:
        with suppress(EngineError):  # a file of another kind in the user's folder
            found += indexed() if name == EMBEDDED[1] else load_dataset(name)
    everything = (*found, *catalogued(found))
    set_apart()
    return everything


@st.cache_data(show_spinner=False)
def named() -> int:
    """Number of embedded Materials Project IDs."""
    return len(identities())


def search(query: str) -> list[int]:
    """Positions in `materials()` of those that match an ID, formula or chemical system."""
    return _search(query, _datasets())


@st.cache_data(show_spinner=False, max_entries=500)
def _search(query: str, datasets: tuple[tuple[str, float], ...]) -> list[int]:
    positions = {id(material): position for position, material in enumerate(_materials(datasets))}
    return [positions[id(material)] for material in find_materials(_materials(datasets), query)]


def table() -> pd.DataFrame:
    """One row a material with DFT data, in the order of `materials()`; tensors by their mean and anisotropy."""
    return _table(_datasets())


@st.cache_data(show_spinner="Reading the data …", max_entries=2)
def _table(datasets: tuple[tuple[str, float], ...]) -> pd.DataFrame:

    def mean(tensor: np.ndarray | None) -> float | None:
        return None if tensor is None else tensors.mean(tensor)

    def of_light(quantity: Callable[[np.ndarray], float], material: Material) -> float | None:
        tensor = material.allowed_electronic
        return None if tensor is None else quantity(tensor)

    return pd.DataFrame(
        {
            "id": m.material_id,
            "formula": m.formula,
            "crystal_system": m.crystal_system,
            "space_group": m.space_group_symbol,
            "natoms": m.natoms,
            "n": m.n,
            "electronic": mean(m.electronic),
            "ionic": mean(m.ionic),
            "total": mean(m.total),
            "anisotropy": of_light(tensors.anisotropy_ratio, m),
            "birefringence": of_light(tensors.birefringence, m),
            "band_gap": m.band_gap,
            "doubts": "; ".join((*m.flags, *m.doubts)) or None,
            "elements": list(m.elements),
            "source": m.source,
        }
        for m in _materials(datasets)
        if m.source not in SOURCES
    )


@st.cache_resource(show_spinner="Loading the network …", max_entries=4)
def predictor(name: str | None, changed: float = 0.0) -> Predictor:
    """The model of that name or run folder; `changed` tells a run that went on from what it was before."""
    keep_memory()
    loaded = Predictor.load(name)
    set_apart()
    return loaded


def set_apart() -> None:
    """Have what was loaded for good never be gone through again for garbage, as Streamlit does after every run."""
    gc.collect()
    gc.freeze()


def prediction_of(index: int) -> Prediction:
    """The default model's out-of-fold prediction for `materials()[index]`; raises EngineError without one."""
    return _shipped(index) or _one(lambda: _asked_of(index), lambda: _asked_of.clear(index))


@st.cache_resource(show_spinner=False, max_entries=2000)
def _shipped(index: int) -> Prediction | None:
    return predictor(None).shipped(materials()[index])


@st.cache_resource(show_spinner=False, max_entries=500)
def _asked_of(index: int) -> Asked:
    material = materials()[index]
    known = material if material.fetched is None else material.structure  # force constants are shipped, or exact
    return ask(visitor(), None, 0.0, known, out_of_fold=True)


def prediction_of_fetched(material_id: str, date: str) -> Prediction:
    """The same for a material of the store, as it was fetched at `date`."""
    return _one(lambda: _asked_of_fetched(material_id, date), lambda: _asked_of_fetched.clear(material_id, date))


@st.cache_resource(show_spinner=False, max_entries=500)
def _asked_of_fetched(material_id: str, date: str) -> Asked:
    kept = required(MaterialStore().get(material_id), f"{material_id} is no longer in the store; fetch it again")
    return ask(visitor(), None, 0.0, kept.structure, out_of_fold=True)


def _one(question: Callable[[], Asked], forget: Callable[[], None]) -> Prediction:
    """The answer to one question, asked once more next time where it was stopped."""
    asked = question()
    (answer,) = waiting.answers([asked], "This crystal")
    if not is_final(asked):
        forget()
    if isinstance(answer, EngineError):
        raise answer
    return answer


@st.cache_resource(show_spinner="Judging the model …", max_entries=4)
def judged(name: str) -> dict[str, Judged] | None:
    """Each target of a shipped model against DFT, out-of-fold; None for a model that was never judged."""
    predictions = read_out_of_fold(MODELS_FOLDER / name)
    return None if predictions is None else judge(predictions, load_dataset(EMBEDDED[0]))


@st.cache_data(show_spinner=False)
def external_test() -> ExternalReport | None:
    """The published external test, None where it was not made."""
    return read_external()


@st.cache_data(show_spinner=False)
def measured_indices() -> pd.DataFrame | None:
    """DFT's and the default model's refractive indices beside measured ones, None where not measured."""
    return read_measured()


@st.cache_data(show_spinner=False, max_entries=10)
def vibrations(name: str) -> VibrationReport | None:
    """What was measured of a shipped model's vibrations, None where nothing was."""
    return read_vibrations(name)


@st.cache_data(show_spinner=False)
def learning_curve() -> pd.DataFrame | None:
    """Errors of both backbones against the number of training crystals, None where not measured."""
    return read_learning_curve()


@st.cache_data(show_spinner=False, max_entries=10)
def origin(name: str) -> Origin | None:
    """Where the figures of a shipped model or of a benchmark come from, None where there is no file of them."""
    return read_origin(results_file(name))


@st.cache_resource(show_spinner=False, max_entries=500)
def turned(index: int, axis: str, degrees: int) -> "Future[dict[str, Pair]]":
    """See `two_networks.turned`, for a material."""
    return LESSONS.schedule(two_networks.turned, materials()[index].structure, axis, degrees)


@st.cache_resource(show_spinner=False, max_entries=200)
def differences(index: int, axis: str) -> "Future[pd.DataFrame]":
    """See `two_networks.differences`, for a material."""
    return LESSONS.schedule(two_networks.differences, materials()[index].structure, axis)


@st.cache_resource(show_spinner=False)
def taught_the_ordinary() -> "Future[frozenset[str]]":
    """See `two_networks.taught_the_ordinary`."""
    return LESSONS.schedule(two_networks.taught_the_ordinary)


@st.cache_data(show_spinner=False)
def contrast() -> pd.DataFrame | None:
    """Errors of the networks with and without equivariance, None where not measured."""
    return read_contrast()


@st.cache_resource(show_spinner=False, max_entries=200)
def cell_scene(index: int) -> Scene:
    """One cell of a material, ready to draw."""
    return make_scene(materials()[index].structure, 1)


@st.cache_resource(show_spinner=False, max_entries=200)
def atoms(index: int) -> dict[int, str]:
    """One atom of each symmetry-equivalent set of a material, and its element."""
    return distinct_atoms(materials()[index].structure)


@st.cache_resource(show_spinner=False, max_entries=500)
def site(index: int, atom: int) -> "Future[tuple[Neighbours, np.ndarray]]":
    """See `two_networks.site`, for an atom of a material."""
    return LESSONS.schedule(two_networks.site, materials()[index].structure, atom)


@st.cache_resource(show_spinner=False)
def learned_radials() -> "Future[tuple[np.ndarray, np.ndarray]]":
    """See `two_networks.learned_radials`."""
    return LESSONS.schedule(two_networks.learned_radials)


@st.cache_resource(show_spinner=False, max_entries=200)
def reading(name: str, content: bytes, setting: str = "", orderings: bool = False) -> "Future[Reading]":
    """A file that a visitor brought, being read or read; see `ask_to_read`."""
    return ask_to_read(name, content, setting, orderings)


def parsed(name: str, content: bytes, setting: str = "", orderings: bool = False) -> Reading:
    """Structures of a file that a visitor brought, or none and the reason."""
    return what_was_read(reading(name, content, setting, orderings))


@st.cache_resource(show_spinner=False, max_entries=1000)
def question_of_file(
    model: str,
    changed: float,
    name: str,
    content: bytes,
    setting: str,
    orderings: bool,
    functional: Functional,
    index: int,
) -> Asked:
    """One structure of that file, being predicted or answered."""
    structures, _ = parsed(name, content, setting, orderings)
    return ask(visitor(), model, changed, structures[index], functional=functional)


def screened(paths: Sequence[Path]) -> pd.DataFrame:
    """The rows in these files of a screening, see `engine.screening.table`, and a `name` to tell them by.

    Raises:
        EngineError: a file is gone.
    """
    return _screened(tuple((str(path), _written(path)) for path in paths))


@st.cache_resource(show_spinner="Reading the rows …", max_entries=3)
def _screened(files: tuple[tuple[str, float], ...]) -> pd.DataFrame:
    rows = read_table([Path(name) for name, _ in files])
    return rows.assign(name=rows["material_id"].fillna(rows["source"].str.removeprefix(f"{STRUCTURES}/")))


def prediction_of_row(screening: str, source: str, row: dict[str, Any], settings: Settings) -> Prediction:
    """The answer to the crystal of a row of a screening, asked once more as it was; raises EngineError."""
    return _one(
        lambda: _asked_of_row(screening, source, row, settings),
        lambda: _asked_of_row.clear(screening, source, row, settings),
    )


@st.cache_resource(show_spinner=False, max_entries=200)
def _asked_of_row(screening: str, source: str, _row: dict[str, Any], _settings: Settings) -> Asked:
    model = _settings.model_name
    return ask(
        visitor(),
        model,
        changed(model or ""),
        structure_of(_row),
        functional=_settings.functional,
        ionic_method="full" if _settings.method == "full" else "direct",
    )


def trainable(name: str) -> int:
    """Number of crystals of an embedded set that a training can use."""
    return len(labelled(load_dataset(name), ("electronic", "ionic")))


def changed(model: str) -> float:
    """When a model was last written, so that a run that goes on is loaded anew."""
    return _written(Path(model) / CONFIG)


def _written(path: Path) -> float:
    return path.stat().st_mtime if path.is_file() else 0.0


def columns_with_values(frame: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """Those columns in which at least one row holds a number."""
    return [column for column in columns if frame[column].notna().any()]
