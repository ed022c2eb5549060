"""What one convolution sees of an atom, in the shipped network from scratch."""

import numpy as np
import pytest
import torch
from e3nn import o3

from engine.config import GraphConfig
from engine.crystals.graph import crystal_graphs
from engine.network.layers import radial_embedding
from engine.prediction.predictor import Predictor
from engine.teaching.equivariance import random_rotations, turned_structure
from engine.teaching.sites import distinct_atoms, neighbours, radial_functions, received, shells
from tests.crystals import diamond, fcc_primitive, isolated_atom, triclinic, wurtzite
from tests.engine.second_device import SECOND, SecondDevice

GRAPH = GraphConfig(r_max=5.0)


@pytest.fixture(scope="module")
def backbone() -> torch.nn.Module:
    return Predictor.load("e3nn-scratch", "cpu").networks[0].backbone


def test_shells_of_copper_are_those_of_the_face_centred_lattice() -> None:
    found = shells(neighbours(fcc_primitive(), 0, GRAPH))
    assert [shell.counts["Cu"] for shell in found[:3]] == [12, 6, 24]
    np.testing.assert_allclose([s.start / found[0].start for s in found[:3]], [1, 2**0.5, 3**0.5])


def test_every_neighbour_is_in_one_shell_and_nearest_come_first() -> None:
    around = neighbours(triclinic(), 1, GRAPH)
    assert (np.diff(around.distances) >= 0).all()
    assert sum(sum(shell.counts.values()) for shell in shells(around)) == len(around.numbers)
    assert len(around.within(3.0).numbers) == (around.distances <= 3.0).sum()


def test_an_atom_without_neighbours_has_no_shell() -> None:
    assert shells(neighbours(isolated_atom(), 0, GRAPH)) == []


def test_symmetry_leaves_one_atom_of_each_kind() -> None:
    assert list(distinct_atoms(diamond()).values()) == ["Si"]
    assert sorted(distinct_atoms(wurtzite()).values()) == ["O", "Zn"]


def test_learned_radial_functions_end_at_the_neighbour_radius(backbone: torch.nn.Module) -> None:
    functions = radial_functions(backbone, np.array([2.0, 4.999, 5.0, 6.0]))
    assert functions.shape[0] == 3
    assert np.abs(functions[:, 0]).max() > 0.1
    np.testing.assert_allclose(functions[:, 1:], 0, atol=1e-3)


def test_a_tetrahedral_site_receives_neither_a_vector_nor_an_anisotropy(backbone: torch.nn.Module) -> None:
    silicon = neighbours(diamond(), 0, GRAPH)
    assert received(backbone, silicon)[0] > 0.1
    np.testing.assert_allclose(received(backbone, silicon)[1:], 0, atol=1e-12)
    assert received(backbone, neighbours(wurtzite(), 0, GRAPH))[1] > 1e-6


def test_the_received_power_is_that_of_the_networks_own_messages(backbone: torch.nn.Module) -> None:
    crystal, atom, first = triclinic(), 2, backbone.convolutions[0]
    graph = crystal_graphs([crystal], GRAPH)[0]
    sh = o3.spherical_harmonics(backbone.irreps_sh, graph.edge_vec, True, normalization="component")
    radial = first.radial(radial_embedding(graph.edge_vec.norm(dim=1), 5.0, backbone.num_basis))
    node = first.linear_in(backbone.embedding(graph.atomic_numbers))
    edge_src, edge_dst = graph.edge_index
    message = first.product(node[edge_src], sh, radial)[edge_dst == atom].sum(0)
    scale = (node[edge_src][:, None] * radial.unflatten(1, (3, -1)))[edge_dst == atom].abs().sum(0).square().sum(1)
    parts = message.split([ir.dim * mul for mul, ir in first.product.irreps_out])
    power = [part.square().sum() / (2 * ell + 1) / scale[ell] for ell, part in enumerate(parts)]
    found = received(backbone, neighbours(crystal, atom, GRAPH))
    np.testing.assert_allclose(found, torch.stack(power).detach().numpy(), rtol=1e-3)


def test_a_turned_atom_receives_the_same_power(backbone: torch.nn.Module) -> None:
    crystal, rotation = triclinic(), random_rotations(1, 0)[0]
    found = [
        received(backbone, neighbours(one, 0, GRAPH)) for one in (crystal, turned_structure(crystal, rotation))
    ]
    np.testing.assert_allclose(*found, rtol=1e-3)


@pytest.mark.filterwarnings("ignore:invalid value")  # all that is copied from there is zero
def test_a_backbone_on_another_device_is_looked_into_there_and_shown_on_the_cpu() -> None:
    backbone = Predictor.load("e3nn-scratch", "cpu").networks[0].backbone.to(SECOND)
    with SecondDevice():
        assert radial_functions(backbone, np.array([2.0, 3.0])).shape[:2] == (3, 2)
        assert received(backbone, neighbours(wurtzite(), 0, GRAPH)).shape == (3,)
