"""A network over many graphs, without gradients."""

from collections.abc import Callable, Sequence

import torch
from torch_geometric.loader import DataLoader

from engine.graph import CrystalGraph
from engine.network import DielectricNetwork


def predict_latent(network: DielectricNetwork, graphs: Sequence[CrystalGraph]) -> torch.Tensor:
    """M of each target and graph, [T, n, 3, 3]."""
    return _in_batches(network.latent, network, graphs, dim=1)


def embeddings(network: DielectricNetwork, graphs: Sequence[CrystalGraph]) -> torch.Tensor:
    """`embedding` of each graph, [n, F]."""
    return _in_batches(network.embedding, network, graphs, dim=0)


def _in_batches(
    function: Callable[[CrystalGraph], torch.Tensor],
    network: DielectricNetwork,
    graphs: Sequence[CrystalGraph],
    dim: int,
) -> torch.Tensor:
    device = network.offset.device
    with torch.inference_mode():
        batches = DataLoader(list(graphs), 8 if network.model_config.tuned_layers else 64)  # fit into memory
        return torch.cat([function(batch.to(device)).cpu() for batch in batches], dim)
