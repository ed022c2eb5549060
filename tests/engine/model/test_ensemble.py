"""Many networks, one answer: the mean of those that are asked, and the spread of those that differ by a seed."""

import numpy as np
import pytest
import torch

from engine.model.ensemble import combine
from engine.model.intervals import SHIFT, quantities
from engine.network.network import physical

TARGETS = ("electronic", "ionic")
VOLUME = torch.tensor([20.0, 10.0, 40.0])


@pytest.fixture(scope="module")
def latents():
    raw = torch.randn(4, 2, 3, 3, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return raw + raw.mT


def test_only_the_members_that_are_asked_answer(latents):
    answers = torch.tensor([[True] * 3, [True] * 3, [False] * 3, [False] * 3])
    found, _ = combine(latents, answers, [0, 0, 1, 1], TARGETS, VOLUME)
    expected = physical(latents[:2].mean(0), TARGETS, VOLUME).numpy()
    assert np.allclose(found["electronic"], expected[0])
    assert np.allclose(found["total"], expected[0] + expected[1])


def test_the_spread_is_that_of_one_group_and_not_between_groups(latents):
    twice = latents[[0, 0, 1, 1]]  # seeds agree, groups differ
    everyone = torch.ones(4, 3, dtype=torch.bool)
    _, within = combine(twice, everyone, [0, 0, 1, 1], TARGETS, VOLUME)
    _, between = combine(twice, everyone, [0, 1, 0, 1], TARGETS, VOLUME)
    assert np.allclose(within["ionic"], 0, atol=1e-9)
    assert (between["ionic"] > 0.01).any()


def test_the_spread_is_the_standard_deviation_of_the_logarithms(latents):
    everyone = torch.ones(4, 3, dtype=torch.bool)
    _, spread = combine(latents, everyone, [0] * 4, TARGETS, VOLUME)
    single = [physical(latent, TARGETS, VOLUME)[1].numpy() for latent in latents]
    logs = np.log(np.stack([quantities(one) for one in single]) + SHIFT["ionic"])
    assert np.allclose(spread["ionic"], logs.std(0, ddof=1))


def test_a_network_alone_has_no_spread(latents):
    one = torch.ones(1, 3, dtype=torch.bool)
    _, spread = combine(latents[:1], one, [0], TARGETS, VOLUME)
    assert all((values == 0).all() for values in spread.values())
