"""The smallest cell of a crystal, as it lies in space: no answer may depend on the cell that was given.

spglib names the cell, pymatgen finds the lattice.
"""

import numpy as np
import spglib
from pymatgen.core import Element, Lattice, Structure

from engine.crystals.material import Crystal, structure_of

SKEWED = 200.0  # `skew` of a cell that is reduced; that of 11,081 calculated ones is 111 at most
SAME = 0.005  # Å; atoms nearer than this to where a translation takes another one are its images


def primitive(crystal: Crystal) -> Crystal:
    """The crystal in a primitive cell of its own orientation, atoms in the places where they are.

    A crystal whose cell is primitive, and not skewed beyond sense, is given back as it is. Images of one atom,
    which a file's last digits may hold slightly apart, are averaged.
    """
    structure = structure_of(crystal)
    cell = structure.lattice.matrix.tolist(), structure.frac_coords.tolist(), structure.atomic_numbers
    try:
        found = spglib.standardize_cell(cell, to_primitive=True, no_idealize=True, symprec=SAME)
    except spglib.SpglibError:
        found = None
    if found is not None and len(found[2]) < len(structure):
        lattice, places, numbers = found
        structure = Structure(Lattice(lattice), [Element.from_Z(int(z)) for z in numbers], places)
    elif skew(structure.lattice) <= SKEWED:
        return crystal
    return structure if skew(structure.lattice) <= SKEWED else structure.get_reduced_structure("LLL")


def skew(lattice: Lattice) -> float:
    """Product of a cell's edges over its volume: 1 for a cuboid, at most 2 for a reduced cell."""
    return float(np.prod(lattice.abc) / lattice.volume)
