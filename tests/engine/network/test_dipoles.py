"""Coupled dipoles obey electrostatics: closed forms, layers, and the choice of cell."""

import math

import numpy as np
import pytest
import torch

from engine.config import GraphConfig, ModelConfig
from engine.crystals.graph import collate, crystal_graphs
from engine.errors import EngineError
from engine.network import dipoles
from engine.network.dipoles import dipole_field, susceptibility
from engine.network.network import DielectricNetwork, dipole_fields
from engine.tensors.irreps import symmetric_log
from tests import crystals
from tests.engine.test_physics import random_rotation

SIGMA = 1.2


def chi(pos: np.ndarray, cell: np.ndarray, root: np.ndarray, sigma: float = SIGMA) -> torch.Tensor:
    """[3, 3] of one crystal; `root` [N, 3, 3] are square roots of polarisabilities."""
    pos, cell, root = (torch.as_tensor(x, dtype=torch.float64) for x in (pos, cell, root))
    atoms = torch.zeros(len(pos), dtype=torch.int64)
    return susceptibility(root, dipole_field(pos, cell, sigma), atoms, torch.linalg.det(cell).abs()[None])[0]


def isotropic(*polarisabilities: float) -> np.ndarray:
    return np.sqrt(np.array(polarisabilities))[:, None, None] * np.eye(3)


