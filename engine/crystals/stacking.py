"""Sheets laid onto each other: the layered crystal that a sheet of a box with vacuum would be part of.

Networks learn from crystals, in which layers touch. There a field across the layers moves ions against the field
of their own dipoles, of which little is left in a box with much vacuum; what a network says of ions across the
sheet holds for the crystal. So a sheet is asked for as a crystal, and its own response follows by the laws of
polarisability.py. benchmarks/low_dimensional.py has both ways beside each other.
"""

from itertools import product

import numpy as np
from pymatgen.core import Lattice, Structure

from engine.crystals.vacuum import InVacuum, radii

APART = 0.6  # Å between van der Waals spheres of neighbours, the median of the layered crystals of petousis-2017


def stacked(sheet: InVacuum) -> Structure:
    """Copies of a sheet above each other along the normal, in the axes that it was given in."""
    structure, normal = sheet.structure, sheet.axes[2]
    spacing = _spacing(structure.cart_coords, radii()[np.array(structure.atomic_numbers)] + APART / 2, sheet)
    cell = np.vstack([structure.lattice.matrix[:2], spacing * normal])
    return Structure(Lattice(cell), structure.species, structure.cart_coords, coords_are_cartesian=True)


def _spacing(pos: np.ndarray, radius: np.ndarray, sheet: InVacuum) -> float:
    """Least distance along the normal, Å, at which no atom [N, 3] of a sheet reaches into one of the next."""
    plane, normal = sheet.structure.lattice.matrix[:2], sheet.axes[2]
    reach = 2 * radius.max()
    frac = pos @ np.linalg.pinv(plane)  # [N, 2]
    offset = pos - np.floor(frac) @ plane
    dual = np.linalg.norm(np.linalg.pinv(plane), axis=0)
    steps = [range(-n, n + 1) for n in np.ceil(reach * dual).astype(int) + 1]
    touch, spacing = radius[:, None] + radius, 0.0
    for step in product(*steps):
        apart = offset[:, None] - offset + np.array(step) @ plane  # from one sheet's atoms to those above
        height = apart @ normal
        aside = (apart**2).sum(-1) - height**2
        near = aside < touch**2
        if near.any():
            spacing = max(spacing, float((np.sqrt(touch[near] ** 2 - aside[near]) + height[near]).max()))
    return spacing
