"""Whether two structures are one phase of a crystal, relaxed a little differently."""

import math
from collections.abc import Sequence

from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

SYMMETRIC = 0.01  # Å


def nearest_of_phase(structure: Structure, others: Sequence[Structure]) -> int | None:
    """Index of the structure of the same phase whose volume per atom is nearest; None where there is none.

    Of the same phase are structures that can be laid onto one another, mirrored or not, with the same number of
    operations in their point groups: what differs by a small distortion that lowers the symmetry is another one.
    """
    volume = structure.volume / len(structure)
    fitting = [index for index, other in enumerate(others) if _same_phase(structure, other)]
    return min(fitting, key=lambda i: abs(math.log(others[i].volume / len(others[i]) / volume)), default=None)


def _same_phase(one: Structure, other: Structure) -> bool:
    return (
        one.composition.reduced_formula == other.composition.reduced_formula
        and StructureMatcher().fit(one, other)
        and _order(one) == _order(other)
    )


def _order(structure: Structure) -> int:
    """Operations of the point group."""
    return len(SpacegroupAnalyzer(structure, symprec=SYMMETRIC).get_point_group_operations())
