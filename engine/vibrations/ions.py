"""Ions of a crystal: Born charges and force constants in its primitive cell, as its space group has them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from phonopy import Phonopy
from phonopy.phonon.symmetry_adapted_modes import LittleGroupOperation, get_little_group_operations
from phonopy.structure.atoms import PhonopyAtoms
from pymatgen.core import Element, Structure

from engine.network.constants import SYMMETRY_TOLERANCE

GAMMA = (0.0, 0.0, 0.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Ions:
    """What vibrates.

    Attributes:
        cell: [3, 3] Å, rows are vectors of the primitive cell, which lies in space as the crystal does.
        atomic_numbers: [n].
        pos: [n, 3] Å.
        charges: [n, 3, 3] e, first index the field, second the displacement; they add up to zero.
        force_constants: [3 n, 3 n] eV/Å^2 at the zone centre, those of the transverse modes.
    """

    cell: np.ndarray
    atomic_numbers: np.ndarray
    pos: np.ndarray
    charges: np.ndarray
    force_constants: np.ndarray

    @property
    def volume(self) -> float:
        """Å^3 of the cell."""
        return abs(float(np.linalg.det(self.cell)))

    @cached_property
    def masses(self) -> np.ndarray:
        """[n] atomic masses of the elements as they occur, u."""
        return np.array([float(Element.from_Z(int(z)).atomic_mass) for z in self.atomic_numbers])

    @cached_property
    def operations(self) -> list[LittleGroupOperation]:
        """The crystal's symmetry operations, translations aside."""
        phonons = self.phonopy()
        return get_little_group_operations(GAMMA, phonons.primitive, phonons.primitive_symmetry, False)

    def phonopy(self) -> Phonopy:
        """The crystal for phonopy, a cell that is its own supercell; force constants are not yet in it."""
        atoms = PhonopyAtoms(
            numbers=self.atomic_numbers,
            cell=self.cell,
            scaled_positions=self.pos @ np.linalg.inv(self.cell),
            masses=self.masses,
        )
        return Phonopy(atoms, np.eye(3, dtype=int), np.eye(3), symprec=SYMMETRY_TOLERANCE, log_level=0)

    @cached_property
    def symmetric(self) -> "Ions":
        """The same with charges and force constants averaged over the symmetry operations.

        Networks obey symmetry to the rounding of single precision; this takes the rest away. A crystal as a whole
        feels no force and bears no charge.
        """
        charges = np.mean([_moved(op, self.charges) for op in self.operations], axis=0)
        constants = np.mean(
            [op.transform_matrix(self.force_constants.astype(complex)) for op in self.operations], axis=0
        ).real
        blocks = constants.reshape(len(charges), 3, len(charges), 3)
        blocks = blocks - blocks.mean(0)  # then of the columns, which leaves the rows' sum as it is
        blocks = blocks - blocks.mean(2, keepdims=True)
        constants = blocks.reshape(constants.shape)
        return Ions(
            cell=self.cell,
            atomic_numbers=self.atomic_numbers,
            pos=self.pos,
            charges=charges - charges.mean(0),
            force_constants=(constants + constants.T) / 2,
        )

    def images(self, structure: Structure) -> np.ndarray:
        """[N] which atom of the primitive cell each site of a structure of the same crystal repeats."""
        inverse = np.linalg.inv(self.cell)
        apart = (structure.cart_coords[:, None] - self.pos) @ inverse  # [N, n, 3]
        distance = np.linalg.norm((apart - np.rint(apart)) @ self.cell, axis=2)
        other = np.array(structure.atomic_numbers)[:, None] != self.atomic_numbers
        return np.where(other, np.inf, distance).argmin(1)


def _moved(operation: LittleGroupOperation, charges: np.ndarray) -> np.ndarray:
    """Charges [n, 3, 3] of the atoms after the operation."""
    turn = operation.rotation_cartesian
    found = np.empty_like(charges)
    found[operation.permutation] = turn @ charges @ turn.T
    return found
