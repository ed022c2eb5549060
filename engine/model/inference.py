"""Networks over graphs, without gradients."""

from collections.abc import Callable, Sequence
from copy import deepcopy

import torch
from torch_geometric.loader import DataLoader

from engine.crystals.graph import CrystalGraph, collate
from engine.errors import check
from engine.network.network import DielectricNetwork, dipole_fields
from engine.network.potential import pretrained_features


def predict_latent(network: DielectricNetwork, graphs: Sequence[CrystalGraph]) -> torch.Tensor:
    """M of each target and graph, [T, n, 3, 3]."""
    return _in_batches(network.latent, network, graphs, dim=1)


def predict_charges(network: DielectricNetwork, graphs: Sequence[CrystalGraph]) -> torch.Tensor:
    """Born charges of the atoms of all graphs, [N, 3, 3] e; raises as `DielectricNetwork.born_charges` does."""
    return _in_batches(network.born_charges, network, graphs, dim=0)


def embeddings(network: DielectricNetwork, graphs: Sequence[CrystalGraph]) -> torch.Tensor:
    """`embedding` of each graph, [n, F]."""
    return _in_batches(network.embedding, network, graphs, dim=0)


def ensemble_latents(
    networks: Sequence[DielectricNetwork],
    graphs: Sequence[CrystalGraph],
    device: torch.device,
    targets: Sequence[str],
) -> tuple[torch.Tensor, torch.Tensor]:
    """M of `targets` by every network, [S, T, B, 3, 3], and embeddings of the first, [B, F].

    Features are computed on the way.

    All graphs go at once; where memory runs out, half of them at a time, and a single one goes to the CPU.

    Raises:
        EngineError: a crystal does not fit into the memory of the CPU.
    """
    answer = _latents_at_once(networks, graphs, device, targets)
    if answer is not None:
        return answer
    if len(graphs) > 1:
        middle = len(graphs) // 2
        halves = (graphs[:middle], graphs[middle:])
        first, second = (ensemble_latents(networks, half, device, targets) for half in halves)
        return torch.cat([first[0], second[0]], dim=2), torch.cat([first[1], second[1]])
    check(
        device.type != "cpu",
        f"a primitive cell of {graphs[0].num_nodes} atoms does not fit into the memory of this machine; "
        "one with more is needed",
    )
    cpu = torch.device("cpu")
    copies = [deepcopy(network).to(cpu) for network in networks]
    latents, embedding = ensemble_latents(copies, [graph.clone().to(cpu) for graph in graphs], cpu, targets)
    return latents.to(device), embedding.to(device)


def _latents_at_once(
    networks: Sequence[DielectricNetwork],
    graphs: Sequence[CrystalGraph],
    device: torch.device,
    targets: Sequence[str],
) -> tuple[torch.Tensor, torch.Tensor] | None:
    """None where memory runs out; nothing of the batch is kept then."""
    try:
        with torch.inference_mode():
            batch = _with_features(collate(graphs), networks[0], device)
            found = [network.latents(batch, targets) for network in networks]
            latents = torch.stack([torch.stack([one[target] for target in targets]) for one in found])
            return latents, networks[0].embedding(batch)
    except torch.OutOfMemoryError:
        return None


def _with_features(batch: CrystalGraph, network: DielectricNetwork, device: torch.device) -> CrystalGraph:
    config = network.model_config
    if config.frozen:
        batch.features = pretrained_features(device, torch.float64)(batch).float()
    if config.readout == "dipoles":
        batch.dipole_field = dipole_fields(batch, config.sigma)
    return batch


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
