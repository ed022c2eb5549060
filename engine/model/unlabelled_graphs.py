"""Crystal graphs that carry what a network needs to predict."""

from collections.abc import Sequence

import torch
from pymatgen.core import Structure

from engine.config import GraphConfig, ModelConfig
from engine.crystals.graph import CrystalGraph, crystal_graphs
from engine.crystals.material import Material
from engine.network.feature_cache import material_force_constants
from engine.network.force_constants import effort, force_constants
from engine.network.springs import stiffness

MOST_EFFORT = {"cpu": 1000, "cuda": 100_000}  # see force_constants.effort; half a minute or so


def unlabelled_graphs(
    crystals: Sequence[Structure | Material],
    graph_config: GraphConfig,
    model_config: ModelConfig,
    device: torch.device,
) -> list[CrystalGraph]:
    """Graphs of ordered, periodic crystals; with `springs` and `sprung` where the ionic readout needs them.

    A Material comes with force constants that are shipped or cached; those of other crystals are computed.
    """
    precision = torch.float32 if model_config.backbone == "scratch" else torch.float64
    graphs = crystal_graphs(crystals, graph_config, precision, device)
    if model_config.ionic_readout == "springs" and "ionic" in model_config.targets:
        for crystal, graph in zip(crystals, graphs, strict=True):
            _add_springs(crystal, graph, device)
    return graphs


def _add_springs(crystal: Structure | Material, graph: CrystalGraph, device: torch.device) -> None:
    """Springs for the ionic part, but for cells that would take too long."""
    feasible = effort(crystal) <= MOST_EFFORT[device.type]
    graph.sprung = torch.tensor([feasible], device=device)
    graph.springs = torch.zeros(0, 3, 3, dtype=torch.float64, device=device)
    if feasible and isinstance(crystal, Material):
        graph.springs = stiffness(material_force_constants([crystal], device)[0].to(device))
    elif feasible:
        constants = force_constants(crystal, torch.float64, device)
        graph.springs = stiffness(torch.as_tensor(constants, device=device))
