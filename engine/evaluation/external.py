"""An external test: refractive indices of large cells, of formulas that no network of a model was trained on.

The cells are larger than any whose index teaches, so they were in no training and in no choice of form or settings
of the shipped models. Of the data set n alone is known, so the electronic mean n^2 is judged. Labels stay as they
are, also where n is 1, which no crystal has.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

from engine.crystals.material import Material
from engine.data.datasets import LARGEST_INDEX_CELL, dataset_hash, load_dataset
from engine.errors import EngineError, check
from engine.evaluation.provenance import code_version, machine, today
from engine.files import RESULTS_FOLDER, holds_tensors, read_json, read_tensors, write_tensors
from engine.model.checkpoint import CONFIG, WEIGHTS
from engine.model.out_of_fold import LEVEL
from engine.model.shipped_models import model_folder
from engine.network.feature_cache import structure_key
from engine.prediction.predictor import Predictor
from engine.tensors import tensors
from engine.tensors.metrics import index_metrics
from engine.training.fingerprint import SHAPING, code_fingerprint
from engine.training.jobs import Workers, run_jobs

DATA = "matbench-dielectric"
RESULTS = RESULTS_FOLDER / "external.json"
ATOMS_A_CHUNK = 1500
SIZES = (LARGEST_INDEX_CELL, 40, 80, np.inf)  # atoms; groups of crystals end here
WRONG_INDEX = 1.0  # a label that no crystal has


@dataclass(frozen=True, kw_only=True)
class ExternalErrors:
    """Errors over a group of crystals, of n and of the electronic mean n^2.

    Attributes:
        count: number of crystals.
        median, mean: relative error of n^2, percent.
        mae: mean absolute error of n.
        mae_in_range: the same where n <= 5.
        within: percent of crystals whose n is off by less than 5 %.
        inside: percent of crystals whose n^2 lies in the interval at `out_of_fold.LEVEL`; None where the model has
            no intervals.
    """

    group: str
    count: int
    median: float
    mean: float
    mae: float
    mae_in_range: float
    within: float
    inside: float | None


@dataclass(frozen=True, kw_only=True)
class ExternalReport:
    """Errors of all crystals and of groups by size.

    Attributes:
        groups: the first has all crystals.
        wrong_labels: crystals with n = 1, which count as they are.
        refused: formulas of crystals that the model could not answer.
        about: model, data set, hash, code, date, machine and seconds.
    """

    groups: tuple[ExternalErrors, ...]
    wrong_labels: int
    refused: tuple[str, ...]
    about: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class ChunkJob:
    """Some of the crystals, predicted by a model; `chosen` are their places in the data set.

    Attributes:
        path: where the predictions are kept.
    """

    model: Path
    data: str
    chosen: tuple[int, ...]
    device: str
    path: Path

    def is_done(self) -> bool:
        """Whether the predictions are there."""
        return holds_tensors(self.path)

    def run(self) -> None:
        """Keep electronic mean, low and high end of its interval of each crystal, [n, 3]; nan where refused."""
        predictor, materials = _predictor(self.model, self.device), load_dataset(self.data)
        rows = [_means(predictor, materials[index]) for index in self.chosen]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_tensors(self.path, {"means": torch.tensor(rows, dtype=torch.float64)})


def external_test(
    folder: Path, model: str | None = None, workers: Workers = None, device: str = "auto", data: str = DATA
) -> ExternalReport:
    """Judge n of every crystal of `data` larger than those that teach, whose formula no network was trained on.

    What an earlier call predicted, with the same model and code, is taken from `folder`. Progress goes to standard
    error; safe to interrupt.

    Raises:
        EngineError: there is no such model or data set, or no such crystal in it.
    """
    started, code = time.perf_counter(), code_version()
    predictor = Predictor.load(model, device)
    materials = load_dataset(data)
    chosen = unknown_crystals(predictor, materials)
    check(bool(chosen), f"{data}: holds no crystal of over {LARGEST_INDEX_CELL} atoms of a formula not trained on")
    makers = _makers(model_folder(model))
    jobs = [
        ChunkJob(
            model=model_folder(model),
            data=data,
            chosen=chunk,
            device=device,
            path=folder / _kept_name(makers, [materials[index] for index in chunk]),
        )
        for chunk in _chunks(chosen, materials)
    ]
    run_jobs(jobs, "parts", workers)
    places = np.array([index for job in jobs for index in job.chosen])
    means = np.concatenate([read_tensors(job.path)["means"].numpy() for job in jobs])  # [n, 3]
    about = {
        "model": predictor.name,
        "data": data,
        "data_sha256": dataset_hash(data),
        "code": code,
        "date": today(),
        "machine": machine(),
        "seconds": f"{time.perf_counter() - started:.0f}",
    }
    return judged([materials[index] for index in places], means, about)


def unknown_crystals(predictor: Predictor, materials: Sequence[Material]) -> list[int]:
    """Places of the large cells with a refractive index whose formula is in no network's training."""
    taught = frozenset().union(*predictor.trained_on)
    return [
        index
        for index, material in enumerate(materials)
        if material.natoms > LARGEST_INDEX_CELL and material.n is not None and material.formula not in taught
    ]


