"""One answer, and how far the networks differ, from the logarithms that the members of a model give."""

from collections.abc import Sequence

import numpy as np
import torch

from engine.model.intervals import SHIFT, quantities
from engine.network.network import physical


def combine(
    latents: torch.Tensor,
    answers: torch.Tensor,
    groups: Sequence[int],
    targets: Sequence[str],
    volume_per_atom: torch.Tensor,
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Tensors [B, 3, 3] and spread [B, 4] (see `intervals.Signs`) of each target, and of the total.

    The answer is the mean of the logarithms M of the members that are asked.

    Args:
        latents: [S, T, B, 3, 3] M of each member.
        answers: [S, B] bool, whether the member is asked about the crystal.
        groups: [S] members of one number were trained on the same crystals and differ by their seed alone.
        targets: names of the T targets.
        volume_per_atom: [B] Å^3.
    """
    weight = (answers / answers.sum(0)).to(latents)[:, None, :, None, None]
    mean = _physical((weight * latents).sum(0), targets, volume_per_atom)
    single = [_physical(latent, targets, volume_per_atom) for latent in latents]
    spread = {
        target: _spread(
            np.log(np.stack([quantities(one[target]) for one in single]) + SHIFT[target]), answers.numpy(), groups
        )
        for target in mean
    }
    return mean, spread


def with_total(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same, and the total tensor where both of its parts are there."""
    if {"electronic", "ionic"} <= set(tensors):
        return {**tensors, "total": tensors["electronic"] + tensors["ionic"]}
    return tensors


def _physical(latent: torch.Tensor, targets: Sequence[str], volume: torch.Tensor) -> dict[str, np.ndarray]:
    tensors = physical(latent, tuple(targets), volume).double().cpu().numpy()
    symmetric = (tensors + tensors.swapaxes(-1, -2)) / 2
    return with_total(dict(zip(targets, symmetric, strict=True)))


def _spread(values: np.ndarray, answers: np.ndarray, groups: Sequence[int]) -> np.ndarray:
    """[S, B, 4] -> [B, 4] standard deviation within groups of at least two that answer; 0 where there is none."""
    variance, counted = np.zeros(values.shape[1:]), np.zeros((values.shape[1], 1))
    for group in set(groups):
        chosen = np.array([one == group for one in groups])
        asked = answers[chosen][..., None]  # [s, B, 1]
        count = asked.sum(0)  # [B, 1]
        mean = (values[chosen] * asked).sum(0) / np.maximum(count, 1)
        square = ((values[chosen] - mean) ** 2 * asked).sum(0) / np.maximum(count - 1, 1)
        variance += np.where(count > 1, square, 0)
        counted += count > 1
    return np.sqrt(variance / np.maximum(counted, 1))
