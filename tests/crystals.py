"""Crystals that several tests share, all exact and made without a file."""

from functools import cache

import numpy as np
from pymatgen.core import Lattice, Structure

# International symbol of each of the 32 crystallographic point groups: a space group that has it.
POINT_GROUPS = {
    "1": 1, "-1": 2, "2": 3, "m": 6, "2/m": 10, "222": 16, "mm2": 25, "mmm": 47,
    "4": 75, "-4": 81, "4/m": 83, "422": 89, "4mm": 99, "-42m": 111, "4/mmm": 123,
    "3": 143, "-3": 147, "32": 149, "3m": 156, "-3m": 162,
    "6": 168, "-6": 174, "6/m": 175, "622": 177, "6mm": 183, "-6m2": 187, "6/mmm": 191,
    "23": 195, "m-3": 200, "432": 207, "-43m": 215, "m-3m": 221,
}  # fmt: skip

# The same, with a space group and sites that make do with few atoms: most lie on axes, planes or centres.
_FEW_ATOMS: dict[str, tuple[int, list[tuple[float, float, float]]]] = {
    "1": (1, [(0, 0, 0), (0.62, 0.58, 0.31)]),
    "-1": (2, [(0, 0, 0), (0.5, 0.5, 0.5)]),
    "2": (3, [(0.5, 0.5, 0.5), (0.24, 0.24, 0)]),
    "m": (6, [(0, 0, 0), (0.5, 0.5, 0.29)]),
    "2/m": (10, [(0, 0, 0), (0.5, 0.5, 0.5)]),
    "222": (22, [(0, 0, 0), (0.25, 0.25, 0.25)]),
    "mm2": (25, [(0, 0, 0), (0.5, 0.5, 0.29)]),
    "mmm": (47, [(0, 0, 0), (0.5, 0.5, 0.5)]),
    "4": (75, [(0, 0, 0), (0.38, 0.17, 0.35)]),
    "-4": (81, [(0, 0, 0), (0.38, 0.17, 0.35)]),
    "4/m": (83, [(0, 0, 0.5), (0.38, 0.17, 0)]),
    "422": (92, [(0.12, 0.12, 0), (0.41, 0.41, 0)]),
    "4mm": (99, [(0, 0, 0), (0.5, 0.5, 0.29)]),
    "-42m": (119, [(0, 0, 0), (0, 0.5, 0.25)]),
    "4/mmm": (123, [(0, 0, 0), (0.5, 0.5, 0.5)]),
    "3": (143, [(0, 0, 0), (0.42, 0.15, 0.4)]),
    "-3": (147, [(0, 0, 0), (0.42, 0.15, 0.3)]),
    "32": (152, [(0.28, 0, 1 / 3), (0.45, 0, 5 / 6)]),
    "3m": (156, [(0, 0, 0), (1 / 3, 2 / 3, 0.31)]),
    "-3m": (164, [(0, 0, 0), (1 / 3, 2 / 3, 0.31)]),
    "6": (168, [(0, 0, 0), (0.42, 0.15, 0.3)]),
    "-6": (174, [(0, 0, 0.5), (0.42, 0.15, 0)]),
    "6/m": (175, [(0, 0, 0.5), (0.42, 0.15, 0)]),
    "622": (180, [(0, 0, 0), (0.5, 0, 0)]),
    "6mm": (183, [(0, 0, 0), (1 / 3, 2 / 3, 0.31)]),
    "-6m2": (187, [(0, 0, 0), (1 / 3, 2 / 3, 0.5)]),
    "6/mmm": (191, [(0, 0, 0), (1 / 3, 2 / 3, 0.5)]),
    "23": (198, [(0.14, 0.14, 0.14), (0.84, 0.84, 0.84)]),
    "m-3": (200, [(0, 0, 0), (0.31, 0, 0.5)]),
    "432": (212, [(0.125, 0.125, 0.125), (0.625, 0.625, 0.625)]),
    "-43m": (216, [(0, 0, 0), (0.25, 0.25, 0.25)]),
    "m-3m": (221, [(0, 0, 0), (0.5, 0.5, 0.5)]),
}

