"""Direct force constants have the symmetries of a crystal's energy, and do not depend on the room around it."""

import pytest
import torch
from e3nn import o3

from engine.config import GraphConfig
from engine.crystals.graph import collate, crystal_graphs
from engine.network.direct import DirectHead
from engine.network.network import dipole_fields
from engine.network.springs import firm
from tests.engine.small import materials

IRREPS = o3.Irreps("6x0e + 4x2e")


@pytest.fixture
def head():
    torch.manual_seed(0)
    return DirectHead(IRREPS, 16).double()


@pytest.fixture(scope="module")
def graph():
    few = [m for m in materials(40) if 2 <= m.natoms <= 4][:3]
    return collate(crystal_graphs(few, GraphConfig(r_max=6.0), torch.float64))


def inputs(graph):
    rng = torch.Generator().manual_seed(1)
    node = torch.randn(graph.num_nodes, IRREPS.dim, generator=rng, dtype=torch.float64)
    charges = torch.randn(graph.num_nodes, 3, 3, generator=rng, dtype=torch.float64)
    return {
        "node": node,
        "edge_index": graph.edge_index,
        "edge_vec": graph.edge_vec,
        "charges": charges,
        "field": dipole_fields(graph, 1.2),
        "crystal_index": graph.crystal_index,
    }


def test_they_are_symmetric_and_nothing_pulls_on_a_crystal_as_a_whole(head, graph):
    found = head(**inputs(graph))
    assert torch.allclose(found, found.transpose(1, 2).mT, atol=1e-10)
    assert found.sum(2).abs().max() < 1e-9
    assert found.abs().max() > 0.1


def test_they_turn_with_the_crystal(head, graph):
    turn = o3.rand_matrix(dtype=torch.float64)
    given = inputs(graph)
    turned = given | {
        "node": given["node"] @ IRREPS.D_from_matrix(turn).T,
        "edge_vec": given["edge_vec"] @ turn.T,
        "charges": turn @ given["charges"] @ turn.T,
        "field": turn @ given["field"] @ turn.T,
    }
    assert torch.allclose(head(**turned), turn @ head(**given) @ turn.T, atol=1e-5)


def test_a_neighbour_that_leaves_leaves_smoothly(head, graph):
    """Edges beyond the reach do not count, and those just below it hardly."""
    given = inputs(graph)
    length = torch.linalg.vector_norm(given["edge_vec"], dim=1)
    near = length < 5.0
    fewer = given | {"edge_index": given["edge_index"][:, near], "edge_vec": given["edge_vec"][near]}
    assert torch.allclose(head(**given), head(**fewer))
    stretched = given | {"edge_vec": given["edge_vec"] * (4.999999 / length[:, None])}
    without = given | {"edge_index": given["edge_index"][:, :0], "edge_vec": given["edge_vec"][:0]}
    assert torch.allclose(head(**stretched), head(**without), atol=1e-4)


def test_the_derivative_of_the_stiffness_is_right_where_modes_are_equal_too():
    torch.manual_seed(0)
    some = torch.randn(2, 6, 6, dtype=torch.float64)
    equal = torch.diag_embed(torch.tensor([[2.0, 2, 2, -1, -1, 0.5]], dtype=torch.float64))
    matrix = torch.cat([some + some.mT, equal]).requires_grad_()
    assert torch.autograd.gradcheck(lambda m: firm((m + m.mT) / 2), matrix)
