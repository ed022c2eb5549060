"""Which modes of one crystal are the same in two accounts of it, and which longitudinal mode belongs to which.

Symmetry keeps representations apart, so of those that are alike the k-th softest is paired with the k-th softest.
The longitudinal frequencies along an axis lie between the transverse ones, each above its own.
"""

import math
from collections.abc import Sequence

import numpy as np

from engine.data.dft_modes import DftModes
from engine.vibrations.modes import Modes

Key = tuple[str, int]


def keys(modes: Modes) -> list[Key]:
    """Of each of `Modes.sets` its representation, and how many softer ones have the same."""
    return _numbered([modes.labels[one[0]] for one in modes.sets])


def places(modes: Modes, known: DftModes) -> list[int] | None:
    """Of each of `Modes.sets` its place among known modes; None where those have other representations."""
    own, other = keys(modes), _numbered(known.labels)
    return [other.index(key) for key in own] if sorted(own) == sorted(other) else None


def _numbered(labels: Sequence[str]) -> list[Key]:
    return [(label, list(labels[:place]).count(label)) for place, label in enumerate(labels)]


def strongest_axis(modes: Modes, multiplet: int) -> np.ndarray:
    """[3] unit vector along which one of `Modes.sets` adds most to the static tensor."""
    return np.linalg.eigh(modes.strengths[list(modes.sets[multiplet])].sum(0))[1][:, -1]


def longitudinal_partner(modes: Modes, multiplet: int) -> float:
    """cm^-1 of the longitudinal mode that belongs to one of `Modes.sets`, along `strongest_axis`.

    Nan where light does not see it. Raises EngineError where the electronic tensor was not asked for.
    """
    return modes.longitudinal_pairs(strongest_axis(modes, multiplet)).get(multiplet, math.nan)
