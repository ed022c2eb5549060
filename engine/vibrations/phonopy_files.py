"""Files for phonopy: BORN for force constants that its user has, phonopy_params.yaml with the model's own.

In both, the first index of a Born charge is the field and the second the displacement, as phonopy has it.
"""

import numpy as np
from phonopy.file_IO import get_BORN_lines
from phonopy.physical_units import get_physical_units
from phonopy.structure.atoms import PhonopyAtoms
from pymatgen.core import Structure

from engine.vibrations.ions import Ions


def born(structure: Structure, charges: np.ndarray, electronic: np.ndarray) -> str:
    """phonopy's BORN, of the atoms that the symmetry of a structure (phonopy's tolerance) does not make of others.

    Args:
        structure: the unit cell of the phonopy calculation.
        charges: [N, 3, 3] e of its atoms, first index the field.
        electronic: [3, 3] in its axes.
    """
    atoms = PhonopyAtoms(
        numbers=structure.atomic_numbers, cell=structure.lattice.matrix, scaled_positions=structure.frac_coords
    )
    return "\n".join(get_BORN_lines(atoms, charges, electronic)) + "\n"


def phonopy_params(ions: Ions, electronic: np.ndarray) -> str:
    """phonopy_params.yaml of a crystal: primitive cell, force constants at the zone centre, charges and tensor.

    `phonopy.load` takes it back to the transverse frequencies of `Modes`. Its longitudinal ones follow from the
    charges as they are, without the G of modes.py. Force constants of the zone centre say nothing of other waves.
    """
    phonons = ions.phonopy()
    count, units = len(ions.masses), get_physical_units()
    phonons.force_constants = ions.force_constants.reshape(count, 3, count, 3).transpose(0, 2, 1, 3)
    phonons.nac_params = {
        "born": ions.charges,
        "dielectric": electronic,
        "factor": units.Hartree * units.Bohr,
    }
    return f"{phonons.to_phonopy_yaml(settings={'force_constants': True})}\n"
