"""Force constants of a crystal at the zone centre, from the forces of the pretrained potential.

    Phi[i, a; j, b] = - d F[i, a] / d u[j, b],    every image of atom j displaced alike,

by central differences. phonopy displaces only what symmetry does not give, and fills in the rest.
Sources: Togo et al., J. Phys. Condens. Matter 35, 353001 (2023), doi:10.1088/1361-648X/acd831.
"""

from collections.abc import Callable

import numpy as np
import torch
from phonopy import Phonopy
from phonopy.structure.atoms import PhonopyAtoms
from pymatgen.core import Lattice, Structure

from engine.crystals.graph import collate, crystal_graphs
from engine.crystals.material import Material
from engine.errors import required
from engine.network.potential import GRAPH, pretrained_features

DISPLACEMENT = 0.0002  # Å; so small a step keeps the result independent of its direction, and needs float64
SYMMETRY_TOLERANCE = 1e-3  # Å
ATOMS_AT_ONCE = 75


def force_constants(
    crystal: Structure | Material,
    device: torch.device,
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """Phi, [3 N, 3 N] eV/Å^2, symmetric, rows that sum to zero over the atoms.

    Args:
        progress: called with (done, total) displaced crystals.

    Raises:
        EngineError: the potential does not know one of the elements.
    """
    phonons = _displaced(crystal)
    moved = [
        Structure(Lattice(one.cell), one.numbers.tolist(), one.positions, coords_are_cartesian=True)
        for one in phonons.supercells_with_displacements or ()
    ]
    natoms = len(moved[0])
    size = max(1, ATOMS_AT_ONCE // natoms)
    forces = []
    for start in range(0, len(moved), size):
        graph = collate(crystal_graphs(moved[start : start + size], GRAPH, torch.float64, device))
        pulls = pretrained_features(device, torch.float64).forces(graph)
        forces.append(pulls.cpu().numpy().reshape(-1, natoms, 3))
        if progress:
            progress(min(start + size, len(moved)), len(moved))
    phonons.forces = np.concatenate(forces)
    phonons.produce_force_constants(show_drift=False)
    phonons.symmetrize_force_constants(show_drift=False)
    constants = required(phonons.force_constants, "phonopy made no force constants of the forces")
    matrix = constants.transpose(0, 2, 1, 3).reshape(3 * natoms, -1)
    return (matrix + matrix.T) / 2


def effort(crystal: Structure | Material) -> int:
    """Atoms whose forces `force_constants` has to find, over all displaced crystals."""
    phonons = _displaced(crystal)
    return len(phonons.displacements) * len(phonons.unitcell)


def _displaced(crystal: Structure | Material) -> Phonopy:
    if isinstance(crystal, Material):
        crystal = crystal.structure
    cell = PhonopyAtoms(
        numbers=crystal.atomic_numbers,
        cell=crystal.lattice.matrix,
        scaled_positions=crystal.frac_coords,
        masses=np.ones(len(crystal)),  # no part of it, and phonopy does not know all
    )
    phonons = Phonopy(
        cell, np.eye(3, dtype=int), primitive_matrix=np.eye(3), symprec=SYMMETRY_TOLERANCE, log_level=0
    )
    phonons.generate_displacements(distance=DISPLACEMENT)
    return phonons
