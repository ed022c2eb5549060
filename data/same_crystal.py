"""How one structure of a crystal lies beside another: what turns the first into the second.

Two calculations of a crystal may differ in cell, axes and hand, and a little in strain. Tensors follow the
crystal, so it takes the matrix that lays the one onto the other; each that does is as good, for the crystal's
point group does not change a tensor.
"""

import numpy as np
from pymatgen.core import Structure
from scipy.optimize import linear_sum_assignment

from engine.crystals.primitive import primitive

LONGER, WIDER = 0.05, 4.0  # relative lengths and degrees by which lattice vectors may differ
STRAIN = 0.04  # largest principal strain, the change of volume left out
APART = 0.08  # root mean square of displacements over the cube root of the volume of an atom
NEAR = 0.01  # of a cost: ways that fit that much worse than the best may be the right one too


def ways(source: Structure, target: Structure) -> list[np.ndarray]:
    """Orthogonal matrices [3, 3] that turn or mirror `source` into `target`, the best first.

    Those are left out that fit worse than the best by more than `NEAR` and by more than half. Empty where none
    fits.
    """
    one, other = primitive(source), primitive(target)
    if len(one) != len(other) or one.composition != other.composition:
        return []
    found = []
    for lattice, _, scale in other.lattice.find_all_mappings(one.lattice, ltol=LONGER, atol=WIDER):
        if abs(abs(np.linalg.det(scale)) - 1) > 1e-6:
            continue
        change = np.linalg.solve(one.lattice.matrix, lattice.matrix).T  # of a column vector
        left, stretches, right = np.linalg.svd(change)
        strain = float(np.abs(stretches / np.cbrt(stretches.prod()) - 1).max())
        if strain <= STRAIN:
            cost = strain + displacement(one, other, np.linalg.inv(lattice.matrix), lattice.matrix)
            found.append((cost, left @ right))
    found = sorted((one for one in found if one[0] <= APART), key=lambda one: one[0])
    best = found[0][0] if found else 0.0
    return [way for cost, way in found if cost <= max(best + NEAR, 1.5 * best)]


def displacement(one: Structure, other: Structure, inverse: np.ndarray, lattice: np.ndarray) -> float:
    """Root mean square of displacements over the cube root of an atom's volume, for the best common origin.

    Args:
        inverse, lattice: [3, 3], and what it inverts: the vectors of `other` that those of `one` become, Å.
    """
    there = other.cart_coords @ inverse
    numbers, others = np.array(one.atomic_numbers), np.array(other.atomic_numbers)
    kinds, counts = np.unique(numbers, return_counts=True)
    rare = kinds[counts.argmin()]
    first = one.frac_coords[numbers == rare][0]
    best = np.inf
    for place in there[others == rare]:
        moved, drift = one.frac_coords + place - first, []
        for kind in kinds:
            apart = there[others == kind][None] - moved[numbers == kind][:, None]
            apart = (apart - apart.round()) @ lattice  # [k, k, 3] Å
            rows, columns = linear_sum_assignment((apart**2).sum(axis=2))
            drift.append(apart[rows, columns])
        all_of_them = np.vstack(drift)
        about_mean = all_of_them - all_of_them.mean(axis=0)
        best = min(best, float((about_mean**2).sum(axis=1).mean()))
    return np.sqrt(best) / np.cbrt(other.volume / len(other))
