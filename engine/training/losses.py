"""What training makes small: distances of logarithms, of tensors and of refractive indices."""

from collections.abc import Mapping, Sequence

import torch

from engine.crystals.graph import CrystalGraph
from engine.network.network import DielectricNetwork

SMOOTH = 0.1  # errors of the logarithm, or of a charge in e, below this count by their square


def latent_loss(predicted: torch.Tensor, wanted: torch.Tensor, weight: torch.Tensor | None = None) -> torch.Tensor:
    """Mean over labels of the smoothed Frobenius distance sqrt(|P - W|^2 + s^2) - s.

    Args:
        predicted: [T, B, 3, 3] logarithms.
        wanted: [B, T, 3, 3], nan where there is no label.
        weight: what the sum is divided by, where these are not all the labels that there are.
    """
    wanted = wanted.transpose(0, 1)
    square = (predicted - wanted)[_known(wanted)].square().sum((-1, -2))
    return _mean((square + SMOOTH**2).sqrt() - SMOOTH, weight)


def index_loss(predicted: torch.Tensor, wanted: torch.Tensor, weight: torch.Tensor | None = None) -> torch.Tensor:
    """The same distance for crystals of which the mean of the electronic susceptibility alone is known.

    Args:
        predicted: [B, 3, 3] logarithms of the electronic susceptibility.
        wanted: [B] logarithms of its mean.
        weight: see `latent_loss`.
    """
    mean = torch.linalg.matrix_exp(predicted).diagonal(dim1=1, dim2=2).mean(1)
    square = 3 * (mean.log() - wanted).square()
    return _mean((square + SMOOTH**2).sqrt() - SMOOTH, weight)


def charge_loss(
    predicted: torch.Tensor, wanted: torch.Tensor, crystal_index: torch.Tensor, weight: torch.Tensor | None = None
) -> torch.Tensor:
    """The same distance for Born charges [N, 3, 3]; a crystal counts by the square root of its atoms [N]."""
    distance = ((predicted - wanted).square().sum((1, 2)) + SMOOTH**2).sqrt() - SMOOTH
    counts = _charge_weights(crystal_index).to(distance)
    return (counts * distance).sum() / (counts.sum() if weight is None else weight)


def label_weights(
    batch: CrystalGraph, of_network: Sequence[str], targets: Sequence[str]
) -> dict[str, torch.Tensor]:
    """What `total_loss` divides the sum over each kind of label by.

    Args:
        of_network: the targets of the network.
        targets: those that this batch teaches.
    """
    if "charges" in targets:
        return {"charges": _charge_weights(batch.crystal_index).sum()}
    known = _known(batch.latent)  # [B, T]
    return {
        **{target: known[:, of_network.index(target)].sum() for target in targets},
        "index": (~batch.log_mean.isnan()).sum() * ("electronic" in targets),
    }


def total_loss(
    network: DielectricNetwork,
    batch: CrystalGraph,
    targets: Sequence[str],
    weights: Mapping[str, torch.Tensor] | None = None,
) -> torch.Tensor:
    """Tensor labels, the mean over `targets`, and index labels; a coarse readout learns beside the other.

    The target "charges" are Born charges.

    Args:
        weights: `label_weights` of all crystals, of which the batch is a share; of the batch by default.
    """
    of_network = network.model_config.targets
    weights = weights or label_weights(batch, of_network, targets)
    if "charges" in targets:
        return charge_loss(network.born_charges(batch), batch.born, batch.crystal_index, weights["charges"])
    predicted = network.latents(batch, targets)
    loss = batch.latent.new_zeros(())
    for name, latent in predicted.items():
        target = "ionic" if name == "coarse" else name
        if weights[target]:
            wanted = batch.latent[:, of_network.index(target)]
            loss = loss + latent_loss(latent[None], wanted[:, None], weights[target]) / len(targets)
    if weights["index"]:
        known = ~batch.log_mean.isnan()
        loss = loss + index_loss(predicted["electronic"][known], batch.log_mean[known], weights["index"])
    return loss


def _known(wanted: torch.Tensor) -> torch.Tensor:
    """Which of [..., 3, 3] are labels."""
    return ~wanted.isnan().any(-1).any(-1)


def _mean(distances: torch.Tensor, weight: torch.Tensor | None) -> torch.Tensor:
    return distances.mean() if weight is None else distances.sum() / weight


def _charge_weights(crystal_index: torch.Tensor) -> torch.Tensor:
    """[N] of each atom."""
    return torch.bincount(crystal_index)[crystal_index].float().rsqrt()
