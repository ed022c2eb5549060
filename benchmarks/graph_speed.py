"""Crystals a second of the periodic radius graph, beside pymatgen, vesin and ASE: same crystals, same edges."""

from collections.abc import Callable

import numpy as np
import torch
import vesin
from ase.neighborlist import neighbor_list
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

from benchmarks.measure import median_seconds, report
from engine.config import GraphConfig
from engine.crystals.graph import crystal_graphs
from engine.crystals.neighbours import periodic_radius_graph
from engine.data.datasets import load_dataset
from engine.errors import check

DATA = "petousis-2017"
R_MAX = 5.0  # Å
REPEATS = 5
CHUNK = 128  # crystals in one call of periodic_radius_graph
DEVICES = ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)

Counter = Callable[[], list[int]]  # finds all neighbours, returns the number of edges of each crystal


def main() -> None:
    """Compare the number of edges of every crystal, then let the programs take turns, on one thread each."""
    torch.set_num_threads(1)
    structures = [material.structure for material in load_dataset(DATA)]
    counters = {**engine_counters(structures), **other_counters(structures)}
    counts = {name: counter() for name, counter in counters.items()}
    expected = counts["pymatgen"]
    wrong = [name for name, count in counts.items() if count != expected]
    check(not wrong, f"every program must find the edges that pymatgen finds, but not so: {', '.join(wrong)}")
    seconds = median_seconds(counters, REPEATS)
    rows = [
        (name, len(structures) / s, seconds["pymatgen"] / s, seconds["ASE"] / s) for name, s in seconds.items()
    ]
    report(
        "graph_speed",
        ("program", "crystals a second", "times pymatgen", "times ASE"),
        rows,
        data=DATA,
        crystals=len(structures),
        edges=sum(expected),
        r_max=R_MAX,
        repeats=REPEATS,
    )


def engine_counters(structures: list[Structure]) -> dict[str, Counter]:
    """The engine's edges alone, on each device there is, and its finished graphs."""

    def edges_only(device: str) -> Counter:
        chunks = [batch_of(structures[i : i + CHUNK], device) for i in range(0, len(structures), CHUNK)]

        def count() -> list[int]:
            found = []
            for pos, cell, batch in chunks:
                src = periodic_radius_graph(pos, cell, batch, R_MAX).edge_index[0]
                found += torch.bincount(batch[src], minlength=len(cell)).tolist()
            return found

        return count

    config = GraphConfig(r_max=R_MAX)
    return {
        **{f"engine, edges ({device})": edges_only(device) for device in DEVICES},
        "engine, whole graphs (cpu)": lambda: [graph.num_edges for graph in crystal_graphs(structures, config)],
    }


def batch_of(structures: list[Structure], device: str) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Positions [N, 3], cells [B, 3, 3] and crystal index [N]."""
    pos = torch.as_tensor(np.concatenate([s.cart_coords for s in structures]), device=device)
    cell = torch.as_tensor(np.stack([s.lattice.matrix for s in structures]), device=device)
    return pos, cell, torch.repeat_interleave(torch.tensor([len(s) for s in structures])).to(device)


def other_counters(structures: list[Structure]) -> dict[str, Counter]:
    """pymatgen's find_points_in_spheres as its Structure calls it, vesin and ASE."""
    atoms = [AseAtomsAdaptor.get_atoms(structure) for structure in structures]
    vesin_list = vesin.NeighborList(cutoff=R_MAX, full_list=True, n_threads=1)

    def by_vesin() -> list[int]:
        found = (vesin_list.compute(a.positions, a.cell.array, True, "ijSD") for a in atoms)
        return [len(source) for source, _, _, _ in found]

    return {
        "pymatgen": lambda: [len(s.get_neighbor_list(R_MAX)[0]) for s in structures],
        "vesin": by_vesin,
        "ASE": lambda: [len(neighbor_list("ijSD", a, R_MAX)[0]) for a in atoms],
    }


if __name__ == "__main__":
    main()
