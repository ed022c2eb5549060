"""The neighbour rule of engine.crystals.graph, against pymatgen's neighbour list, by each search there is."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pymatgen.core import DummySpecies, Lattice, Structure

from engine.config import GraphConfig
from engine.crystals import neighbours, pair_search
from engine.crystals.graph import CrystalGraph, collate, crystal_graphs
from engine.crystals.neighbours import periodic_radius_graph
from engine.data.datasets import load_dataset
from engine.errors import EngineError
from tests import crystals

DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
SEARCHES = {
    "matscipy": pair_search.by_matscipy,
    "here": pair_search.candidate_pairs,
}  # the same without torch_cluster

CASES = {
    "fcc, one atom": (crystals.fcc_primitive(), 5.0),
    "bcc": (crystals.bcc(), 5.0),
    "hcp": (crystals.hcp(), 5.0),
    "rhombohedral": (crystals.rhombohedral(), 5.0),
    "triclinic": (crystals.triclinic(), 5.0),
    "diamond": (crystals.diamond(), 5.0),
    "left-handed cell": (crystals.in_other_cell(crystals.triclinic(), np.diag([1, 1, -1])), 5.0),
    "skewed": (crystals.skewed(crystals.triclinic(), 3), 5.0),
    "extremely skewed": (crystals.skewed(crystals.triclinic(), 40), 5.0),
    "extremely skewed, one atom": (crystals.skewed(crystals.fcc_primitive(), 40), 5.0),
    "atoms outside the cell": (crystals.outside(crystals.triclinic()), 5.0),
    "cutoff much longer than the cell": (crystals.fcc_primitive(), 11.0),
    "cutoff shorter than the shortest bond": (crystals.diamond(), 2.0),
    "cutoff on a neighbour shell": (crystals.bcc(), 2.87),
    "isolated atom": (crystals.isolated_atom(), 6.0),
}


@pytest.fixture(scope="module", params=SEARCHES, autouse=True)
def search(request):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours, "candidate_pairs", SEARCHES[request.param])
        yield


def edges_of_pymatgen(structure: Structure, r_max: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows (src, dst, shift), sorted, and the vector of each."""
    src, dst, shift, _ = structure.get_neighbor_list(r_max)
    pos = structure.cart_coords
    vectors = pos[dst] - pos[src] + shift @ structure.lattice.matrix
    return by_row(np.column_stack([src, dst, shift]).astype(int), vectors)


def edges_of_graph(graph: CrystalGraph) -> tuple[np.ndarray, np.ndarray]:
    rows = torch.cat([graph.edge_index.T, graph.cell_shift], 1).cpu().numpy()
    return by_row(rows, graph.edge_vec.cpu().numpy())


