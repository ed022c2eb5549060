"""Networks over graphs, without gradients."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace

import torch
from torch_geometric.loader import DataLoader

from engine.crystals.graph import CrystalGraph, collate
from engine.errors import check
from engine.network.network import DielectricNetwork, Lattice, dipole_fields
from engine.network.padding import to_matrix
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


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What S networks say of B crystals.

    Attributes:
        latents: [S, T, B, 3, 3] M of each target.
        embedding: [B, F], the first network's.
        charges: a crystal [S, N, 3, 3] e, see `DielectricNetwork.born_charges`.
        force_constants: a crystal [S, 3 N, 3 N] eV/Å^2, `Lattice.bare`. Both are empty where the ionic target is
            not asked for, or the networks have no force constants of their own.
    """

    latents: torch.Tensor
    embedding: torch.Tensor
    charges: tuple[torch.Tensor, ...]
    force_constants: tuple[torch.Tensor, ...]


def ensemble_answers(
    networks: Sequence[DielectricNetwork],
    graphs: Sequence[CrystalGraph],
    device: torch.device,
    targets: Sequence[str],
) -> Answers:
    """What every network says of all graphs about `targets`; features are computed on the way.

    All graphs go at once; where memory runs out, half of them at a time, and a single one goes to the CPU.

    Raises:
        EngineError: a crystal does not fit into the memory of the CPU.
    """
    answer = _answers_at_once(networks, graphs, device, targets)
    if answer is not None:
        return answer
    if len(graphs) > 1:
        middle = len(graphs) // 2
        halves = (graphs[:middle], graphs[middle:])
        return _joined(*(ensemble_answers(networks, half, device, targets) for half in halves))
    check(
        device.type != "cpu",
        f"a primitive cell of {graphs[0].num_nodes} atoms does not fit into the memory of this machine; "
        "one with more is needed",
    )
    cpu = torch.device("cpu")
    copies = [deepcopy(network).to(cpu) for network in networks]
    answer = ensemble_answers(copies, [graph.clone().to(cpu) for graph in graphs], cpu, targets)
    return replace(answer, latents=answer.latents.to(device), embedding=answer.embedding.to(device))


def _joined(first: Answers, second: Answers) -> Answers:
    return Answers(
        latents=torch.cat([first.latents, second.latents], dim=2),
        embedding=torch.cat([first.embedding, second.embedding]),
        charges=first.charges + second.charges,
        force_constants=first.force_constants + second.force_constants,
    )


def _answers_at_once(
    networks: Sequence[DielectricNetwork],
    graphs: Sequence[CrystalGraph],
    device: torch.device,
    targets: Sequence[str],
) -> Answers | None:
    """None where memory runs out; nothing of the batch is kept then."""
    try:
        with torch.inference_mode():
            batch = _with_features(collate(graphs), networks[0], device)
            with_ions = "ionic" in targets and networks[0].model_config.direct
            lattices = [network.lattice(batch) for network in networks] if with_ions else []
            found = [
                network.latents(batch, targets, lattices[place] if with_ions else None)
                for place, network in enumerate(networks)
            ]
            return Answers(
                latents=torch.stack([torch.stack([one[target] for target in targets]) for one in found]),
                embedding=networks[0].embedding(batch),
                charges=_charges(lattices, batch) if with_ions else (),
                force_constants=_force_constants(lattices, batch) if with_ions else (),
            )
    except torch.OutOfMemoryError:
        return None


def _charges(lattices: Sequence[Lattice], batch: CrystalGraph) -> tuple[torch.Tensor, ...]:
    """[S, N, 3, 3] of each crystal, on the CPU."""
    charges = torch.stack([lattice.charges for lattice in lattices]).double().cpu()
    return charges.split(torch.bincount(batch.crystal_index).tolist(), dim=1)


def _force_constants(lattices: Sequence[Lattice], batch: CrystalGraph) -> tuple[torch.Tensor, ...]:
    """[S, 3 N, 3 N] of each crystal, on the CPU."""
    pairs = torch.stack([lattice.bare for lattice in lattices]).cpu()  # [S, B, n, n, 3, 3]
    counts = torch.bincount(batch.crystal_index).tolist()
    return tuple(to_matrix(pairs[:, index, :count, :count]) for index, count in enumerate(counts))


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
