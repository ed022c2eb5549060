"""Ions without a network: charges and force constants drawn by chance, with the symmetry of their crystal."""

import numpy as np
from pymatgen.core import Structure

from engine.vibrations.ions import Ions


def drawn(structure: Structure, seed: int = 0) -> Ions:
    """A stable crystal of a primitive structure."""
    rng, count = np.random.default_rng(seed), len(structure)
    root = rng.normal(size=(3 * count, 3 * count))
    return of(structure, rng.normal(size=(count, 3, 3)), root @ root.T + 2 * np.eye(3 * count))


def of(structure: Structure, charges: np.ndarray, force_constants: np.ndarray) -> Ions:
    """Ions of a primitive structure, their charges and force constants averaged over its symmetry."""
    return Ions(
        cell=structure.lattice.matrix,
        atomic_numbers=np.array(structure.atomic_numbers),
        pos=structure.cart_coords,
        charges=charges,
        force_constants=force_constants,
    ).symmetric
