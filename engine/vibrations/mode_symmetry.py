"""Vibrations at the zone centre by their symmetry: which are degenerate, what they are called, what light sees.

A vibration takes up or scatters light to first order only if its irreducible representation is among those of a
vector (infrared) or of a symmetric tensor (Raman), that is if

    1/h sum over operations g of  chi(g)* tr R,    or    chi(g)* ((tr R)^2 + tr R^2) / 2,

is not zero, with chi its characters and R the rotation of g. phonopy finds the characters and names.
Source: Dresselhaus, Dresselhaus and Jorio, Group Theory (Springer, 2008), chapters 8 and 10.
"""

from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from phonopy.phonon.irreps import IrRepLabels
from phonopy.phonon.symmetry_adapted_modes import SymmetryAdaptedModes
from phonopy.utils import similarity_transformation

from engine.errors import required
from engine.vibrations.ions import GAMMA, Ions

UNNAMED = "?"  # a representation that phonopy's tables lack


@dataclass(frozen=True, kw_only=True, eq=False)
class Multiplet:
    """Modes of one frequency that symmetry does not tell apart.

    Attributes:
        curvature: eV/Å^2/u, the square of the frequency; below zero for an unstable one.
        vectors: [d, n, 3] orthonormal in mass-weighted coordinates.
        label: Mulliken symbol of its irreducible representation, or `UNNAMED`.
        infrared, raman: whether symmetry lets it absorb, or scatter.
    """

    curvature: float
    vectors: np.ndarray
    label: str
    infrared: bool
    raman: bool


def multiplets(ions: Ions) -> list[Multiplet]:
    """Optical vibrations of `Ions.symmetric`, the softest first; the crystal's motion as a whole is left out."""
    phonons = ions.phonopy()
    natoms, mass = len(ions.masses), ions.masses
    rigid = 2 * np.abs(ions.force_constants / np.sqrt(np.outer(np.repeat(mass, 3), np.repeat(mass, 3)))).sum()
    held = max(rigid, 1.0) / mass.sum() * np.kron(np.outer(mass, mass), np.eye(3))  # puts them above all others
    constants = ions.force_constants + held
    phonons.force_constants = constants.reshape(natoms, 3, natoms, 3).transpose(0, 2, 1, 3)
    modes = SymmetryAdaptedModes(
        required(phonons.dynamical_matrix, "phonopy made no dynamical matrix"),
        GAMMA,
        phonons.primitive_symmetry,
        factor=1.0,
    )
    labels = _labels(modes.characters, phonons.primitive_symmetry.dataset)
    turns = np.array([op.rotation_cartesian for op in modes.operations if not op.is_antiunitary])
    vector = np.trace(turns, axis1=1, axis2=2)
    tensor = (vector**2 + np.trace(turns @ turns, axis1=1, axis2=2)) / 2
    found, left = [], 3 * natoms - 3
    for columns, character, label in zip(modes.degenerate_sets, modes.characters, labels, strict=True):
        if columns[0] >= left:
            break
        frequency = modes.frequencies[columns[0]]
        found.append(
            Multiplet(
                curvature=float(np.sign(frequency) * frequency**2),
                vectors=_real(modes.eigenvectors[:, columns]).reshape(-1, natoms, 3),
                label=label,
                infrared=_holds(character, vector),
                raman=_holds(character, tensor),
            )
        )
    return found


def _holds(character: np.ndarray, other: np.ndarray) -> bool:
    """Whether a representation of these characters has a part in common with another."""
    return bool(abs((character.conj() * other).mean()) > 0.5)


def _real(columns: np.ndarray) -> np.ndarray:
    """[d, 3 n] real orthonormal vectors that span the same as complex columns [3 n, d]."""
    both = np.concatenate([columns.real, columns.imag], 1)
    return np.linalg.svd(both, full_matrices=False)[0][:, : columns.shape[1]].T


def _labels(characters: np.ndarray, dataset: object) -> list[str]:
    """Name of each set of characters."""
    rotations = [
        np.rint(similarity_transformation(dataset.transformation_matrix, one)).astype(int)  # type: ignore[attr-defined]
        for one in dataset.rotations  # type: ignore[attr-defined]
    ]
    with suppress(RuntimeError):  # phonopy has no table in this setting of the point group
        names = IrRepLabels(characters, np.array(rotations), dataset.pointgroup, False).irrep_labels  # type: ignore[attr-defined]
        if names is not None:
            return [name or UNNAMED for name in names]
    return [UNNAMED] * len(characters)
