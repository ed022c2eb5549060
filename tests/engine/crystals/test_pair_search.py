"""Without torch_cluster the graph is the same, edge for edge, and the program starts."""

import os
import subprocess
import sys

import pytest
import torch

from engine.config import GraphConfig
from engine.crystals import neighbours, pair_search
from engine.crystals.graph import CrystalGraph, crystal_graphs
from engine.data.datasets import load_dataset
from tests import crystals

MADE = [
    crystals.fcc_primitive(),
    crystals.bcc(),
    crystals.hcp(),
    crystals.rhombohedral(),
    crystals.triclinic(),
    crystals.wurtzite(),
    crystals.diamond(),
    crystals.isolated_atom(),
    crystals.skewed(crystals.triclinic(), 40),
    crystals.outside(crystals.triclinic()),
    *(crystals.crystal_of_point_group(symbol) for symbol in ("1", "mmm", "-3m", "m-3m")),
]
REAL = [*load_dataset("petousis-2017")[::20], *load_dataset("matbench-dielectric")[::100]]
BROKEN = ("ImportError('no such package')", "OSError('undefined symbol')", "RuntimeError('another CUDA')")


def graphs_by(search, structures, monkeypatch) -> list[CrystalGraph]:
    monkeypatch.setattr(neighbours, "candidate_pairs", search)
    return crystal_graphs(structures, GraphConfig(), dtype=torch.float64)


def in_one_order(graph: CrystalGraph) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows (src, dst, shift), sorted, and the vector of each."""
    rows = torch.cat([graph.edge_index.T, graph.cell_shift], 1)
    rows, order = torch.unique(rows, dim=0, return_inverse=True)
    assert len(rows) == len(order), "an edge comes twice"
    return rows, graph.edge_vec[order.argsort()]


@pytest.mark.parametrize("structures", [MADE, REAL], ids=["made", "real"])
def test_both_searches_give_the_same_edges_and_the_same_bits_of_their_vectors(structures, monkeypatch):
    ours = graphs_by(pair_search.candidate_pairs, structures, monkeypatch)
    others = graphs_by(pair_search.by_matscipy, structures, monkeypatch)
    assert sum(graph.num_edges for graph in ours) > 1000
    for one, other in zip(ours, others, strict=True):
        for a, b in zip(in_one_order(one), in_one_order(other), strict=True):
            assert torch.equal(a, b)


@pytest.mark.parametrize("error", BROKEN)
def test_a_torch_cluster_that_cannot_be_loaded_counts_as_absent(error, tmp_path):
    (tmp_path / "torch_cluster.py").write_text(f"raise {error}")
    code = "from engine.crystals import pair_search; print(pair_search.candidate_pairs.__name__)"
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True
    )
    assert done.stdout == "by_matscipy\n", done.stderr
