"""Crystal graphs that carry what a network needs to predict."""

from collections.abc import Sequence

import torch

from engine.config import GraphConfig, ModelConfig
from engine.crystals.graph import CrystalGraph, crystal_graphs
from engine.crystals.material import Crystal
from engine.crystals.primitive import primitive
from engine.network.feature_cache import Progress, has_force_constants, known_force_constants
from engine.network.force_constants import effort
from engine.network.padding import to_pairs
from engine.network.springs import stiffness

MOST_EFFORT = 5000  # see force_constants.effort; half a minute or so on two cores, and the same on every device


def unlabelled_graphs(
    crystals: Sequence[Crystal],
    graph_config: GraphConfig,
    model_config: ModelConfig,
    device: torch.device,
    springs: bool,
    steps: Progress | None = None,
) -> list[CrystalGraph]:
    """Graphs of ordered, periodic crystals in their primitive cells, see primitive.py.

    With `springs`, they carry `springs`, `bare_springs` and `has_springs` where the model needs them. Force
    constants that are neither shipped nor cached are computed, and kept for the next time; `steps` is called with
    (done, total) within each crystal.
    """
    precision = torch.float64 if model_config.backbone == "pretrained" else torch.float32
    crystals = [primitive(crystal) for crystal in crystals]
    graphs = crystal_graphs(crystals, graph_config, precision, device)
    if springs and model_config.asks_potential:
        for crystal, graph in zip(crystals, graphs, strict=True):
            _add_springs(crystal, graph, device, steps)
    return graphs


def by_pbesol(graphs: Sequence[CrystalGraph]) -> list[CrystalGraph]:
    """The same graphs, to be answered as PBEsol would."""
    found = [graph.clone() for graph in graphs]
    for graph in found:
        graph.pbesol = torch.ones(1, device=graph.pos.device)
    return found


def _add_springs(crystal: Crystal, graph: CrystalGraph, device: torch.device, steps: Progress | None) -> None:
    """Springs for the ionic part, but for cells that would take too long."""
    feasible = has_force_constants(crystal) or (  # known ones are found at once
        graph.num_nodes <= MOST_EFFORT and effort(crystal) <= MOST_EFFORT
    )
    graph.has_springs = torch.tensor([feasible], device=device)
    graph.springs = graph.bare_springs = torch.zeros(0, 3, 3, dtype=torch.float64, device=device)
    if feasible:
        constants = known_force_constants([crystal], device, steps=steps)[0].to(device).double()
        graph.springs, graph.bare_springs = stiffness(constants), to_pairs(constants)