def random_crystal(atoms: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A triclinic crystal of anisotropic atoms: pos, cell, root."""
    chance = np.random.default_rng(seed)
    cell = (18.0 * atoms) ** (1 / 3) * (np.eye(3) + 0.3 * chance.normal(size=(3, 3)))
    random = chance.normal(size=(atoms, 3, 3))
    return chance.random((atoms, 3)) @ cell, cell, 4 * np.eye(3) + random @ random.swapaxes(1, 2) / 3


@pytest.mark.parametrize("length", [3.0, 4.5, 12.0])
def test_one_atom_in_a_cubic_cell_has_the_closed_form(length):
    polarisability = 40.0
    steps = np.arange(-40, 41)
    wave = 2 * np.pi / length * np.stack(np.meshgrid(steps, steps, steps), -1).reshape(-1, 3)
    square = (wave**2).sum(1)
    field = np.exp(-square[square > 0] * SIGMA**2).sum() / (3 * length**3)  # a third of the trace
    expected = polarisability / length**3 / (1 + polarisability * field)
    found = chi([[0.3, 0.1, 0.2]], length * np.eye(3), isotropic(polarisability))
    np.testing.assert_allclose(found, expected * np.eye(3), rtol=1e-10, atol=1e-14)


def test_one_atom_in_a_wide_cubic_cell_obeys_clausius_and_mossotti():
    length, sigma, polarisability = 9.0, 1.0, 300.0
    own = 1 / (24 * math.pi**1.5 * sigma**3)
    density = polarisability / (1 + polarisability * own) / length**3
    found = chi(np.zeros((1, 3)), length * np.eye(3), isotropic(polarisability), sigma)
    np.testing.assert_allclose(found, density / (1 - density / 3) * np.eye(3), rtol=1e-8, atol=1e-14)


def slab(vacuum: float) -> tuple[np.ndarray, float]:
    """chi and height of a stack of eight dense square layers, thick enough to have an inside."""
    spacing, layers = 1.5, 8
    side, height = 1.5, spacing * layers + vacuum
    pos = np.array([[0, 0, spacing * (k + 0.5)] for k in range(layers)])
    return chi(pos, np.diag([side, side, height]), isotropic(*[9.0] * layers)).numpy(), height


def test_a_slab_in_growing_vacuum_obeys_the_laws_of_parallel_and_series_layers():
    thin, height = slab(30.0)
    for vacuum in (60.0, 120.0):
        found, total = slab(vacuum)
        parallel = 1 + (thin[0, 0]) * height / total  # permittivities add up
        series = 1 / (1 - (1 - 1 / (1 + thin[2, 2])) * height / total)  # their inverses do
        np.testing.assert_allclose(np.diag(found) + 1, [parallel, parallel, series], rtol=1e-6)
    assert thin[0, 0] > 1.5 * thin[2, 2]


def test_a_homogeneous_medium_has_its_dipole_density_as_susceptibility():
    step = 1.0  # Å, much finer than sigma
    np.testing.assert_allclose(chi([[0, 0, 0]], step * np.eye(3), isotropic(2.5)), 2.5 * np.eye(3), atol=1e-6)


def test_susceptibility_is_that_of_any_supercell_and_any_basis():
    pos, cell, root = random_crystal(3)
    expected = chi(pos, cell, root)
    shifts = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]])
    many = (pos[None] + (shifts @ cell)[:, None]).reshape(-1, 3)
    found = chi(many, np.diag([2, 2, 1]) @ cell, np.tile(root, (4, 1, 1)))
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    skew = np.array([[1, 3, 0], [0, 1, 0], [-2, 1, 1]])
    np.testing.assert_allclose(chi(pos, skew @ cell, root), expected, rtol=1e-9)


@pytest.mark.parametrize("sign", [1, -1], ids=["rotation", "rotation and inversion"])
def test_susceptibility_turns_with_the_crystal(sign):
    pos, cell, root = random_crystal(4)
    turn = sign * random_rotation(1)
    found = chi(pos @ turn.T, cell @ turn.T, turn @ root @ turn.T)
    np.testing.assert_allclose(found, turn @ chi(pos, cell, root).numpy() @ turn.T, rtol=1e-9)


@pytest.mark.parametrize("strength", [1e-3, 1.0, 1e3])
def test_susceptibility_is_symmetric_and_positive_however_close_the_atoms(strength):
    pos, cell, root = random_crystal(5)
    pos[1] = pos[0] + 1e-3
    found = chi(pos, cell, strength * root).numpy()
    np.testing.assert_allclose(found, found.T, rtol=1e-9)
    assert np.linalg.eigvalsh(found)[0] > 0


def test_neighbours_along_a_chain_help_and_neighbours_beside_it_hinder():
    found = chi(np.zeros((1, 3)), np.diag([12.0, 12.0, 3.0]), isotropic(60.0))
    alone = chi(np.zeros((1, 3)), 30 * np.eye(3), isotropic(60.0))
    assert found[2, 2] > alone[0, 0] * 30**3 / (12 * 12 * 3) > found[0, 0]


def test_a_batch_of_crystals_equals_each_alone_and_large_cells_are_solved_as_well(monkeypatch):
    crystals = [random_crystal(atoms, seed=atoms) for atoms in (1, 5, 3, 7)]
    expected = torch.stack([chi(*crystal) for crystal in crystals])
    fields = torch.cat([dipole_field(torch.tensor(p), torch.tensor(c), SIGMA) for p, c, _ in crystals])
    roots = torch.cat([torch.tensor(root) for _, _, root in crystals])
    index = torch.repeat_interleave(torch.tensor([len(p) for p, _, _ in crystals]))
    volume = torch.tensor([abs(np.linalg.det(cell)) for _, cell, _ in crystals])
    for large in (100, 3):  # the second sends cells of five and seven atoms to conjugate gradients
        monkeypatch.setattr(dipoles, "LARGE", large)
        torch.testing.assert_close(susceptibility(roots, fields, index, volume), expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("large", [100, 2], ids=["Cholesky", "conjugate gradients"])
def test_derivatives_equal_finite_differences(monkeypatch, large):
    monkeypatch.setattr(dipoles, "LARGE", large)
    pos, cell, root = (torch.tensor(x, requires_grad=True) for x in random_crystal(3))

    def log_chi(pos: torch.Tensor, cell: torch.Tensor, root: torch.Tensor) -> torch.Tensor:
        volume = torch.linalg.det(cell).abs()[None]
        atoms = torch.zeros(3, dtype=torch.int64)
        return symmetric_log(susceptibility((root + root.mT) / 2, dipole_field(pos, cell, SIGMA), atoms, volume))

    assert torch.autograd.gradcheck(log_chi, (pos, cell, root))


@pytest.mark.parametrize("values", [(2.0, 2.0, 2.0), (1.0, 1.0, 3.0), (0.01, 0.01 + 1e-9, 50.0)])
def test_logarithm_of_equal_principal_values_has_its_derivative(values):
    turn = random_rotation(2)
    matrix = torch.tensor(turn @ np.diag(values) @ turn.T, requires_grad=True)
    torch.testing.assert_close(torch.linalg.matrix_exp(symmetric_log(matrix)), matrix)
    assert torch.autograd.gradcheck(lambda m: symmetric_log((m + m.mT) / 2), matrix, eps=1e-7, atol=1e-4)


def test_a_graph_that_carries_its_field_gets_the_same_tensor():
    torch.manual_seed(0)
    model = ModelConfig(mul=4, num_layers=1, radial_width=16, readout="dipoles")
    network = DielectricNetwork(GraphConfig(), model).requires_grad_(False)
    graphs = crystal_graphs([crystals.triclinic(), crystals.diamond(), crystals.hcp()], GraphConfig())
    fresh = network(collate(graphs))
    for graph in graphs:
        graph.dipole_field = dipole_fields(graph, model.sigma)
    torch.testing.assert_close(network(collate(graphs)), fresh, rtol=1e-6, atol=0)
    graphs[0].dipole_field = 2 * graphs[0].dipole_field  # and it is this field that is used
    assert not torch.allclose(network(collate(graphs))[0, 0], fresh[0, 0], rtol=1e-3)


@pytest.mark.parametrize("wrong", [{"readout": "sum"}, {"sigma": 0.0}])
def test_an_unknown_readout_or_width_is_refused(wrong):
    with pytest.raises(EngineError, match="got"):
        ModelConfig(**wrong)
