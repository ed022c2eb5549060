"""A network with the same physics but without equivariance, to see what equivariance is worth."""

import json
from dataclasses import asdict
from pathlib import Path

import torch
from torch import nn
from torch_geometric.utils import scatter

from engine.config import GraphConfig, ModelConfig
from engine.crystals.graph import CrystalGraph
from engine.errors import EngineError
from engine.files import read_json, read_tensors, write_tensors, write_text
from engine.model.checkpoint import WEIGHTS
from engine.network.embedding import AtomEmbedding
from engine.network.heads import bounded
from engine.network.layers import radial_embedding
from engine.network.network import learnt, physical
from engine.tensors.irreps import irreps_to_matrix

TARGETS = ("electronic",)
ABOUT = "plain.json"  # no config.json: the dashboard does not offer it as a model


class PlainNetwork(nn.Module):
    """Messages that ordinary networks make of Cartesian edge vectors, so that a turned crystal is another one:

        h_i <- h_i + U[ 1/sqrt(num_neighbors) sum_j silu(A h_j + B h_i + C (R(r_ij), r_ij / |r_ij|)) ]

    with R the radial embedding. Each atom puts out six numbers; their mean counts as 1x0e+1x2e and becomes the
    tensor of `DielectricNetwork`: symmetric, positive, blind to translation, atom order and choice of cell. Of the
    model config, `mul` is the width of all layers; `lmax` and `radial_width` play no part.

    Attributes:
        offset, spread: [] mean and standard deviation of M's 0e component on the training set.
    """

    offset: torch.Tensor
    spread: torch.Tensor

    def __init__(self, graph: GraphConfig, model: ModelConfig) -> None:
        super().__init__()
        self.graph_config, self.model_config = graph, model
        self.embedding = AtomEmbedding(model.mul)
        self.layers = nn.ModuleList(PlainConvolution(model) for _ in range(model.num_layers))
        self.head = _two_layers(model.mul, 6)
        self.register_buffer("offset", torch.zeros(()))
        self.register_buffer("spread", torch.ones(()))

    def latent(self, graph: CrystalGraph) -> torch.Tensor:
        """M of each crystal, [B, 3, 3]."""
        length = torch.linalg.vector_norm(graph.edge_vec, dim=1)
        radial = radial_embedding(length, self.graph_config.r_max, self.model_config.num_basis)
        edge = torch.cat([radial, graph.edge_vec / length[:, None]], 1)  # [E, num_basis + 3]
        node = self.embedding(graph.atomic_numbers)
        for layer in self.layers:
            node = node + layer(node, graph.edge_index, edge)
        mean = scatter(self.head(node), graph.crystal_index, dim=0, dim_size=len(graph.cell), reduce="mean")
        return irreps_to_matrix(bounded(mean * self.spread) + nn.functional.pad(self.offset[None], (0, 5)))

    def forward(self, graph: CrystalGraph) -> torch.Tensor:
        """Electronic tensor of each crystal, [1, B, 3, 3] like `DielectricNetwork`'s, in the axes of the graph."""
        return physical(self.latent(graph)[None], TARGETS, graph.volume_per_atom)


class PlainConvolution(nn.Module):
    """One step of `PlainNetwork`'s message passing."""

    def __init__(self, model: ModelConfig) -> None:
        super().__init__()
        self.scale = model.num_neighbors**-0.5
        self.of_src, self.of_dst = nn.Linear(model.mul, model.mul), nn.Linear(model.mul, model.mul, bias=False)
        self.of_edge = nn.Linear(model.num_basis + 3, model.mul, bias=False)
        self.update = _two_layers(model.mul, model.mul)

    def forward(
        self,
        node: torch.Tensor,  # [N, mul]
        edge_index: torch.Tensor,  # [2, E]
        edge: torch.Tensor,  # [E, num_basis + 3]
    ) -> torch.Tensor:
        """What a step adds to the node features, [N, mul]."""
        edge_src, edge_dst = edge_index
        atoms = self.of_src(node)[edge_src] + self.of_dst(node)[edge_dst]
        message = nn.functional.silu(atoms + self.of_edge(edge))
        return self.update(self.scale * scatter(message, edge_dst, dim=0, dim_size=len(node), reduce="sum"))


def _two_layers(width: int, out: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, out))


def save_plain(folder: Path, network: PlainNetwork, trained_on: frozenset[str], about: dict[str, str]) -> None:
    """Write the network into `folder`, weights in half precision; `trained_on` holds reduced formulas."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "graph": asdict(network.graph_config),
        "model": asdict(network.model_config),
        "trained_on": sorted(trained_on),
        "about": about,
    }
    write_tensors(folder / WEIGHTS, {name: tensor.half() for name, tensor in learnt(network).items()})
    write_text(folder / ABOUT, json.dumps(content, indent=1) + "\n")


def load_plain(folder: Path) -> tuple[PlainNetwork, frozenset[str]]:
    """The network that `save_plain` wrote, and the reduced formulas that it was trained on.

    Raises:
        EngineError: files are missing, damaged or do not fit together.
    """
    content, weights = read_json(folder / ABOUT), read_tensors(folder / WEIGHTS)
    try:
        network = PlainNetwork(GraphConfig(**content["graph"]), ModelConfig(**content["model"]))
        network.load_state_dict(weights, strict=False)
        trained_on = frozenset(content["trained_on"])
    except (KeyError, TypeError, RuntimeError) as error:
        raise EngineError(f"{folder}: is damaged; make it anew: python -m benchmarks.plain_network") from error
    return network.eval().requires_grad_(False), trained_on
