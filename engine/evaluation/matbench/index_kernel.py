"""Kernel regression of the refractive index: a crystal is like those whose atoms have like features."""

import torch

from engine.config import IndexConfig
from engine.evaluation.matbench.index_data import IndexData

STEPS = 6  # of reweighting
FARTHEST = 6.0  # standard deviations; a descriptor farther from its mean counts as this far


def kernel_latent(train: IndexData, test: IndexData, config: IndexConfig) -> torch.Tensor:
    """[B] latents of `test` crystals, see `IndexData.latent`, from the labels of `train`.

    With the Matérn kernel k(d) = (1 + √3 d) exp(-√3 d) (Rasmussen and Williams, Gaussian Processes for Machine
    Learning, 2006) of the distance d between descriptors, in units of `kernel_length`, the prediction is the
    median label c plus sum_j k(d_j) alpha_j, where

        (K + kernel_noise diag(max(|r| / kernel_error, 1))) alpha = latent - c

    and r are the training residuals: beyond `kernel_error` they count by their size, not by their square, so that
    no wrong label rules its surroundings.
    """
    known, asked = _descriptors(train), _descriptors(test)
    center, scale = known.mean(0), known.std(0)
    scale = scale.clamp(min=1e-3 * known.std())
    known, asked = (((x - center) / scale).clamp(-FARTHEST, FARTHEST).double() for x in (known, asked))
    kernel = _matern(known, known, config.kernel_length)
    latent = train.latent(config.floor).double()
    middle = latent.median()
    noise = torch.full_like(latent, config.kernel_noise)
    for _ in range(STEPS):
        factor = torch.linalg.cholesky(kernel + noise.diag())
        alpha = torch.cholesky_solve((latent - middle)[:, None], factor)[:, 0]
        residual = (kernel @ alpha + middle - latent).abs()
        noise = config.kernel_noise * (residual / config.kernel_error).clamp(min=1)
    return (_matern(asked, known, config.kernel_length) @ alpha + middle).to(train.n.dtype)


def _descriptors(data: IndexData) -> torch.Tensor:
    """[B, 2 K] mean and standard deviation of the invariants over a crystal's atoms."""
    mean = data.mean(data.invariants)
    spread = (data.mean(data.invariants.square()) - mean.square()).clamp(min=0).sqrt()
    return torch.cat([mean, spread], 1)


def _matern(one: torch.Tensor, other: torch.Tensor, length: float) -> torch.Tensor:
    distance = (3 / one.shape[1]) ** 0.5 / length * torch.cdist(one, other)
    return (1 + distance) * torch.exp(-distance)
