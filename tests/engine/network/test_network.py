"""M and tensor are two forms of one thing, zero included."""

import pytest
import torch

from engine.network.network import latent_of, physical

VOLUME = torch.tensor([18.0, 18.0])
TENSORS = torch.tensor(
    [[[3.0, 0.2, 0.0], [0.2, 2.0, 0.1], [0.0, 0.1, 5.0]], [[1.5, 0, 0], [0, 1.5, 0], [0, 0, 1.5]]],
    dtype=torch.float64,
)


@pytest.mark.parametrize("target", ["electronic", "ionic"])
def test_the_tensor_of_its_own_logarithm_is_the_tensor(target):
    again = physical(latent_of(TENSORS, target, VOLUME)[None], (target,), VOLUME)[0]
    assert torch.allclose(again, TENSORS, atol=1e-6)


def test_an_ionic_tensor_of_zero_stays_exactly_zero_in_single_precision():
    zero = torch.zeros(2, 3, 3)
    latent = latent_of(zero, "ionic", VOLUME)
    assert physical(latent.float()[None], ("ionic",), VOLUME).abs().max() == 0
    both = torch.stack([latent.float(), latent.float()]).mean(0)  # as an ensemble does
    assert physical(both[None], ("ionic",), VOLUME).abs().max() == 0


def test_an_ionic_tensor_that_is_zero_along_one_axis_is_zero_there_alone():
    flat = torch.diag(torch.tensor([0.0, 0.5, 2.0])).expand(2, 3, 3)
    again = physical(latent_of(flat, "ionic", VOLUME).float()[None], ("ionic",), VOLUME)[0]
    assert again[0, 0, 0].abs() < 1e-6
    assert torch.allclose(again.double(), flat.double(), atol=1e-4)
