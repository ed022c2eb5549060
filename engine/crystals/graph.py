"""Crystals as graphs: atoms are nodes, neighbours are joined by edges; neighbours.py states which are."""

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch_geometric.data import Batch, Data

from engine.config import GraphConfig
from engine.crystals.material import MAX_Z, Crystal, Material
from engine.crystals.neighbours import MIN_VOLUME, periodic_radius_graph, volume_per_atom
from engine.errors import EngineError, check


class CrystalGraph(Data):
    """One crystal, or a collated batch of them.

    Attributes:
        atomic_numbers: [N] int64.
        pos: [N, 3] Å.
        cell: [B, 3, 3] Å, rows are lattice vectors.
        edge_index, cell_shift, edge_vec: see `Edges`.
        batch: [N] crystal index, once collated.
    """

    @property
    def volume_per_atom(self) -> torch.Tensor:
        """[B] Å^3."""
        return volume_per_atom(self.cell, self.crystal_index)

    @property
    def crystal_index(self) -> torch.Tensor:
        """[N] crystal that each atom belongs to; zeros for a single crystal."""
        if "batch" in self and self.batch is not None:
            return self.batch
        return torch.zeros_like(self.atomic_numbers)


def collate(graphs: Sequence[CrystalGraph]) -> CrystalGraph:
    """One graph of many crystals that do not touch."""
    return Batch.from_data_list(list(graphs))


def crystal_graphs(
    crystals: Iterable[Crystal],
    config: GraphConfig,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
    chunk: int = 128,
) -> list[CrystalGraph]:
    """The graph of each crystal, neighbours found in float64 on `device`, then cast to `dtype`.

    Raises:
        EngineError: a crystal is empty or disordered, has a site that is no element or a flat cell.
    """
    crystals = list(crystals)
    graphs = []
    for start in range(0, len(crystals), chunk):
        graphs += _graphs_of_chunk(crystals[start : start + chunk], config, dtype, torch.device(device))
    return graphs


def _graphs_of_chunk(
    crystals: list[Crystal], config: GraphConfig, dtype: torch.dtype, device: torch.device
) -> list[CrystalGraph]:
    cells, numbers, positions = zip(*(_arrays(crystal) for crystal in crystals), strict=True)
    counts = torch.tensor([len(n) for n in numbers])
    atomic_numbers = torch.as_tensor(np.concatenate(numbers), dtype=torch.int64, device=device)
    cell = torch.as_tensor(np.stack(cells), dtype=torch.float64, device=device)
    pos = torch.as_tensor(np.concatenate(positions), dtype=torch.float64, device=device)
    batch = torch.repeat_interleave(counts).to(device)
    _check_crystals(crystals, cell, batch, atomic_numbers)
    edges = periodic_radius_graph(pos, cell, batch, config.r_max)
    edge_batch = batch[edges.edge_index[0]]
    edge_counts = torch.bincount(edge_batch, minlength=len(crystals)).tolist()
    first_atom = (counts.cumsum(0) - counts).to(device)
    parts = zip(
        atomic_numbers.split(counts.tolist()),
        pos.to(dtype).split(counts.tolist()),
        cell.to(dtype).split(1),
        (edges.edge_index - first_atom[edge_batch]).split(edge_counts, dim=1),
        edges.cell_shift.split(edge_counts),
        edges.edge_vec.to(dtype).split(edge_counts),
        strict=True,
    )
    names = ("atomic_numbers", "pos", "cell", "edge_index", "cell_shift", "edge_vec")
    return [CrystalGraph(**dict(zip(names, part, strict=True))) for part in parts]


def _arrays(crystal: Crystal) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cell, atomic numbers and Cartesian positions."""
    if isinstance(crystal, Material):
        return crystal.cell, crystal.atomic_numbers, crystal.frac_coords @ crystal.cell
    check(len(crystal) > 0, "a structure must hold at least one atom, got none")
    if not crystal.is_ordered:
        raise EngineError(f"{_name(crystal)}: every site must hold one whole atom, some are disordered")
    return crystal.lattice.matrix, np.array(crystal.atomic_numbers), crystal.cart_coords


def _name(crystal: Crystal) -> str:
    if isinstance(crystal, Material):
        return f"{crystal.formula} ({crystal.material_id or crystal.source})"
    return crystal.composition.reduced_formula


def _check_crystals(
    crystals: list[Crystal], cell: torch.Tensor, batch: torch.Tensor, numbers: torch.Tensor
) -> None:
    """Raise an EngineError that names the first crystal no graph can be made of."""
    dense = volume_per_atom(cell, batch) <= MIN_VOLUME
    for index in dense.nonzero()[:1, 0].tolist():
        raise EngineError(
            f"{_name(crystals[index])}: the cell must hold at least {MIN_VOLUME} Å^3 an atom; "
            "its lattice vectors lie in one plane or are far too short"
        )
    strange = (numbers < 1) | (numbers > MAX_Z)
    for index in batch[strange][:1].tolist():
        raise EngineError(f"{_name(crystals[index])}: every site must hold a chemical element")
