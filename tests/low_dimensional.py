"""Sheets, chains and molecules in boxes with vacuum."""

import numpy as np
from ase.build import molecule
from pymatgen.core import Lattice, Structure


def disulfide(length: float, shift: float = 0.5) -> Structure:
    """A monolayer of MoS2 in a cell of this length along c, Å, at the height `shift`."""
    height = 1.565 / length
    places = [[1 / 3, 2 / 3, shift], [2 / 3, 1 / 3, shift + height], [2 / 3, 1 / 3, shift - height]]
    return Structure(Lattice.hexagonal(3.18, length), ["Mo", "S", "S"], places)


def two_disulfides(length: float, apart: float) -> Structure:
    """Two such sheets, the second one aside, turned over and written many cells away."""
    one = disulfide(length)
    other = one.frac_coords @ np.diag([1, 1, -1]) + [5.2, -6.6, 4 + apart / length]
    return Structure(one.lattice, one.species * 2, np.concatenate([one.frac_coords, other]))


def nitride(length: float) -> Structure:
    """A flat monolayer of BN."""
    return Structure(Lattice.hexagonal(2.504, length), ["B", "N"], [[1 / 3, 2 / 3, 0.5], [2 / 3, 1 / 3, 0.5]])


def selenium(width: float) -> Structure:
    """One helix of trigonal selenium along c, in a square cell of this width, Å."""
    angles = np.arange(3) * 2 * np.pi / 3
    pos = np.stack([0.98 * np.cos(angles), 0.98 * np.sin(angles), np.arange(3) * 4.95 / 3], 1)
    return Structure(Lattice.tetragonal(width, 4.95), ["Se"] * 3, pos, coords_are_cartesian=True)


def molecule_in_box(name: str, *lengths: float) -> Structure:
    """A molecule of ASE's g2 set in the corner of a rectangular box, Å, which cuts it."""
    atoms = molecule(name)
    cell = Lattice.orthorhombic(*(lengths * 3)[:3])
    return Structure(cell, atoms.numbers.tolist(), atoms.positions, coords_are_cartesian=True)