# First space group of each crystal system: lengths and angles (degrees) that keep its symmetry and no more.
_SHAPES = (
    (195, (1, 1, 1, 90, 90, 90)),
    (143, (1, 1, 1.27, 90, 90, 120)),
    (75, (1, 1, 1.27, 90, 90, 90)),
    (16, (1, 1.13, 1.27, 90, 90, 90)),
    (3, (1, 1.13, 1.27, 90, 103, 90)),
    (1, (1, 1.13, 1.27, 83, 97, 106)),
)
VOLUME_PER_ATOM, WIDE = 18.0, 27.0  # Å^3


@cache
def crystal_of_point_group(symbol: str) -> Structure:
    """Three elements, each at a general position, so that the point group is this one and no larger one."""
    sites = [(0.37, 0.24, 0.15), (0.19, 0.27, 0.07), (0.08, 0.3, 0.45)]
    return _crystal(POINT_GROUPS[symbol], sites, VOLUME_PER_ATOM)


@cache
def small_crystal_of_point_group(symbol: str) -> Structure:
    """Two elements, at most eight atoms with few neighbours, and still no larger point group than this one."""
    return _crystal(*_FEW_ATOMS[symbol], WIDE).get_primitive_structure(1e-3)


def _crystal(number: int, sites: list[tuple[float, float, float]], volume: float) -> Structure:
    lengths_angles = next(shape for start, shape in _SHAPES if number >= start)
    lattice = Lattice.from_parameters(*lengths_angles)
    unit = Structure.from_spacegroup(number, lattice, ["Mg", "Si", "O"][: len(sites)], sites, tol=1e-3)
    return unit.scale_lattice(volume * len(unit)) or unit


def fcc_primitive() -> Structure:
    """Copper, one atom in a rhombohedral cell of 60 degrees."""
    return Structure(Lattice([[0, 1.8, 1.8], [1.8, 0, 1.8], [1.8, 1.8, 0]]), ["Cu"], [[0, 0, 0]])


def bcc() -> Structure:
    """Iron, two atoms in the cubic cell."""
    return Structure(Lattice.cubic(2.87), ["Fe", "Fe"], [[0, 0, 0], [0.5, 0.5, 0.5]])


def hcp() -> Structure:
    """Magnesium."""
    return Structure(Lattice.hexagonal(3.21, 5.21), ["Mg", "Mg"], [[1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75]])


def rhombohedral() -> Structure:
    """Bismuth."""
    return Structure(Lattice.rhombohedral(4.75, 57.2), ["Bi", "Bi"], [[0.234] * 3, [0.766] * 3])


def triclinic() -> Structure:
    """Three atoms without symmetry."""
    return Structure(
        Lattice.from_parameters(4.1, 5.3, 6.2, 78, 95, 112),
        ["Na", "Al", "O"],
        [[0.1, 0.2, 0.3], [0.55, 0.6, 0.05], [0.8, 0.15, 0.7]],
    )


def wurtzite() -> Structure:
    """Zinc oxide: uniaxial, with a short bond."""
    return Structure.from_spacegroup(
        186, Lattice.hexagonal(3.25, 5.2), ["Zn", "O"], [[1 / 3, 2 / 3, 0], [1 / 3, 2 / 3, 0.382]]
    )


def diamond() -> Structure:
    """Silicon, eight atoms in the cubic cell."""
    return Structure.from_spacegroup(227, Lattice.cubic(5.43), ["Si"], [[0, 0, 0]])


def isolated_atom() -> Structure:
    """Argon, so thin that no neighbour is in reach."""
    return Structure(Lattice.cubic(50), ["Ar"], [[0.3, 0.4, 0.5]])


def in_other_cell(structure: Structure, basis: np.ndarray) -> Structure:
    """The same crystal in the cell basis @ cell, for an integer matrix of determinant 1 or -1."""
    lattice = Lattice(np.asarray(basis) @ structure.lattice.matrix)
    return Structure(lattice, structure.species, structure.cart_coords, coords_are_cartesian=True)


def skewed(structure: Structure, times: int) -> Structure:
    """The same crystal, its lattice vectors leaning `times` lattice vectors over."""
    return in_other_cell(structure, np.array([[1, times, 0], [0, 1, 0], [-times, 2, 1]]))


def outside(structure: Structure) -> Structure:
    """The same crystal, each atom given in another cell, some far away."""
    moves = np.random.default_rng(5).integers(-7, 8, (len(structure), 3))
    return Structure(structure.lattice, structure.species, structure.frac_coords + moves)
