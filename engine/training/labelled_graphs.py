"""Crystal graphs that carry what a network is to learn from them."""

from collections.abc import Callable, Sequence

import torch

from engine.config import ModelConfig, TrainConfig
from engine.crystals.graph import CrystalGraph, crystal_graphs
from engine.crystals.material import Material
from engine.data.datasets import label
from engine.data.phonons import Phonons
from engine.network.feature_cache import known_force_constants, material_features
from engine.network.frozen_features import source
from engine.network.network import VOLUME_UNIT, dipole_fields, latent_of
from engine.network.potential import GRAPH
from engine.network.springs import stiffness


def labelled_graphs(
    materials: Sequence[Material],
    config: TrainConfig,
    device: torch.device,
    progress: Callable[[int, int], None] | None = None,
    springs: bool = True,
) -> list[CrystalGraph]:
    """Graphs that carry labels, nan where there is none: `dft` and `latent` [1, T, 3, 3], `log_mean` [1].

    `latent` is what the network should give; `log_mean` is the logarithm of (v / v0) (n^2 - 1), for crystals known
    by their refractive index alone. `pbesol` [1] is 0, as labels are those of PBE, and `born` nan, see
    `phonon_graphs`. With a frozen backbone a graph holds the atoms' `features`, and edges only for direct force
    constants. Without `springs`, none carries the potential's.
    """
    targets = config.model.targets
    graphs = _input_graphs(materials, config, device, progress)
    if springs and config.model.asks_potential:
        _add_springs(materials, graphs, device, progress)
    missing = torch.full((3, 3), torch.nan, dtype=torch.float64)
    for material, one in zip(materials, graphs, strict=True):
        labels = [label(material, target) for target in targets]
        one.dft = torch.stack([missing if tensor is None else torch.as_tensor(tensor) for tensor in labels])[None]
        latents = [
            missing if tensor is None else latent_of(torch.as_tensor(tensor)[None], target, one.volume_per_atom)[0]
            for tensor, target in zip(labels, targets, strict=True)
        ]
        one.latent = torch.stack(latents)[None].to(one.pos.dtype)
        n = material.n if material.electronic is None and material.n is not None else float("nan")
        one.log_mean = (one.volume_per_atom / VOLUME_UNIT * (n**2 - 1)).log()
        one.pbesol = torch.zeros(1)
        one.born = torch.full((one.num_nodes, 3, 3), torch.nan)
    return graphs


def phonon_graphs(
    crystals: Sequence[Phonons],
    config: TrainConfig,
    device: torch.device,
    progress: Callable[[int, int], None] | None = None,
) -> list[CrystalGraph]:
    """`labelled_graphs` whose electronic tensors are PBEsol's, with Born charges, `born` [N, 3, 3] e."""
    graphs = labelled_graphs([one.material for one in crystals], config, device, progress)
    for one, graph in zip(crystals, graphs, strict=True):
        graph.born = torch.as_tensor(one.born, dtype=graph.pos.dtype)
        graph.pbesol = torch.ones(1)
    return graphs


def _input_graphs(
    materials: Sequence[Material],
    config: TrainConfig,
    device: torch.device,
    progress: Callable[[int, int], None] | None,
) -> list[CrystalGraph]:
    if config.model.backbone == "scratch":
        return crystal_graphs(materials, config.graph)
    if config.model.frozen:
        graphs = _feature_graphs(materials, config.model, device, progress)
    else:
        graphs = crystal_graphs(materials, GRAPH)
    if config.model.readout == "dipoles":
        for one in graphs:  # its atoms stay where they are
            one.dipole_field = dipole_fields(one, config.model.sigma)
    return graphs


def _feature_graphs(
    materials: Sequence[Material],
    model: ModelConfig,
    device: torch.device,
    progress: Callable[[int, int], None] | None,
) -> list[CrystalGraph]:
    known = material_features(materials, device, progress, source(model.backbone))
    found = [
        CrystalGraph(
            atomic_numbers=torch.as_tensor(material.atomic_numbers),
            pos=torch.as_tensor(material.frac_coords @ material.cell, dtype=features.dtype),
            cell=torch.as_tensor(material.cell, dtype=features.dtype)[None],
            features=features,
        )
        for material, features in zip(materials, known, strict=True)
    ]
    for one, whole in zip(found, crystal_graphs(materials, GRAPH) if model.direct else (), strict=model.direct):
        one.edge_index, one.edge_vec = whole.edge_index, whole.edge_vec
    return found


def _add_springs(
    materials: Sequence[Material],
    graphs: Sequence[CrystalGraph],
    device: torch.device,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Give crystals with an ionic tensor their springs; the others teach nothing of these."""
    known = [index for index, material in enumerate(materials) if material.ionic is not None]
    found = known_force_constants([materials[index] for index in known], device, progress)
    for one in graphs:
        one.springs = torch.zeros(0, 3, 3, dtype=torch.float64)
        one.has_springs = torch.tensor([False])
    for index, constants in zip(known, found, strict=True):
        graphs[index].springs = stiffness(constants)
        graphs[index].has_springs = torch.tensor([True])
