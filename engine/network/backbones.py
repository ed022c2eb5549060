"""Networks that turn a crystal graph into equivariant features of its atoms."""

import torch
from e3nn import o3
from torch import nn

from engine.config import GraphConfig, ModelConfig
from engine.crystals.graph import CrystalGraph
from engine.network.embedding import AtomEmbedding
from engine.network.layers import Convolution, gate_for, natural_irreps, radial_embedding
from engine.network.potential import IRREPS, pretrained_features


class ConvolutionBackbone(nn.Module):
    """Gated equivariant convolutions, trained from scratch; graph -> [N, irreps_out].

    Source: the layer plan of Batzner et al., arXiv:2101.03164.
    """

    def __init__(self, graph: GraphConfig, model: ModelConfig) -> None:
        super().__init__()
        self.r_max, self.num_basis = graph.r_max, model.num_basis
        self.irreps_sh = o3.Irreps.spherical_harmonics(model.lmax)
        scalars = 2 * model.mul
        hidden = natural_irreps(model.mul, model.lmax, scalars)
        self.embedding = AtomEmbedding(scalars)
        self.convolutions, self.gates = nn.ModuleList(), nn.ModuleList()
        irreps = o3.Irreps([(scalars, "0e")])
        for _ in range(model.num_layers):
            gate = gate_for(hidden)
            self.convolutions.append(
                Convolution(
                    irreps,
                    self.irreps_sh,
                    gate.irreps_in,
                    model.num_basis,
                    model.radial_width,
                    model.num_neighbors,
                )
            )
            self.gates.append(gate)
            irreps = gate.irreps_out
        self.irreps_out = irreps

    def forward(self, graph: CrystalGraph) -> torch.Tensor:
        """[N, irreps_out] of a graph with edges up to `r_max`."""
        edge_length = torch.linalg.vector_norm(graph.edge_vec, dim=1)
        edge_sh = o3.spherical_harmonics(self.irreps_sh, graph.edge_vec, True, normalization="component")
        edge_radial = radial_embedding(edge_length, self.r_max, self.num_basis)
        node = self.embedding(graph.atomic_numbers)
        for convolution, gate in zip(self.convolutions, self.gates, strict=True):
            node = gate(convolution(node, graph.edge_index, edge_sh, edge_radial))
        return node


class FrozenBackbone(nn.Module):
    """Features that stay as they are, `graph.features`, at unit scale; graph -> [N, irreps_out].

    They are the potential's, or those of the network distilled from it, which come at a scale of their own.

    Attributes:
        center: [scalars] mean of each scalar on the training set.
        scale: [channels] inverse spread of each scalar, and inverse norm of each l = 2 channel.
    """

    center: torch.Tensor
    scale: torch.Tensor

    def __init__(self, irreps: o3.Irreps = IRREPS) -> None:
        super().__init__()
        self.irreps_out = irreps
        scalars, channels = self.irreps_out.count("0e"), self.irreps_out.num_irreps
        self.register_buffer("center", torch.zeros(scalars))
        self.register_buffer("scale", torch.ones(channels))

    def fit(self, features: torch.Tensor) -> None:
        """Take centre and scale from the features [N, irreps_out] of training atoms."""
        scalars, even = self._split(features)
        self.center.copy_(scalars.mean(0))
        spread = torch.cat([scalars.std(0), even.square().sum(-1).mean(0).sqrt()])
        self.scale.copy_(1 / spread.clamp(min=1e-4))

    def forward(self, graph: CrystalGraph) -> torch.Tensor:
        """[N, irreps_out] of a graph that carries `features`."""
        return self.scaled(graph.features)

    def scaled(self, features: torch.Tensor) -> torch.Tensor:
        """The potential's features [N, irreps_out] at unit scale."""
        scalars, even = self._split(features)
        count = scalars.shape[1]
        scalars = (scalars - self.center) * self.scale[:count]
        even = even * self.scale[count:, None]
        return torch.cat([scalars, even.flatten(1)], 1)

    def _split(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Scalars [N, scalars] and l = 2 channels [N, channels, 5]."""
        count = len(self.center)
        return features[:, :count], features[:, count:].unflatten(1, (-1, 5))


class TunedBackbone(nn.Module):
    """The pretrained potential with last layers that learn; graph of `potential.GRAPH` -> [N, irreps_out].

    The potential's other layers are shared by the process and no part of this module.

    Attributes:
        unit: centre and scale of the features of the untuned potential.
        layers: this network's own copies of the last layers.
    """

    def __init__(self, tuned_layers: int) -> None:
        super().__init__()
        self.unit = FrozenBackbone()
        self.irreps_out = self.unit.irreps_out
        potential = pretrained_features(torch.device("cpu"), self.unit.center.dtype)
        self.layers = potential.last_layers(tuned_layers)

    def forward(self, graph: CrystalGraph) -> torch.Tensor:
        """[N, irreps_out] of a graph of `potential.GRAPH`; raises EngineError for an element it does not know."""
        potential = pretrained_features(graph.pos.device, self.unit.center.dtype)
        return self.unit.scaled(potential(graph, self.layers))
