"""Readouts of atoms turn with the crystal, and charges add up to zero."""

import pytest
import torch
from e3nn import o3

from engine.network.heads import ChargeHead, CorrectionHead

IRREPS = o3.Irreps("12x0e+6x2e")
NUMBERS = torch.tensor([3, 8, 8, 22, 17])
CRYSTAL = torch.tensor([0, 0, 0, 1, 1])


@pytest.fixture(autouse=True)
def in_double():
    torch.manual_seed(0)
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(default)


@pytest.fixture
def node():
    return torch.randn(5, IRREPS.dim)


def test_charges_of_a_crystal_add_up_to_zero(node):
    charges = ChargeHead(IRREPS, 16)(node, NUMBERS, CRYSTAL)
    for crystal in (0, 1):
        assert charges[crystal == CRYSTAL].sum(0).abs().max() < 1e-12


def test_charges_turn_with_the_crystal_and_have_an_antisymmetric_part(node):
    head, turn = ChargeHead(IRREPS, 16), o3.rand_matrix()
    charges = head(node, NUMBERS, CRYSTAL)
    turned = head(node @ IRREPS.D_from_matrix(turn).T, NUMBERS, CRYSTAL)
    assert torch.allclose(turned, turn @ charges @ turn.T)
    assert (charges - charges.mT).abs().max() > 1e-3


def test_before_training_a_charge_is_the_more_positive_the_less_electronegative_its_atom(node):
    lithium, oxygen = ChargeHead(IRREPS, 16)(0 * node, NUMBERS, CRYSTAL).diagonal(dim1=1, dim2=2).mean(1)[:2]
    assert lithium > 1
    assert oxygen < -1


def test_corrections_are_positive_and_turn_with_the_crystal(node):
    head, turn = CorrectionHead(IRREPS, 1.1), o3.rand_matrix()
    assert torch.allclose(head(node, CRYSTAL), 1.1**0.5 * torch.eye(3).expand(5, 3, 3))  # untrained
    torch.nn.init.normal_(head.shift.net[2].weight, std=3)
    corrections = head(node, CRYSTAL)
    assert torch.linalg.eigvalsh(corrections).min() > 0
    turned = head(node @ IRREPS.D_from_matrix(turn).T, CRYSTAL)
    assert torch.allclose(turned, turn @ corrections @ turn.T)
