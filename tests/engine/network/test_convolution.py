"""The potential's convolutions in our arrangement of the sums give what SevenNet's own give."""

from functools import cache
from pathlib import Path

import pytest
import sevenn
import torch
from sevenn.checkpoint import SevenNetCheckpoint

from engine.crystals.graph import collate, crystal_graphs
from engine.network import convolution
from engine.network.convolution import FusedConvolution, NeighbourConvolution, has_kernels
from engine.network.potential import GRAPH, PretrainedFeatures
from tests import crystals

ATOMS = 6
EDGES = [
    (0, 1),
    (0, 1),
    (0, 4),
    (1, 0),
    (3, 3),
    (4, 0),
    (4, 1),
    (4, 2),
]  # [receiver, sender]; 2 and 5 receive none


@pytest.fixture(scope="module")
def convolutions():
    path = Path(sevenn.__file__).parent / "pretrained_potentials" / "SevenNet_l3i5" / "checkpoint_l3i5.pth"
    model = SevenNetCheckpoint(path).build_model().requires_grad_(False).double()
    return [part for name, part in model.named_children() if name.endswith("_convolution")]


@cache
def by_kernels(theirs):
    """As on a GPU, but for the kernel itself: the same sums by PyTorch. Slow to make, so made once."""
    return FusedConvolution(theirs, method="naive")


@pytest.mark.parametrize("ours", [NeighbourConvolution, by_kernels])
def test_messages_and_their_gradients_are_those_of_the_potential(convolutions, ours):
    generator = torch.Generator().manual_seed(0)
    assert len(convolutions) == 5
    for theirs in convolutions:
        product = theirs.convolution
        given = {
            "x": torch.randn(ATOMS, product.irreps_in1.dim, generator=generator, dtype=torch.float64),
            "edge_attr": torch.randn(len(EDGES), product.irreps_in2.dim, generator=generator, dtype=torch.float64),
            "edge_embedding": torch.rand(len(EDGES), 8, generator=generator, dtype=torch.float64),
        }
        answers = []
        for one in (theirs, ours(theirs).double()):
            leaves = {name: value.clone().requires_grad_() for name, value in given.items()}
            found = one(dict(leaves) | {"edge_index": torch.tensor(EDGES).T})["x"]
            found.square().sum().backward()
            answers.append([found.detach(), *(leaf.grad for leaf in leaves.values())])
        for one, other in zip(*answers, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-6 * float(one.abs().max()))


@pytest.mark.parametrize("ours", [NeighbourConvolution, by_kernels])
def test_an_atom_without_neighbours_receives_nothing(convolutions, ours):
    for theirs in convolutions:
        product = theirs.convolution
        given = {
            "x": torch.ones(1, product.irreps_in1.dim, dtype=torch.float64),
            "edge_attr": torch.zeros(0, product.irreps_in2.dim, dtype=torch.float64),
            "edge_embedding": torch.zeros(0, 8, dtype=torch.float64),
            "edge_index": torch.zeros(2, 0, dtype=torch.long),
        }
        found = ours(theirs).double()(given)["x"]
        assert found.shape == (1, product.irreps_out.dim)
        assert not found.any()


def test_a_potential_with_kernels_gives_the_features_forces_and_slopes_of_one_without():
    graph = collate(crystal_graphs([crystals.triclinic(), crystals.wurtzite()], GRAPH, torch.float64))
    without = PretrainedFeatures(torch.float64)
    with pytest.warns(UserWarning, match="Falling back to naive"):  # no GPU here
        having = PretrainedFeatures(torch.float64, kernels=True)

    def slopes(potential):
        tuned = potential.last_layers(2)
        potential(graph, tuned).square().sum().backward()
        return torch.cat([weight.grad.flatten() for weight in tuned.parameters() if weight.grad is not None])

    for ask in (lambda potential: potential(graph), lambda potential: potential.forces(graph), slopes):
        expected = ask(without)
        torch.testing.assert_close(ask(having), expected, rtol=1e-6, atol=1e-6 * float(expected.abs().max()))
    alone = collate(crystal_graphs([crystals.isolated_atom()], GRAPH, torch.float64))
    assert not having.forces(alone).any()


def test_kernels_are_for_gpus_whose_user_has_installed_them(monkeypatch):
    gpu = torch.device("cuda", 0)
    monkeypatch.setattr(convolution, "find_spec", lambda name: None)
    assert not has_kernels(gpu)
    monkeypatch.setattr(convolution, "find_spec", lambda name: object())
    assert has_kernels(gpu)
    assert not has_kernels(torch.device("cpu"))
