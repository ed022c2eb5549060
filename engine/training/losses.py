"""What training makes small: distances of logarithms, of tensors and of refractive indices."""

from collections.abc import Sequence

import torch

from engine.crystals.graph import CrystalGraph
from engine.network.network import DielectricNetwork

SMOOTH = 0.1  # errors of the logarithm, or of a charge in e, below this count by their square


def latent_loss(predicted: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Mean over labels of the smoothed Frobenius distance sqrt(|P - W|^2 + s^2) - s.

    Args:
        predicted: [T, B, 3, 3] logarithms.
        wanted: [B, T, 3, 3], nan where there is no label.
    """
    wanted = wanted.transpose(0, 1)
    known = ~wanted.isnan().any(-1).any(-1)
    square = (predicted - wanted)[known].square().sum((-1, -2))
    return ((square + SMOOTH**2).sqrt() - SMOOTH).mean()


def index_loss(predicted: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """The same distance for crystals of which the mean of the electronic susceptibility alone is known.

    Args:
        predicted: [B, 3, 3] logarithms of the electronic susceptibility.
        wanted: [B] logarithms of its mean.
    """
    mean = torch.linalg.matrix_exp(predicted).diagonal(dim1=1, dim2=2).mean(1)
    square = 3 * (mean.log() - wanted).square()
    return ((square + SMOOTH**2).sqrt() - SMOOTH).mean()


def charge_loss(predicted: torch.Tensor, wanted: torch.Tensor, crystal_index: torch.Tensor) -> torch.Tensor:
    """The same distance for Born charges [N, 3, 3]; a crystal counts by the square root of its atoms [N]."""
    distance = ((predicted - wanted).square().sum((1, 2)) + SMOOTH**2).sqrt() - SMOOTH
    weight = torch.bincount(crystal_index)[crystal_index].to(distance).rsqrt()
    return (weight * distance).sum() / weight.sum()


def total_loss(network: DielectricNetwork, batch: CrystalGraph, targets: Sequence[str]) -> torch.Tensor:
    """Tensor labels, the mean over `targets`, and index labels; a coarse readout learns beside the other.

    The target "charges" are Born charges.
    """
    if "charges" in targets:
        return charge_loss(network.born_charges(batch), batch.born, batch.crystal_index)
    predicted = network.latents(batch, targets)
    loss = batch.latent.new_zeros(())
    for name, latent in predicted.items():
        wanted = batch.latent[:, network.model_config.targets.index("ionic" if name == "coarse" else name)]
        if not wanted.isnan().all():
            loss = loss + latent_loss(latent[None], wanted[:, None]) / len(targets)
    known = ~batch.log_mean.isnan()
    if "electronic" in targets and known.any():
        loss = loss + index_loss(predicted["electronic"][known], batch.log_mean[known])
    return loss
