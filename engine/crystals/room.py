"""Whether a crystal has room for its atoms."""

from collections.abc import Sequence

import gemmi
import numpy as np
from pymatgen.core import Structure

from engine.crystals.refusal import IMPOSSIBLE
from engine.errors import check

USUAL = (0.65, 1.45)  # `nearest` of a crystal; in 5,815 calculated ones 0.68 to 1.35, five molecules aside
DENSEST = 0.55  # of the volume of spheres of the covalent radii; plutonium has 0.60, insulators 0.82 and more


def distances_of(structure: Structure) -> np.ndarray:
    """[N, N] Å from each atom to the nearest image of another, or of its own.

    The time is that of N^2 pairs, in whichever cell an atom was written and however skewed the lattice is.
    """
    lattice, inside = structure.lattice, structure.frac_coords % 1
    distances = lattice.get_all_distances(inside, inside)
    np.fill_diagonal(distances, min(lattice.get_lll_reduced_lattice().abc))
    return distances


def nearest(structure: Structure) -> float:
    """Smallest distance between two atoms, in units of the sum of their covalent radii."""
    radii = covalent_radii([site.specie.symbol for site in structure])
    return float((distances_of(structure) / (radii[:, None] + radii)).min())


def covalent_radii(symbols: Sequence[str]) -> np.ndarray:
    """[N] Å of elements."""
    return np.array([gemmi.Element(symbol).covalent_r for symbol in symbols])


def check_room(structure: Structure, shown: str) -> None:
    """Refuse what is squeezed beyond all crystals, as by a wrong scale of the cell.

    Raises:
        EngineError: two atoms are nearer than `IMPOSSIBLE`, or the cell is denser than `DENSEST`.
    """
    name = f"{shown}: {structure.composition.reduced_formula}"
    closest = nearest(structure)
    check(
        closest >= IMPOSSIBLE,
        f"{name}: two atoms are at {closest:.2f} of the sum of their covalent radii, must be above {IMPOSSIBLE}; "
        "check the lengths of the cell",
    )
    radii = covalent_radii([site.specie.symbol for site in structure])
    room = structure.volume / (4 / 3 * np.pi * radii**3).sum()
    check(
        room > DENSEST,
        f"{name}: the cell has {room:.2f} of the volume of its atoms' covalent spheres, must be above {DENSEST}; "
        "check the lengths of the cell",
    )