def by_row(rows: np.ndarray, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    order = np.lexsort(rows.T)
    return rows[order], vectors[order]


def graphs_in_double(structures: list, r_max: float, device: str = "cpu") -> list[CrystalGraph]:
    return crystal_graphs(structures, GraphConfig(r_max=r_max), dtype=torch.float64, device=device)


def assert_same_edges(structure: Structure, graph: CrystalGraph, r_max: float) -> None:
    rows, vectors = edges_of_graph(graph)
    expected_rows, expected_vectors = edges_of_pymatgen(structure, r_max)
    np.testing.assert_array_equal(rows, expected_rows)
    np.testing.assert_allclose(vectors, expected_vectors, atol=1e-10, rtol=0)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("case", CASES)
def test_edges_are_those_of_pymatgen(case, device):
    structure, r_max = CASES[case]
    assert_same_edges(structure, graphs_in_double([structure], r_max, device)[0], r_max)


@pytest.mark.parametrize("device", DEVICES)
def test_edges_of_real_crystals_in_one_batch_are_those_of_pymatgen(device):
    materials = [*load_dataset("petousis-2017")[::30], *load_dataset("matbench-dielectric")[::150]]
    for material, graph in zip(materials, graphs_in_double(materials, 5.0, device), strict=True):
        assert_same_edges(material.structure, graph, 5.0)


@st.composite
def random_crystals(draw) -> Structure:
    lengths = [draw(st.floats(2.5, 12)) for _ in range(3)]
    angles = [draw(st.floats(50, 118)) for _ in range(3)]
    a, b, c = np.cos(np.radians(angles))
    if 1 - a * a - b * b - c * c + 2 * a * b * c < 0.05:  # no such cell, or nearly flat
        angles = [90, 90, 90]
    times = draw(st.integers(-4, 4))
    coordinate = st.floats(-3, 3, allow_subnormal=False)
    coords = draw(st.lists(st.tuples(coordinate, coordinate, coordinate), min_size=1, max_size=6))
    structure = Structure(Lattice.from_parameters(*lengths, *angles), ["Si"] * len(coords), coords)
    return crystals.skewed(structure, times)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(structure=random_crystals(), r_max=st.floats(0.5, 6.0))
def test_edges_of_any_crystal_are_those_of_pymatgen(structure, r_max):
    distances = structure.get_neighbor_list(r_max + 0.1)[3]
    assume((np.abs(distances - r_max) > 1e-7).all())  # else rounding decides
    assume((distances > 1e-6).all())  # else atoms lie on top of each other
    assert_same_edges(structure, graphs_in_double([structure], r_max)[0], r_max)


def test_cutoff_shorter_than_the_bond_and_isolated_atom_have_no_edges():
    for case in ("cutoff shorter than the shortest bond", "isolated atom"):
        structure, r_max = CASES[case]
        graph = graphs_in_double([structure], r_max)[0]
        assert graph.edge_index.shape == (2, 0)
        assert graph.edge_vec.shape == (0, 3)


def test_edges_follow_the_rule_that_the_module_states():
    graph = graphs_in_double([crystals.outside(crystals.triclinic())], 5.0)[0]
    src, dst = graph.edge_index
    by_rule = graph.pos[dst] - graph.pos[src] + graph.cell_shift.double() @ graph.cell[0]
    torch.testing.assert_close(graph.edge_vec, by_rule, atol=1e-12, rtol=0)


def test_every_edge_is_followed_by_its_reverse():
    graph = graphs_in_double([crystals.triclinic()], 5.0)[0]
    torch.testing.assert_close(graph.edge_index[:, ::2], graph.edge_index[:, 1::2].flip(0))
    torch.testing.assert_close(graph.edge_vec[::2], -graph.edge_vec[1::2], atol=0, rtol=0)


def test_a_crystal_has_the_same_edges_in_any_batch():
    structures = [structure for structure, _ in CASES.values()]
    together = graphs_in_double(structures, 4.5)
    for structure, graph in zip(structures, together, strict=True):
        alone = graphs_in_double([structure], 4.5)[0]
        torch.testing.assert_close(alone.edge_index, graph.edge_index)
        torch.testing.assert_close(alone.cell_shift, graph.cell_shift)
        torch.testing.assert_close(alone.edge_vec, graph.edge_vec)


def test_chunks_make_no_difference():
    materials = load_dataset("petousis-2017")[:20]
    by_chunk = crystal_graphs(materials, GraphConfig(), chunk=3)
    for a, b in zip(by_chunk, crystal_graphs(materials, GraphConfig()), strict=True):
        torch.testing.assert_close(a.edge_vec, b.edge_vec)
    assert crystal_graphs([], GraphConfig()) == []


def test_collated_crystals_do_not_touch():
    structures = [crystals.bcc(), crystals.isolated_atom(), crystals.triclinic()]
    graphs = crystal_graphs(structures, GraphConfig(r_max=4.0))
    batch = collate(graphs)
    src, dst = batch.edge_index
    assert torch.equal(batch.crystal_index[src], batch.crystal_index[dst])
    assert batch.cell.shape == (3, 3, 3)
    for before, after in pairwise([0, *np.cumsum([len(s) for s in structures])]):
        assert batch.crystal_index[before:after].unique().numel() == 1
    expected = [s.volume / len(s) for s in structures]
    np.testing.assert_allclose(batch.volume_per_atom, expected, rtol=1e-6)
    np.testing.assert_allclose(graphs[2].volume_per_atom, expected[2:], rtol=1e-6)


def test_supercell_repeats_the_surroundings_of_each_atom():
    primitive = crystals.triclinic()
    once, often = graphs_in_double([primitive, primitive.make_supercell([2, 3, 1], in_place=False)], 5.0)
    lengths = [torch.linalg.vector_norm(g.edge_vec, dim=1).sort().values for g in (once, often)]
    torch.testing.assert_close(lengths[0].repeat_interleave(6), lengths[1], atol=1e-10, rtol=0)


def test_arguments_are_left_as_they_were():
    structure = crystals.outside(crystals.triclinic())
    before = structure.copy()
    pos = torch.tensor(structure.cart_coords)
    cell = torch.tensor(structure.lattice.matrix)[None]
    batch = torch.zeros(len(pos), dtype=torch.int64)
    copies = [x.clone() for x in (pos, cell, batch)]
    periodic_radius_graph(pos, cell, batch, 5.0)
    crystal_graphs([structure], GraphConfig())
    assert all(torch.equal(a, b) for a, b in zip((pos, cell, batch), copies, strict=True))
    assert structure == before
    np.testing.assert_array_equal(structure.frac_coords, before.frac_coords)


@pytest.mark.parametrize("r_max", [0.0, -1.0, float("nan")])
def test_a_cutoff_that_is_not_positive_is_refused(r_max):
    with pytest.raises(EngineError, match="r_max must be positive, got"):
        GraphConfig(r_max=r_max)
    with pytest.raises(EngineError, match="r_max must be positive, got"):
        periodic_radius_graph(torch.zeros(1, 3), torch.eye(3)[None], torch.zeros(1, dtype=torch.int64), r_max)


def test_what_is_no_crystal_is_refused_by_name():
    flat = Structure(Lattice([[4, 0, 0], [0, 4, 0], [4, 4, 0]]), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0]])
    shared = Structure(Lattice.cubic(4), [{"Na": 0.5, "K": 0.5}, "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    nothing = Structure(Lattice.cubic(4), [DummySpecies("X"), "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    empty = Structure(Lattice.cubic(4), [], [])
    sentences = {
        "NaCl: the cell must hold at least .* lie in one plane": flat,
        "K.*Cl.*: every site must hold one whole atom, some are disordered": shared,
        "O.*: every site must hold a chemical element": nothing,
        "a structure must hold at least one atom": empty,
    }
    for sentence, structure in sentences.items():
        with pytest.raises(EngineError, match=sentence):
            crystal_graphs([crystals.bcc(), structure], GraphConfig())


def test_positions_that_are_not_numbers_are_refused():
    pos = torch.tensor([[0.0, float("nan"), 0.0]])
    with pytest.raises(EngineError, match="every position must be a finite number"):
        periodic_radius_graph(pos, 4 * torch.eye(3)[None], torch.zeros(1, dtype=torch.int64), 5.0)


@pytest.mark.parametrize("skew", [10, 100])
def test_a_skewed_cell_has_the_edges_of_the_plain_one(skew):
    plain = 4.0 * torch.eye(3, dtype=torch.float64)
    turn = torch.tensor([[1, skew, -skew // 2], [0, 1, skew], [0, 0, 1]], dtype=torch.float64)
    one_atom = torch.zeros(1, 3, dtype=torch.float64), torch.zeros(1, dtype=torch.int64)
    found, expected = (
        periodic_radius_graph(one_atom[0], cell[None], one_atom[1], 6.0).edge_vec.norm(dim=1).sort().values
        for cell in (turn @ plain, plain)
    )
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


def test_lattice_vectors_of_which_rounding_leaves_nothing_are_refused():
    rows = torch.tensor([[1, 1e5, -5e4], [0, 1, 1e5], [0, 0, 1]], dtype=torch.float64) * 4
    with pytest.raises(EngineError, match="too skewed"):
        periodic_radius_graph(torch.zeros(1, 3).double(), rows[None], torch.zeros(1, dtype=torch.int64), 6.0)


def test_two_short_lattice_vectors_that_are_all_but_parallel_do_not_keep_a_long_one_going_for_ever():
    rows = [[57426.0, 5612.6, -13100.0], [-0.017604, 0.15394, -0.0097658], [0.084055, -0.74263, 0.050274]]
    crystal = Structure(Lattice(rows), ["Si"], [[0, 0, 0]])
    with pytest.raises(EngineError, match=r"at least 0\.1 Å apart|too skewed"):
        crystal_graphs([crystal], GraphConfig())
