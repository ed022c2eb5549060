"""Training of the network without equivariance: the loop of loop.py, with the crystals turned on request."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import torch
from e3nn import o3
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch_geometric.loader import DataLoader

from engine.config import TrainConfig
from engine.crystals.graph import CrystalGraph
from engine.crystals.material import Material
from engine.data.datasets import labelled
from engine.errors import check
from engine.network.network import isotropic_part
from engine.teaching.plain_network import TARGETS, PlainNetwork
from engine.training.labelled_graphs import labelled_graphs
from engine.training.loop import learning_rate, rattled
from engine.training.losses import latent_loss


@dataclass(kw_only=True)
class PlainTraining:
    """What changes while the network learns; `result` holds the averaged weights."""

    config: TrainConfig
    graphs: list[CrystalGraph]
    network: PlainNetwork
    averaged: AveragedModel

    @property
    def result(self) -> PlainNetwork:
        """The network with averaged weights."""
        return cast(PlainNetwork, self.averaged.module)  # which torch knows as a Module


def start_plain_training(materials: Sequence[Material], config: TrainConfig) -> PlainTraining:
    """Graphs and a fresh network, on the CPU; the same config and materials give the same start.

    Raises:
        EngineError: no material has a sound electronic tensor.
    """
    materials = labelled(materials, TARGETS)
    check(bool(materials), "no training material has a sound electronic tensor")
    graphs = labelled_graphs(materials, config, torch.device("cpu"))
    degree = sum(graph.num_edges for graph in graphs) / sum(graph.num_nodes for graph in graphs)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        network = PlainNetwork(config.graph, replace(config.model, num_neighbors=max(degree, 1.0)))
    isotropic = isotropic_part(torch.cat([graph.latent[:, 0] for graph in graphs]))
    network.offset.copy_(isotropic.mean())
    network.spread.copy_(isotropic.std())
    averaged = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(config.average_decay))
    return PlainTraining(config=config, graphs=graphs, network=network, averaged=averaged)


def train_plain(training: PlainTraining, turn: bool) -> Iterator[float]:
    """Run the epochs, yielding each one's mean loss.

    Args:
        turn: show every crystal, in every step, in a new random orientation.
    """
    config, network = training.config, training.network
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=config.weight_decay)
    for epoch in range(config.epochs):
        chance = torch.Generator().manual_seed(config.seed * 100_003 + epoch)
        loader = DataLoader(training.graphs, config.batch_size, shuffle=True, generator=chance)
        losses = []
        for step, batch in enumerate(loader):
            progress = (epoch + (step + 1) / len(loader)) / config.epochs
            optimizer.param_groups[0]["lr"] = learning_rate(config.learning_rate, progress)
            batch = rattled(batch, config.rattle, chance)
            if turn:
                batch = turned_at_random(batch, chance)
            optimizer.zero_grad()
            loss = latent_loss(network.latent(batch)[None], batch.latent)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), config.clip_norm)
            optimizer.step()
            training.averaged.update_parameters(network)
            losses.append(loss.item())
        yield float(np.mean(losses))


def turned_at_random(graph: CrystalGraph, chance: torch.Generator) -> CrystalGraph:
    """Each crystal of a batch in an orientation of its own, edges and label alike."""
    quaternion = torch.nn.functional.normalize(torch.randn(len(graph.cell), 4, generator=chance))
    rotation = o3.quaternion_to_matrix(quaternion)  # [B, 3, 3]
    turned = graph.clone()
    of_edge = rotation[graph.crystal_index[graph.edge_index[0]]]
    turned.edge_vec = torch.einsum("eij,ej->ei", of_edge, graph.edge_vec)
    turned.latent = torch.einsum("bij,btjk,blk->btil", rotation, graph.latent, rotation)
    return turned
