"""A step moves and averages the weights that its loss depends on, and no others."""

import torch
from torch import nn

from engine.training.learner import Learner


def learner() -> Learner[nn.ModuleDict]:
    torch.manual_seed(0)
    network = nn.ModuleDict({"electronic": nn.Linear(2, 1), "ionic": nn.Linear(2, 1)})
    groups = [{"params": list(network.parameters()), "peak": 0.1}]
    return Learner(network, groups, weight_decay=0.1, clip_norm=10.0, average_decay=0.9)


def weights(network: nn.ModuleDict, name: str) -> torch.Tensor:
    return torch.cat([p.detach().flatten().clone() for p in network[name].parameters()])


def step(one: Learner, name: str) -> None:
    one.step(one.network[name](torch.ones(4, 2)).square().mean(), 0.5)


def test_the_average_follows_the_weights():
    one = learner()
    before = weights(one.result, "ionic")
    step(one, "ionic")
    expected = 0.9 * before + 0.1 * weights(one.network, "ionic")
    assert torch.allclose(weights(one.result, "ionic"), expected)


def test_steps_for_one_target_leave_weights_and_average_of_the_other_alone():
    one = learner()
    for _ in range(3):
        step(one, "electronic")
    moved, averaged = weights(one.network, "electronic"), weights(one.result, "electronic")
    assert not torch.allclose(moved, averaged)
    for _ in range(3):
        step(one, "ionic")
    assert torch.equal(weights(one.network, "electronic"), moved)
    assert torch.equal(weights(one.result, "electronic"), averaged)
