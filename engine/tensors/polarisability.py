"""What belongs to a sheet, a chain or a molecule itself: its polarisability, from the tensor of a box with vacuum.

Derivation. Identical copies repeat in k directions across the vacuum, of which M is the length (k = 1, sheets),
area (k = 2, chains) or volume (k = 3, molecules) of a cell. The box has the susceptibility chi = eps - 1 and the
polarisation P = chi E / 4 pi (Gaussian units), so each copy has the moment M P per area, per length or in all. It
answers the field of everything but itself, F = E + 4 pi Lambda P, and moment = alpha F gives

    alpha = M / (4 pi) (chi^-1 + Lambda)^-1.

Lambda is the Lorentz tensor of the lattice of copies, of trace 1 and zero along the object. For sheets it is n n^T
with the normal n, at any distance: alpha = L (eps - 1) / (4 pi) in the plane, capacitors in parallel, and
L (1 - 1 / eps) / (4 pi) across, capacitors in series. These laws are exact, and vacuum added changes no alpha. For
chains on a square or hexagonal lattice Lambda is 1/2 across, for molecules on a cubic one 1/3, the relation of
Clausius and Mossotti. Both take a copy for a point as seen from the next one, which is off by terms of the order
of (size / distance)^2. To first order in 1 / M, alpha = M (eps - 1) / (4 pi) for each of them.

The unit is Å^k. In SI units the polarisability is 4 pi epsilon_0 alpha.
Sources: Cudazzo, Tokatly and Rubio, Phys. Rev. B 84, 085406 (2011), doi:10.1103/PhysRevB.84.085406 (in the plane);
Laturia, Van de Put and Vandenberghe, npj 2D Mater. Appl. 2, 6 (2018), doi:10.1038/s41699-018-0050-x (both laws).
"""

from itertools import permutations

import numpy as np

SMEARED = 0.1  # of the shortest lattice vector: neighbours of such Gaussians do not overlap
NEGLIGIBLE = 1e-12


def polarisability(tensor: np.ndarray, repeats: np.ndarray) -> np.ndarray:
    """alpha above, [3, 3] Å^k, in the axes of the tensor.

    Args:
        tensor: [3, 3] relative permittivity of the box.
        repeats: [k, 3] Å, the lattice of copies across the vacuum; see `InVacuum.repeats`.
    """
    chi, unit = tensor - np.eye(3), np.eye(3)
    measure = np.sqrt(np.linalg.det(repeats @ repeats.T))
    alpha = measure / (4 * np.pi) * chi @ np.linalg.inv(unit + lorentz_tensor(repeats) @ chi)
    return (alpha + alpha.T) / 2


def lorentz_tensor(repeats: np.ndarray) -> np.ndarray:
    """Lambda above, [3, 3], of point dipoles on a lattice [k, 3].

    As in dipoles.py: the field of all dipoles smeared over Gaussians too narrow to overlap, less that of the own.
    """
    k, short = len(repeats), reduced(repeats) @ repeats
    sigma = SMEARED * np.linalg.norm(short, axis=1).min()
    dual = 2 * np.pi * np.linalg.pinv(short).T  # [k, 3]
    longest = np.sqrt(-np.log(NEGLIGIBLE)) / sigma
    reach = np.floor(longest * np.linalg.norm(short, axis=1) / (2 * np.pi)).astype(int)
    steps = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in reach), indexing="ij"), -1).reshape(-1, k)
    wave = steps[steps.any(1)] @ dual  # [G, 3]
    square = (wave**2).sum(1)
    weighted = wave * (np.exp(-square * sigma**2) / square)[:, None]
    across = np.linalg.pinv(short) @ short  # [3, 3] projector
    own = np.sqrt(np.linalg.det(short @ short.T)) / (k * (4 * np.pi * sigma**2) ** (k / 2))
    return own * across - weighted.T @ wave


def reduced(vectors: np.ndarray) -> np.ndarray:
    """Integer matrix T [k, k] of determinant 1: none of T @ vectors gets shorter by taking others off."""
    turn, short = np.eye(len(vectors)), vectors.copy()
    shortened = True
    while shortened:
        shortened = False
        for i, j in permutations(range(len(vectors)), 2):
            times = np.rint(short[i] @ short[j] / (short[j] @ short[j]))
            if np.linalg.norm(short[i] - times * short[j]) < (1 - 1e-9) * np.linalg.norm(short[i]):
                turn[i] -= times * turn[j]
                short[i], shortened = turn[i] @ vectors, True
    return turn
