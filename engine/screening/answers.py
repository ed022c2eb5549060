"""Answers to the structures of a part of a screening, several at once where they are small."""

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

import numpy as np
import torch

from engine.crystals.material import Crystal, structure_of
from engine.errors import EngineError
from engine.network.device import resolve_device
from engine.network.potential import keep_memory
from engine.prediction.prediction import Prediction
from engine.prediction.predictor import Predictor
from engine.screening.item import Item
from engine.screening.parts import Settings

EDGES = {"cpu": 3_000, "cuda": 150_000}  # of crystals that are answered at once; more outgrow a CPU's cache


@lru_cache(maxsize=1)
def _predictor(model: str | None, device: str) -> Predictor:
    keep_memory()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    return Predictor.load(model, device)


def answers(group: Sequence[Item], settings: Settings) -> list[Prediction | str]:
    """The answer to each item or the reason for none, in order; found in the order of size.

    Raises:
        EngineError: there is no such model or device, or the model lacks the targets or the functional.
    """
    predictor = _predictor(settings.model_name, settings.device)
    _ask(predictor, [], settings)  # what it lacks ends the screening, and is no row
    refused = {place: one.crystal for place, one in enumerate(group) if isinstance(one.crystal, str)}
    crystals = {place: one.crystal for place, one in enumerate(group) if not isinstance(one.crystal, str)}
    found: dict[int, Prediction | str] = dict(refused)
    most = EDGES[resolve_device(settings.device).type]
    for batch in batches(crystals, predictor.graph_config.r_max, most):
        predicted = _predicted(predictor, [crystals[place] for place in batch], settings)
        found |= zip(batch, predicted, strict=True)
    return [found[place] for place in range(len(group))]


def batches(crystals: Mapping[int, Crystal], r_max: float, most_edges: int) -> Iterator[list[int]]:
    """Names of crystals to be answered together, smallest first, of at most so many edges or one crystal."""
    edges = {place: _edges(crystal, r_max) for place, crystal in crystals.items()}
    batch: list[int] = []
    for place in sorted(edges, key=lambda one: edges[one]):
        if batch and sum(edges[one] for one in batch) + edges[place] > most_edges:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def _edges(crystal: Crystal, r_max: float) -> float:
    """About how many pairs of neighbours a crystal has: as if its atoms lay anywhere."""
    structure = structure_of(crystal)
    return float(len(structure) ** 2 * 4 / 3 * np.pi * r_max**3 / structure.volume)


def _predicted(predictor: Predictor, crystals: Sequence[Crystal], settings: Settings) -> list[Prediction | str]:
    """Predictions of crystals at once, or one by one where one of them cannot be predicted."""
    try:
        return list(_ask(predictor, crystals, settings))
    except Exception as error:  # whatever one structure brings about, the others are answered
        if len(crystals) > 1:
            return [answer for one in crystals for answer in _predicted(predictor, [one], settings)]
        if isinstance(error, EngineError):
            return [str(error)]
        formula = structure_of(crystals[0]).composition.reduced_formula
        return [f"{formula}: it cannot be computed ({type(error).__name__}: {' '.join(str(error).split())[:200]})"]


def _ask(predictor: Predictor, crystals: Sequence[Crystal], settings: Settings) -> list[Prediction]:
    """Predictions of crystals at once, of those targets that the model has; raises as `predict_many` does."""
    return predictor.predict_many(
        crystals,
        batch_size=len(crystals),
        targets=[target for target in settings.targets if target in predictor.targets] or settings.targets,
        out_of_fold=settings.out_of_fold,
        functional=settings.functional,
        ionic_method="full" if settings.method == "full" else "direct",
    )
