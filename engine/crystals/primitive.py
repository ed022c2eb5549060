"""The smallest cell of a crystal, as it lies in space: no answer may depend on the cell that was given.

spglib names the cell, pymatgen finds the lattice.
"""

import spglib
from pymatgen.core import Element, Lattice, Structure

from engine.crystals.material import Crystal, structure_of

SAME = 0.005  # Å; atoms nearer than this to where a translation takes another one are its images


def primitive(crystal: Crystal) -> Crystal:
    """The crystal in a primitive cell of its own orientation, atoms in the places where they are.

    A crystal whose cell is primitive is given back as it is. Images of one atom, which a file's last digits may
    hold slightly apart, are averaged.
    """
    structure = structure_of(crystal)
    cell = structure.lattice.matrix.tolist(), structure.frac_coords.tolist(), structure.atomic_numbers
    try:
        found = spglib.standardize_cell(cell, to_primitive=True, no_idealize=True, symprec=SAME)
    except spglib.SpglibError:
        found = None
    if found is None or len(found[2]) >= len(structure):
        return crystal
    lattice, places, numbers = found
    return Structure(Lattice(lattice), [Element.from_Z(int(z)) for z in numbers], places)
