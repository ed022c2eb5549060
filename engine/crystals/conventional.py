"""A crystal in its conventional cell, as it lies in space."""

import numpy as np
from pymatgen.core import Structure

from engine.tensors.principal_axes import conventional_cell

WHOLE = 1e-3  # how far from a whole number of cells an edge may be


def conventional(structure: Structure) -> Structure | None:
    """The same crystal in the conventional cell of `conventional_cell`, in the same Cartesian axes.

    None where that cell is not made of whole cells of the structure, as for a supercell, or is its own.
    """
    cells = conventional_cell(structure) @ np.linalg.inv(structure.lattice.matrix)
    whole = np.rint(cells)
    if np.abs(cells - whole).max() > WHOLE or np.rint(np.linalg.det(whole)) == 1:
        return None
    return structure.make_supercell(whole.astype(int), in_place=False)