def judged(materials: Sequence[Material], means: np.ndarray, about: dict[str, str]) -> ExternalReport:
    """The report on crystals with the predicted means [n, 3] of `ChunkJob.run`."""
    answered = np.isfinite(means[:, 0])
    size = np.array([material.natoms for material in materials])
    n = np.array([material.n for material in materials], dtype=float)
    groups = {"all": answered}
    for low, high in pairwise(SIZES):
        name = f"{low + 1:.0f} to {high:.0f} atoms" if np.isfinite(high) else f"over {low:.0f} atoms"
        groups[name] = answered & (size > low) & (size <= high)
    return ExternalReport(
        groups=tuple(_errors(name, means[chosen], n[chosen]) for name, chosen in groups.items() if chosen.any()),
        wrong_labels=int((n[answered] == WRONG_INDEX).sum()),
        refused=tuple(m.formula for m, sound in zip(materials, answered, strict=True) if not sound),
        about=about,
    )


def external_table(report: ExternalReport) -> str:
    """The report to read."""
    lines = ["crystals           number  median %   mean %  MAE of n  n <= 5  within 5 %  in interval"]
    for e in report.groups:
        inside = "-" if e.inside is None else f"{e.inside:.1f} %"
        lines.append(
            f"{e.group:<18} {e.count:>6}  {e.median:8.2f}  {e.mean:7.2f}  {e.mae:8.4f}  {e.mae_in_range:6.4f}  "
            f"{e.within:8.1f} %  {inside:>11}"
        )
    lines.append(f"labels of n = 1: {report.wrong_labels}; refused: {', '.join(report.refused) or 'none'}")
    return "\n".join(lines)


def read_external(path: Path = RESULTS) -> ExternalReport | None:
    """The report as it was published, None where the test was not made.

    Raises:
        EngineError: the file is damaged.
    """
    if not path.is_file():
        return None
    content = read_json(path)
    try:
        groups = tuple(ExternalErrors(**group) for group in content.pop("groups"))
        return ExternalReport(groups=groups, **(content | {"refused": tuple(content["refused"])}))
    except (KeyError, TypeError) as error:
        command = f"python -m engine evaluate --benchmark external --json {path}"
        raise EngineError(f"{path}: is damaged; measure it again with {command}") from error


def _errors(group: str, means: np.ndarray, n: np.ndarray) -> ExternalErrors:
    predicted, low, high = means.T
    relative = 100 * np.abs(predicted / n**2 - 1)
    metrics = index_metrics(np.sqrt(predicted), n)
    has_intervals = bool(np.isfinite(low).all())
    return ExternalErrors(
        group=group,
        count=len(n),
        median=float(np.median(relative)),
        mean=float(relative.mean()),
        mae=metrics.mae,
        mae_in_range=metrics.mae_in_range,
        within=metrics.within,
        inside=float(100 * ((low <= n**2) & (n**2 <= high)).mean()) if has_intervals else None,
    )


def _means(predictor: Predictor, material: Material) -> tuple[float, float, float]:
    try:
        prediction = predictor.predict(material, targets=("electronic",))
    except EngineError:  # an element that the potential does not know, or no room in memory
        return np.nan, np.nan, np.nan
    if prediction.electronic is None:
        raise EngineError(f"{predictor.name}: must predict the electronic tensor")
    try:
        low, high = prediction.interval("electronic", LEVEL)
    except EngineError:  # a model without intervals
        low, high = np.nan, np.nan
    return tensors.mean(prediction.electronic), low, high


def _chunks(chosen: Sequence[int], materials: Sequence[Material]) -> list[tuple[int, ...]]:
    """The crystals by size, in parts of about `ATOMS_A_CHUNK` atoms."""
    ordered = sorted(chosen, key=lambda index: (materials[index].natoms, index))
    parts: list[list[int]] = [[]]
    atoms = 0
    for index in ordered:
        if parts[-1] and atoms + materials[index].natoms > ATOMS_A_CHUNK:
            parts.append([])
            atoms = 0
        parts[-1].append(index)
        atoms += materials[index].natoms
    return [tuple(part) for part in parts]


@lru_cache(maxsize=1)
def _predictor(model: Path, device: str) -> Predictor:
    return Predictor.load(model, device)


def _makers(model: Path) -> str:
    """What predictions depend on beside their crystals, taken once: either may change while a long call runs."""
    code = code_fingerprint((*SHAPING, "model", "prediction"))
    weights, config = (sha256((model / name).read_bytes()).hexdigest() for name in (WEIGHTS, CONFIG))
    return f"{code} {weights} {config}"


def _kept_name(makers: str, materials: Sequence[Material]) -> str:
    """Name of a file of predictions, with a hash of all that they depend on."""
    key = sha256(makers.encode())
    for material in materials:
        key.update(structure_key(material).encode())
    return f"external-{key.hexdigest()[:16]}.safetensors"
