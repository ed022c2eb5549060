"""Networks trained without a part of the crystals, and what they predict for it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from engine.config import TrainConfig
from engine.crystals.material import Material
from engine.model.checkpoint import Checkpoint
from engine.model.ensemble import combine
from engine.model.inference import embeddings, predict_latent
from engine.model.intervals import QUANTITIES, Signs, quantities
from engine.model.neighbourhood import Neighbourhood
from engine.network.device import resolve_device
from engine.tensors.metrics import diagonal_mean
from engine.training.fold_training import NetworkJob
from engine.training.labelled_graphs import labelled_graphs


@dataclass(frozen=True, kw_only=True)
class Unseen:
    """Predictions for n crystals, each by networks that never saw its formula.

    Attributes:
        fold: [n] number of the fold that a crystal was tested in.
        tensors: target -> [n, 3, 3].
        spread: target -> [n, 4], see `intervals.Signs`.
        distance, gap: [n], see neighbourhood.py.
    """

    fold: np.ndarray
    tensors: dict[str, np.ndarray]
    spread: dict[str, np.ndarray]
    distance: np.ndarray
    gap: np.ndarray

    def signs(self, target: str, chosen: np.ndarray) -> Signs:
        """What the predictions for the chosen crystals show of one target."""
        return Signs(
            values=quantities(self.tensors[target][chosen]),
            spread=self.spread[target][chosen],
            distance=self.distance[chosen],
            gap=self.gap[chosen],
            electronic=self.means("electronic")[chosen],
            ionic=self.means("ionic")[chosen],
        )

    def means(self, target: str) -> np.ndarray:
        """[n] predicted mean of a tensor's diagonal; nan where the networks do not have the target."""
        missing = np.full((len(self.fold), 3, 3), np.nan)
        return diagonal_mean(self.tensors.get(target, missing))


def fold_jobs(
    data: str, config: TrainConfig, left_out: Sequence[frozenset[str]], folder: Path, seeds: int
) -> list[NetworkJob]:
    """A network for each set of formulas to leave out and each seed, all seeds of a set together."""
    return [
        NetworkJob(
            data=data,
            config=replace(config, seed=config.seed + seed),
            held_out=formulas,
            folder=folder / f"fold-{number}-{seed}",
            name=f"fold {number + 1}/{len(left_out)} seed {seed + 1}/{seeds}",
        )
        for number, formulas in enumerate(left_out)
        for seed in range(seeds)
    ]


def predict_unseen(
    members: Sequence[Checkpoint],
    materials: Sequence[Material],
    parts: Sequence[np.ndarray],
    config: TrainConfig,
    springs: bool = True,
) -> Unseen:
    """The crystals of each part by the networks of `fold_jobs` that were trained without it.

    Crystals in no part get the fold -1 and nan. Without `springs`, the ionic part does without the potential's
    force constants.
    """
    config = replace(config, model=members[0].networks[0].model_config)
    count, seeds = len(materials), len(members) // len(parts)
    fold, distance, gap = np.full(count, -1), np.full(count, np.nan), np.full(count, np.nan)
    targets = config.model.targets
    names = [*targets, "total"] if len(targets) == 2 else targets
    tensors = {name: np.full((count, 3, 3), np.nan) for name in names}
    spread = {name: np.full((count, len(QUANTITIES)), np.nan) for name in names}
    graphs = labelled_graphs(materials, config, resolve_device(config.device), springs=springs)
    formulas = [material.formula for material in materials]
    for number, part in enumerate(parts):
        networks = [member.networks[0] for member in members[number * seeds : (number + 1) * seeds]]
        chosen = [graphs[index] for index in part]
        latents = torch.stack([predict_latent(network, chosen) for network in networks])
        volume = torch.cat([graph.volume_per_atom for graph in chosen])
        asked = torch.ones(latents.shape[0], latents.shape[2], dtype=torch.bool)
        found, differing = combine(latents, asked, [0] * len(networks), targets, volume)
        for name in names:
            tensors[name][part], spread[name][part] = found[name], differing[name]
        taught = np.setdiff1d(np.arange(count), part)
        embedded = embeddings(networks[0], graphs)
        near = Neighbourhood.of(
            embedded[taught], [formulas[i] for i in taught], [materials[i].band_gap for i in taught]
        )
        their = [formulas[i] for i in part]
        distance[part] = near.distances(embedded[part], their).numpy()
        gap[part] = near.gap(embedded[part], their).numpy()
        fold[part] = number
    return Unseen(fold=fold, tensors=tensors, spread=spread, distance=distance, gap=gap)
