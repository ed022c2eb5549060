"""The potential's convolutions in our arrangement of the sums give what SevenNet's own give."""

from pathlib import Path

import pytest
import sevenn
import torch
from sevenn.checkpoint import SevenNetCheckpoint

from engine.network.convolution import NeighbourConvolution

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


def test_messages_and_their_gradients_are_those_of_the_potential(convolutions):
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
        for convolution in (theirs, NeighbourConvolution(theirs).double()):
            leaves = {name: value.clone().requires_grad_() for name, value in given.items()}
            found = convolution(dict(leaves) | {"edge_index": torch.tensor(EDGES).T})["x"]
            found.square().sum().backward()
            answers.append([found.detach(), *(leaf.grad for leaf in leaves.values())])
        for one, other in zip(*answers, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-6 * float(one.abs().max()))
