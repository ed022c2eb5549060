"""The tensors that a structure's file holds itself, to be shown beside a prediction."""

import numpy as np
from pymatgen.core import Structure

from engine.crystals.material import Material
from engine.crystals.read_as import read_as

SOURCE = "the file's own run"


def own_tensors(structure: Structure) -> Material | None:
    """The crystal with its file's tensors, in the file's axes; None where it holds none.

    Args:
        structure: as `reader.read_structures` gives it.
    """
    tensors = structure.properties.get("tensors")
    if not tensors:
        return None
    facts = read_as(structure)
    return Material(
        material_id=None,
        cell=structure.lattice.matrix,
        atomic_numbers=np.array(structure.atomic_numbers),
        frac_coords=structure.frac_coords,
        electronic=tensors.get("electronic"),
        ionic=tensors.get("ionic"),
        space_group_number=facts["number"] or 1,
        space_group_symbol=facts["space_group"] or "P1",
        source=SOURCE,
    )
