"""Ions on springs answer a field as mechanics says they must."""

import numpy as np
import torch
from e3nn import o3

from engine.network.constants import SOFTEST, UNIT
from engine.network.springs import lattice_susceptibility, stiffness

EYE = torch.eye(3, dtype=torch.float64)


def pair(k):
    """Force constants of two atoms on one isotropic spring."""
    return torch.kron(torch.tensor([[k, -k], [-k, k]], dtype=torch.float64), EYE)


def random_crystal(atoms=4, seed=0):
    """Force constants with the translations taken out, and symmetric charges."""
    chance = torch.Generator().manual_seed(seed)
    raw = torch.randn(3 * atoms, 3 * atoms, generator=chance, dtype=torch.float64)
    shift = EYE.repeat(atoms, 1) / atoms**0.5
    rest = torch.eye(3 * atoms, dtype=torch.float64) - shift @ shift.T
    charges = torch.randn(atoms, 3, 3, generator=chance, dtype=torch.float64)
    return rest @ (raw @ raw.T) @ rest, charges + charges.mT


def response(constants, charges, correction=None, volume=50.0):
    atoms = len(charges)
    correction = EYE.expand(atoms, 3, 3) if correction is None else correction
    index = torch.zeros(atoms, dtype=torch.long)
    return lattice_susceptibility(charges, correction, stiffness(constants), index, torch.tensor([volume]))[0]


def test_two_ions_on_one_spring_follow_the_closed_form():
    charge, k, volume = 1.5, 4.0, 30.0
    charges = torch.stack([charge * EYE, -charge * EYE])
    firm = np.hypot(2 * k, SOFTEST)  # the mode's own force constant is 2 k
    expected = UNIT / volume * 2 * charge**2 / firm
    assert torch.allclose(response(pair(k), charges, volume=volume), expected * EYE)


def test_a_correction_that_all_atoms_share_multiplies_their_springs():
    constants, charges = random_crystal()
    corrected = response(constants, charges, 1.1**0.5 * EYE.expand(4, 3, 3))
    assert torch.allclose(corrected, response(constants, charges) / 1.1)


def test_a_correction_of_one_atom_leaves_translations_free():
    constants, charges = random_crystal()
    correction = torch.stack([1.3 * EYE, EYE, 0.9 * EYE, EYE])
    corrected = response(constants, charges, correction)
    assert not torch.allclose(corrected, response(constants, charges), rtol=1e-3)
    assert torch.allclose(response(constants, charges + 5 * EYE, correction), corrected)
    everywhere = torch.kron(torch.diag(torch.tensor([1.3, 1, 0.9, 1]).double()), EYE)
    shift = EYE.repeat(4, 1) / 2
    rest = torch.eye(12, dtype=torch.float64) - shift @ shift.T
    firm = stiffness(constants).unflatten(0, (4, 4)).transpose(1, 2).reshape(12, 12)
    exact = torch.linalg.pinv(rest @ everywhere @ firm @ everywhere @ rest)
    pull = (charges - charges.mean(0)).mT.reshape(12, 3)
    assert torch.allclose(corrected, UNIT / 50 * pull.T @ exact @ pull)


def test_atoms_of_equal_charge_do_not_answer():
    constants, _ = random_crystal()
    assert response(constants, EYE.expand(4, 3, 3)).abs().max() < 1e-12


def test_equivalent_atoms_answer_where_a_rotation_turns_their_charges():
    turns = [o3.matrix_z(torch.tensor(2 * torch.pi * k / 3).double()) for k in range(3)]
    charge = torch.diag(torch.tensor([1.0, -1.0, 0.0], dtype=torch.float64))
    charges = torch.stack([turn @ charge @ turn.T for turn in turns])
    links = 3 * torch.eye(3) - torch.ones(3, 3)
    constants = torch.kron(links.double(), EYE)
    assert response(constants, charges).diagonal()[:2].min() > 0.1


def test_a_charge_that_all_atoms_share_changes_nothing():
    constants, charges = random_crystal()
    assert torch.allclose(response(constants, charges + 5 * EYE), response(constants, charges))


def test_the_tensor_turns_with_the_crystal():
    constants, charges = random_crystal()
    turn = o3.rand_matrix().double()
    everywhere = torch.kron(torch.eye(4, dtype=torch.float64), turn)
    turned = response(everywhere @ constants @ everywhere.T, turn @ charges @ turn.T)
    assert torch.allclose(turned, turn @ response(constants, charges) @ turn.T)


def test_a_cell_taken_twice_has_the_same_tensor():
    constants, charges = random_crystal()
    twice = torch.kron(torch.eye(2, dtype=torch.float64), constants)
    assert torch.allclose(response(twice, charges.repeat(2, 1, 1), volume=100.0), response(constants, charges))


def test_an_unstable_mode_leaves_the_tensor_finite_and_positive():
    constants, charges = random_crystal()
    values, axes = torch.linalg.eigh(constants)
    values[-1] = -5.0
    tensor = response((axes * values) @ axes.T, charges)
    assert torch.isfinite(tensor).all()
    assert torch.linalg.eigvalsh(tensor).min() >= -1e-12


def test_an_unstable_mode_answers_less_than_a_stable_one_as_stiff():
    charges = torch.stack([EYE, -EYE])
    assert response(pair(-4.0), charges)[0, 0] < 0.2 * response(pair(4.0), charges)[0, 0]


def test_crystals_in_a_batch_answer_as_each_alone():
    crystals = [random_crystal(atoms, seed) for seed, atoms in enumerate((2, 5, 3))]
    counts = torch.tensor([2, 5, 3])
    together = lattice_susceptibility(
        torch.cat([charges for _, charges in crystals]),
        EYE.expand(10, 3, 3),
        torch.cat([stiffness(constants) for constants, _ in crystals]),
        torch.repeat_interleave(torch.arange(3), counts),
        torch.full((3,), 50.0),
    )
    for one, (constants, charges) in zip(together, crystals, strict=True):
        assert torch.allclose(one, response(constants, charges))


def test_derivatives_agree_with_finite_differences():
    constants, charges = random_crystal(3)
    correction = EYE + 0.1 * torch.rand(3, 3, 3, dtype=torch.float64)
    springs, index, volume = stiffness(constants), torch.zeros(3, dtype=torch.long), torch.tensor([50.0])

    def tensor(charges, correction):
        return lattice_susceptibility(charges, correction + correction.mT, springs, index, volume)

    assert torch.autograd.gradcheck(tensor, (charges.requires_grad_(), correction.requires_grad_()))
