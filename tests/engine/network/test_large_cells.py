"""What is computed piece by piece in a large cell is what it is as a whole."""

import numpy as np
import pytest
import torch
from e3nn import o3

from engine.config import GraphConfig, ModelConfig
from engine.crystals.graph import collate, crystal_graphs
from engine.network import dipoles, direct, lattice, layers, places
from engine.network.direct import DirectHead
from engine.network.lattice import Lattice
from engine.network.network import DielectricNetwork, dipole_fields
from engine.network.potential import GRAPH, PretrainedFeatures
from engine.network.quadrature import quadratic_form
from engine.network.springs import held, without_whole
from tests import crystals

IRREPS = o3.Irreps("6x0e + 4x2e")
SKEWED = np.array([[9.0, 0, 0], [4.0, 8.0, 0], [-3.0, 2.0, 7.0]])


@pytest.fixture
def rng():
    return torch.Generator().manual_seed(0)


@pytest.fixture(scope="module")
def graph():
    """Crystals of different size, so that padded places stay empty."""
    some = [crystals.wurtzite(), crystals.triclinic(), crystals.hcp()]
    return collate(crystal_graphs(some, GRAPH, torch.float64))


@torch.inference_mode()
def test_features_of_the_potential_by_blocks_of_atoms(monkeypatch, graph):
    potential = PretrainedFeatures(torch.float64)
    expected = potential(graph)
    monkeypatch.setitem(places.AT_ONCE, "cpu", 100)  # fewer than an atom has neighbours, and than three have
    torch.testing.assert_close(potential(graph), expected, rtol=0, atol=1e-10)


@torch.inference_mode()
def test_messages_of_the_convolution_network_by_blocks_of_edges(monkeypatch, graph):
    torch.manual_seed(0)
    network = DielectricNetwork(GraphConfig(), ModelConfig(mul=4, num_layers=2, radial_width=16)).double()
    expected = network.latent(graph)
    monkeypatch.setattr(layers, "EDGES_AT_ONCE", 7)
    torch.testing.assert_close(network.latent(graph), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", ["waves some at a time", "Ewald's splitting"])
def test_the_field_of_dipoles(monkeypatch, rng, name):
    pos = torch.rand(12, 3, generator=rng, dtype=torch.float64) @ torch.tensor(SKEWED) * 3 - 20
    cell = torch.tensor(SKEWED)
    monkeypatch.setattr(dipoles, "WIDER", 0.0)
    expected = dipoles.dipole_field(pos, cell, 1.2)
    if name == "Ewald's splitting":
        monkeypatch.setattr(dipoles, "WIDER", 2.4 / np.linalg.det(SKEWED) ** (1 / 3))
    else:
        monkeypatch.setattr(dipoles, "AT_ONCE", 10)
    found = dipoles.dipole_field(pos, cell, 1.2)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-10 * float(expected.abs().max()))
    assert not torch.equal(found, expected)


@torch.inference_mode()
def test_direct_force_constants_by_the_neighbours_of_each_atom(monkeypatch, rng, graph):
    torch.manual_seed(0)
    head = DirectHead(IRREPS, 16).double()
    node = torch.randn(graph.num_nodes, IRREPS.dim, generator=rng, dtype=torch.float64)
    charges = torch.randn(graph.num_nodes, 3, 3, generator=rng, dtype=torch.float64)
    given = (node, graph.edge_index, graph.edge_vec, charges, dipole_fields(graph, 1.2), graph.crystal_index)
    expected = head(*given)
    monkeypatch.setattr(direct, "LARGE", 0)
    monkeypatch.setitem(places.AT_ONCE, "cpu", 100)
    torch.testing.assert_close(head(*given), expected, rtol=0, atol=1e-10)


def force_constants(atoms: int, rng: torch.Generator, unstable: int) -> torch.Tensor:
    """[3 N, 3 N] with frequencies as crystals have them, and no force on a crystal as a whole."""
    axes = torch.linalg.qr(torch.randn(3 * atoms, 3 * atoms, generator=rng, dtype=torch.float64))[0]
    values = 2 + 38 * torch.rand(3 * atoms, generator=rng, dtype=torch.float64)
    values[:unstable] = -torch.rand(unstable, generator=rng, dtype=torch.float64)
    return (axes * values) @ axes.T


@pytest.mark.parametrize("unstable", [0, 4, 150])
def test_a_function_between_a_few_columns_by_lanczos(rng, unstable):
    matrix = force_constants(200, rng, unstable)
    columns = torch.randn(600, 6, generator=rng, dtype=torch.float64)
    values, axes = torch.linalg.eigh(matrix)
    inside = axes.T @ columns
    expected = inside.T @ (inside / held(values)[:, None])
    found = quadratic_form(matrix, columns, lambda k: 1 / held(k))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-9 * float(expected.abs().max()))


def test_lanczos_ends_where_symmetry_leaves_nothing_to_find():
    """Columns that are combinations of a few eigenvectors, and one that is zero."""
    matrix = torch.diag(torch.arange(400, dtype=torch.float64))
    columns = torch.zeros(400, 6, dtype=torch.float64)
    columns[[3, 50, 50, 7, 9], [0, 1, 2, 3, 4]] = 1.0
    expected = columns.T @ (columns / held(matrix.diagonal())[:, None])
    found = quadratic_form(matrix, columns, lambda k: 1 / held(k))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("unstable", [0, 3])
@torch.no_grad()
def test_the_ionic_tensor_without_the_eigenvectors_of_force_constants(monkeypatch, rng, unstable):
    counts = torch.tensor([70, 110])
    present = torch.arange(110) < counts[:, None]
    pairs = torch.zeros(2, 110, 110, 3, 3, dtype=torch.float64)
    for place, atoms in enumerate(counts.tolist()):
        constants = force_constants(atoms, rng, unstable).view(atoms, 3, atoms, 3).transpose(1, 2)
        pairs[place, :atoms, :atoms] = constants
    bent = torch.randn(180, 3, 3, generator=rng, dtype=torch.float64)
    ions = Lattice(
        charges=2 * torch.randn(180, 3, 3, generator=rng, dtype=torch.float64),
        force_constants=without_whole(pairs, present),
        level=torch.linalg.matrix_exp(0.1 * (bent + bent.mT)),
        crystal_index=torch.repeat_interleave(counts),
        volume=torch.tensor([900.0, 1500.0], dtype=torch.float64),
    )
    monkeypatch.setattr(lattice, "LARGE", 10**6)
    expected = ions.ionic()
    monkeypatch.setattr(lattice, "LARGE", 0)
    torch.testing.assert_close(ions.ionic(), expected, rtol=0, atol=1e-8)
