"""A network that reads the refractive index off the frozen potential's features."""

from collections.abc import Callable

import torch
from torch import nn

from engine.config import IndexConfig
from engine.evaluation.matbench.index_data import IndexData
from engine.network.heads import BOUND
from engine.network.network import VOLUME_UNIT
from engine.training.learner import Learner

FARTHEST = 5.0  # standard deviations; an invariant farther from its mean counts as this far


class IndexNetwork(nn.Module):
    """Atoms add up their polarisabilities, and all of them depend on the whole crystal too:

        h_i = SiLU(W x_i),    g = MLP(mean_i h_i, std_i h_i, log(v / v0)),
        latent = log mean_i exp(offset + spread (w . h_i + g)).

    Centres, scales, offset and spread are those of the training data.
    """

    center: torch.Tensor
    scale: torch.Tensor
    offset: torch.Tensor
    spread: torch.Tensor

    def __init__(self, config: IndexConfig, data: IndexData) -> None:
        super().__init__()
        count, latent = data.invariants.shape[1], data.latent(config.floor)
        self.register_buffer("center", data.invariants.mean(0))
        self.register_buffer("scale", 1 / data.invariants.std(0).clamp(min=1e-4))
        self.register_buffer("offset", latent.mean())
        self.register_buffer("spread", latent.std())
        self.atom = nn.Sequential(nn.Linear(count, config.width), nn.SiLU())
        self.own = nn.Linear(config.width, 1)
        self.crystal = nn.Sequential(
            nn.Linear(2 * config.width + 1, config.crystal_width), nn.SiLU(), nn.Linear(config.crystal_width, 1)
        )

    def forward(self, data: IndexData) -> torch.Tensor:
        """[B] latents, see `IndexData.latent`."""
        inputs = ((data.invariants - self.center) * self.scale).clamp(-FARTHEST, FARTHEST)
        hidden = self.atom(inputs)
        mean = data.mean(hidden)
        spread = (data.mean(hidden.square()) - mean.square()).clamp(min=0).add(1e-4).sqrt()
        volume = (data.volume_per_atom / VOLUME_UNIT).log()[:, None]
        shared = self.crystal(torch.cat([mean, volume, spread], 1))
        output = (self.own(hidden) + shared[data.crystal_index])[:, 0]
        return data.mean((self.offset + self.spread * BOUND * torch.tanh(output / BOUND)).exp()).log()


def train_index_network(
    data: IndexData, config: IndexConfig, seed: int, progress: Callable[[str], None] | None = None
) -> IndexNetwork:
    """The network with averaged weights; `progress` gets a line after each epoch.

    The loss is the mean of |log(n^2 - 1) - log(n_DFT^2 - 1)|. Its minimum is a median, which no monotone function
    of n moves, so it serves the error of n, and labels that are wrong do not draw it away.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = IndexNetwork(config, data)
    network.to(data.n.device)
    learner = Learner.at_one_rate(network, config)
    rng = torch.Generator().manual_seed(seed)
    for epoch in range(config.epochs):
        batches = torch.randperm(len(data.n), generator=rng).to(data.n.device).split(config.batch_size)
        losses = []
        for step, chosen in enumerate(batches, start=1):
            batch = data.take(chosen)
            loss = (network(batch) - batch.latent(config.floor)).abs().mean()
            losses.append(learner.step(loss, (epoch + step / len(batches)) / config.epochs))
        if progress:
            progress(f"epoch {epoch + 1}/{config.epochs}  loss {sum(losses) / len(losses):.4f}")
    return learner.result


@torch.inference_mode()
def network_latent(network: IndexNetwork, data: IndexData) -> torch.Tensor:
    """[B] latents of a trained network."""
    everything = torch.arange(len(data.n), device=data.n.device)
    return torch.cat([network(data.take(chosen)) for chosen in everything.split(64)])
