"""Training of the network without equivariance: the loop of loop.py, with the crystals turned on request."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from e3nn import o3
from torch_geometric.loader import DataLoader

from engine.config import TrainConfig
from engine.crystals.graph import CrystalGraph
from engine.crystals.material import Material
from engine.data.datasets import labelled
from engine.errors import check
from engine.network.network import isotropic_part
from engine.teaching.plain_network import TARGETS, PlainNetwork
from engine.training.labelled_graphs import labelled_graphs
from engine.training.learner import Learner
from engine.training.loop import rattled
from engine.training.losses import latent_loss


@dataclass(kw_only=True)
class PlainTraining:
    """What changes while the network learns; `result` holds the averaged weights."""

    config: TrainConfig
    graphs: list[CrystalGraph]
    learner: Learner[PlainNetwork]

    @property
    def result(self) -> PlainNetwork:
        """The network with averaged weights."""
        return self.learner.result


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
    learner = Learner.at_one_rate(network, config)
    return PlainTraining(config=config, graphs=graphs, learner=learner)


def train_plain(training: PlainTraining, turn: bool) -> Iterator[float]:
    """Run the epochs, yielding each one's mean loss.

    Args:
        turn: show every crystal, in every step, in a new random orientation.
    """
    config, learner = training.config, training.learner
    for epoch in range(config.epochs):
        rng = torch.Generator().manual_seed(config.seed * 100_003 + epoch)
        loader = DataLoader(training.graphs, config.batch_size, shuffle=True, generator=rng)
        losses = []
        for step, batch in enumerate(loader, start=1):
            batch = rattled(batch, config.rattle, rng)
            if turn:
                batch = turned_at_random(batch, rng)
            loss = latent_loss(learner.network.latent(batch)[None], batch.latent)
            losses.append(learner.step(loss, (epoch + step / len(loader)) / config.epochs))
        yield float(np.mean(losses))


def turned_at_random(graph: CrystalGraph, rng: torch.Generator) -> CrystalGraph:
    """Each crystal of a batch in an orientation of its own, edges and label alike."""
    quaternion = torch.nn.functional.normalize(torch.randn(len(graph.cell), 4, generator=rng))
    rotation = o3.quaternion_to_matrix(quaternion)  # [B, 3, 3]
    turned = graph.clone()
    of_edge = rotation[graph.crystal_index[graph.edge_index[0]]]
    turned.edge_vec = torch.einsum("eij,ej->ei", of_edge, graph.edge_vec)
    turned.latent = torch.einsum("bij,btjk,blk->btil", rotation, graph.latent, rotation)
    return turned
