"""Networks over graphs, without gradients."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace

import torch
from torch_geometric.loader import DataLoader

from engine.crystals.graph import CrystalGraph, collate
from engine.errors import EngineError
from engine.model.memory import fits, is_out_of_memory, refusal
from engine.network.building import alone
from engine.network.frozen_features import features_of
from engine.network.lattice import Lattice
from engine.network.network import DielectricNetwork, dipole_fields
from engine.network.padding import to_matrix

ALONE = 100  # atoms; a larger cell shares no batch, whose crystals all get as much room as the largest


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
        latents: [S, T, B, 3, 3] M of each target; zero of a network that is asked about none of the crystals.
        embedding: [B, F], the first network's.
        charges: a crystal [N, 3, 3] e, see `DielectricNetwork.born_charges`, the mean of the networks asked.
        force_constants: a crystal [3 N, 3 N] eV/Å^2, the same of `Lattice.bare`. Both are empty where the ionic
            target is not asked for, or the networks have no force constants of their own.
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
    asked: torch.Tensor | None = None,
) -> Answers:
    """What networks say of all graphs about `targets`; features are computed on the way.

    All graphs go at once but for large ones, which go alone; where memory runs out, half of them at a time, and a
    single one goes to the CPU.

    Args:
        asked: [S, B] bool, which networks are asked about each crystal, one at least; all by default.

    Raises:
        EngineError: a crystal does not fit into the memory of the CPU.
    """
    if asked is None:
        asked = torch.ones(len(networks), len(graphs), dtype=torch.bool)
    answer = _answers_at_once(networks, graphs, device, targets, asked)
    if answer is not None:
        return answer
    if len(graphs) > 1:
        middle = len(graphs) // 2
        return _joined(
            ensemble_answers(networks, graphs[:middle], device, targets, asked[:, :middle]),
            ensemble_answers(networks, graphs[middle:], device, targets, asked[:, middle:]),
        )
    if device.type == "cpu":
        raise EngineError(refusal(graphs[0], networks[0].model_config, targets))
    cpu = torch.device("cpu")
    copies = [alone(deepcopy)(network).to(cpu) for network in networks]
    answer = ensemble_answers(copies, [graph.clone().to(cpu) for graph in graphs], cpu, targets, asked)
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
    asked: torch.Tensor,
) -> Answers | None:
    """None where memory runs out, or is known to; nothing of the batch is kept then."""
    if len(graphs) > 1 and max(graph.num_nodes for graph in graphs) > ALONE:
        return None
    if device.type == "cpu" and not fits(graphs, networks[0].model_config, targets):
        return None
    try:
        with torch.inference_mode():
            batch = _with_features(graphs, networks[0])
            ions = _MeanIons(batch) if "ionic" in targets and networks[0].model_config.direct else None
            latents = {
                place: _latents(networks[place], batch, targets, ions, weights)
                for place, weights in enumerate(asked / asked.sum(0))
                if weights.any()
            }
            unasked = torch.zeros_like(next(iter(latents.values())))
            return Answers(
                latents=torch.stack([latents.get(place, unasked) for place in range(len(networks))]),
                embedding=networks[0].embedding(batch),
                charges=ions.charges_of_crystals() if ions else (),
                force_constants=ions.constants_of_crystals() if ions else (),
            )
    except (MemoryError, RuntimeError) as error:
        if is_out_of_memory(error):
            return None
        raise


def _latents(
    network: DielectricNetwork,
    batch: CrystalGraph,
    targets: Sequence[str],
    ions: "_MeanIons | None",
    weights: torch.Tensor,
) -> torch.Tensor:
    """M of the targets by one network, [T, B, 3, 3]; its ions are added to `ions`."""
    lattice = None if ions is None else network.lattice(batch)
    found = network.latents(batch, targets, lattice)
    if ions is not None and lattice is not None:
        ions.add(lattice, weights)
    return torch.stack([found[target] for target in targets])


class _MeanIons:
    """Charges and force constants of a batch in the mean of networks, added up as they come: they are large."""

    def __init__(self, batch: CrystalGraph) -> None:
        self.index = batch.crystal_index
        self.counts = torch.bincount(self.index).tolist()
        self.charges: torch.Tensor | float = 0.0
        self.constants: torch.Tensor | float = 0.0

    def add(self, lattice: Lattice, weights: torch.Tensor) -> None:
        """What one network says, with its weight in the mean of each crystal, [B]."""
        weights = weights.to(self.index.device).double()
        self.charges += weights[self.index, None, None] * lattice.charges.double()
        self.constants += weights[:, None, None, None, None] * lattice.bare

    def charges_of_crystals(self) -> tuple[torch.Tensor, ...]:
        """[N, 3, 3] of each crystal, on the CPU."""
        return torch.as_tensor(self.charges).cpu().split(self.counts)

    def constants_of_crystals(self) -> tuple[torch.Tensor, ...]:
        """[3 N, 3 N] of each crystal, on the CPU."""
        pairs = torch.as_tensor(self.constants).cpu()  # [B, n, n, 3, 3]
        return tuple(to_matrix(own[None, :n, :n])[0] for own, n in zip(pairs, self.counts, strict=True))


def _with_features(graphs: Sequence[CrystalGraph], network: DielectricNetwork) -> CrystalGraph:
    """The graphs as a batch with features and the field of dipoles, which small ones keep for another question."""
    config, batch = network.model_config, collate(graphs)
    counts = [graph.num_nodes for graph in graphs]
    if config.frozen and "features" not in batch:
        batch.features = features_of(config.backbone, batch.pos.device)(batch)
        _keep(graphs, "features", batch.features.split(counts))
    if config.readout == "dipoles" and "dipole_field" not in batch:
        batch.dipole_field = dipole_fields(batch, config.sigma)
        _keep(graphs, "dipole_field", batch.dipole_field.split([count**2 for count in counts]))
    return batch


def _keep(graphs: Sequence[CrystalGraph], name: str, values: Sequence[torch.Tensor]) -> None:
    if max(graph.num_nodes for graph in graphs) <= ALONE:
        for graph, own in zip(graphs, values, strict=True):
            graph[name] = own


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
