"""The polarisability of a sheet, chain or molecule is its own: the box around it cancels."""

import numpy as np
import pytest
import torch

from engine.network.dipoles import dipole_field, susceptibility
from engine.teaching.equivariance import rotation_about
from engine.tensors.polarisability import lorentz_tensor, polarisability

NORMAL = np.array([0.48, 0.6, 0.64])
SLAB = np.array([[9.0, 1.0, 0.5], [1.0, 5.0, -0.7], [0.5, -0.7, 3.0]])
THICKNESS = 6.0  # Å


def slab_in_vacuum(length: float) -> np.ndarray:
    """Tensor of a slab and vacuum in turns, from the fields that are the same in both: E along, D across.

    Written with the matrix of the mixed response to these, whose mean over the layers is that of the whole.
    """
    frame = np.linalg.svd(NORMAL[None])[2][[1, 2, 0]]  # normal last

    def mixed(tensor):
        a, b, c = tensor[:2, :2], tensor[:2, 2:], tensor[2:, 2:]
        return np.block([[a - b @ b.T / c, b / c], [-b.T / c, 1 / c]])

    share = THICKNESS / length
    mean = share * mixed(frame @ SLAB @ frame.T) + (1 - share) * mixed(np.eye(3))
    c = 1 / mean[2:, 2:]
    b = mean[:2, 2:] * c
    tensor = np.block([[mean[:2, :2] + b @ b.T / c, b], [b.T, c]])
    return frame.T @ tensor @ frame


def test_a_slab_obeys_the_laws_of_parallel_and_series_exactly():
    wide = slab_in_vacuum(1e7)
    first_order = 1e7 * (wide - np.eye(3)) / (4 * np.pi)
    for length in (6.0, 8.0, 20.0, 100.0):
        found = polarisability(slab_in_vacuum(length), length * NORMAL[None])
        np.testing.assert_allclose(found, first_order, rtol=1e-5, atol=1e-5)


def test_the_two_laws_of_a_sheet():
    found = polarisability(np.diag([15.0, 13.0, 6.0]), np.array([[0, 0, 6.15]]))
    expected = 6.15 / (4 * np.pi) * np.array([14, 12, 1 - 1 / 6])
    np.testing.assert_allclose(found, np.diag(expected), atol=1e-9)


@pytest.mark.parametrize(
    ("repeats", "expected"),
    [
        (np.array([[0, 0, 7.0]]), np.diag([0, 0, 1])),
        (np.array([[5.0, 0, 0], [0, 5, 0]]), np.diag([0.5, 0.5, 0])),
        (np.array([[5.0, 0, 0], [-2.5, 18.75**0.5, 0]]), np.diag([0.5, 0.5, 0])),
        (9 * np.eye(3), np.eye(3) / 3),
        (np.array([[0, 4.0, 4], [4, 0, 4], [4, 4, 0]]), np.eye(3) / 3),
    ],
    ids=["sheets", "square", "hexagonal", "cubic", "fcc"],
)
def test_the_lorentz_tensor_of_symmetric_lattices(repeats, expected):
    np.testing.assert_allclose(lorentz_tensor(repeats), expected, atol=1e-8)


def test_the_lorentz_tensor_has_trace_one_turns_with_the_lattice_and_depends_on_no_basis():
    repeats = np.array([[6.0, 0, 0], [1.0, 9, 0], [2.0, 3, 14]])
    rotation = rotation_about("y", 50) @ rotation_about("z", 20)
    found = lorentz_tensor(repeats)
    assert np.trace(found) == pytest.approx(1)
    np.testing.assert_allclose(lorentz_tensor(repeats @ rotation.T), rotation @ found @ rotation.T, atol=1e-8)
    other = np.array([[1, 0, 0], [2, 1, 0], [-1, 3, 1]]) @ repeats
    np.testing.assert_allclose(lorentz_tensor(other), found, atol=1e-8)


@pytest.mark.parametrize(
    "cell",
    [12 * np.eye(3), np.diag([8.0, 10, 30]), np.array([[9.0, 0, 0], [4, 8, 0], [1, 2, 16]])],
    ids=["cube", "long box", "oblique box"],
)
def test_an_atom_has_its_polarisability_back_from_a_box_of_any_shape(cell):
    sigma, own = 0.6, np.diag([6.0, 9.0, 20.0])  # Å, Å^3
    pos, box = torch.zeros(1, 3), torch.tensor(cell)
    root = torch.tensor(np.sqrt(own))[None]
    field = dipole_field(pos, box, sigma)
    chi = susceptibility(root, field, torch.zeros(1, dtype=torch.long), torch.linalg.det(box)[None])[0].numpy()
    smeared = np.linalg.inv(np.linalg.inv(own) + np.eye(3) / (24 * np.pi**1.5 * sigma**3))
    np.testing.assert_allclose(polarisability(chi + np.eye(3), cell), smeared / (4 * np.pi), rtol=1e-6, atol=1e-6)
