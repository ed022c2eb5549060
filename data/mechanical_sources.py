"""Elastic and piezoelectric tensors of the catalogue, in the axes of the crystal that is shown for an ID.

`build.py` writes them. Elastic tensors come in the axes of their structure. Piezoelectric ones come in IEEE axes,
and which of several equivalent ways these lie in the crystal the source leaves open: every way that the axes can
lie is tried, those that break the point group fall out, and what the rest agree on is kept.
"""

import ast
import itertools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from pymatgen.core import Structure

from data.same_crystal import ways
from engine.crystals.material import Material
from engine.errors import EngineError
from engine.tensors.axes import ieee_rotation, point_group_rotations, residual_under, symmetry_dataset, turned
from engine.tensors.voigt import piezoelectric_matrix, piezoelectric_tensor, stiffness_matrix, stiffness_tensor

ELASTIC, PIEZOELECTRIC = "elastic-2015", "piezoelectric-2015"
ALLOWED = 0.05  # Neumann residual; more is left out
SAME = 0.05  # of the norm, by which two ways to turn a tensor may differ
SMALLEST = 1e-3  # C/m^2, norm below which a piezoelectric tensor is noise
WHOLE, LENGTHWISE, NONE = "whole", "longitudinal", "none"  # what of a piezoelectric tensor's orientation is known


def shown_crystals(
    tensors: Sequence[Material], unnamed: Sequence[Material], catalogue: Sequence[Material], known: pd.DataFrame
) -> dict[str, Material]:
    """ID -> the crystal that an ID opens: the rule of `engine.data.catalogue`, before its files are written."""
    shown = {str(one.material_id): one for one in catalogue}
    rows = known.dropna(subset="row").drop_duplicates("row")
    shown |= {one: unnamed[row] for one, row in zip(rows.material_id, rows.row, strict=True)}
    return shown | {str(one.material_id): one for one in tensors}


def mechanical(
    tables: Mapping[str, pd.DataFrame], shown: Mapping[str, Material]
) -> tuple[pd.DataFrame, Counter[str]]:
    """A row an ID with a tensor that was kept, in the order of IDs, and how many were left out for which reason.

    Columns: see data/README.md.
    """
    elastic, piezoelectric = tables[ELASTIC], tables[PIEZOELECTRIC]
    counts: Counter[str] = Counter()
    rows: dict[str, dict[str, object]] = {}
    for one in elastic.itertuples():
        voigt, crystal = np.array(ast.literal_eval(one.elastic_tensor_original)), shown[one.material_id]
        rows[one.material_id] = {"shown": crystal.source} | _elastic(voigt, one.structure, crystal, counts)
    for one in piezoelectric.itertuples():
        voigt, crystal = np.array(ast.literal_eval(one.piezoelectric_tensor)), shown[one.material_id]
        row = rows.setdefault(one.material_id, {"shown": crystal.source})
        row |= _piezoelectric(voigt, one.structure, crystal, counts)
    columns = ["material_id", "shown", "elastic", "piezoelectric", "piezoelectric_ieee", "orientation"]
    kept = [{"material_id": one, **row} for one, row in rows.items() if len(row) > 1]
    kept.sort(key=lambda row: int(str(row["material_id"]).split("-")[1]))
    return pd.DataFrame(kept, columns=columns), counts


def _elastic(voigt: np.ndarray, structure: Structure, shown: Material, counts: Counter[str]) -> dict[str, object]:
    there = [turned(stiffness_tensor((voigt + voigt.T) / 2), way) for way in _ways(structure, shown)]
    reason = _doubt(there, shown)
    counts[f"elastic: {reason or 'kept'}"] += 1
    return {} if reason else {"elastic": stiffness_matrix(there[0]).round(3).ravel().tolist()}


def _piezoelectric(
    voigt: np.ndarray, structure: Structure, shown: Material, counts: Counter[str]
) -> dict[str, object]:
    """As published, and turned where enough of the orientation is known."""
    tensor = piezoelectric_tensor(voigt)
    row: dict[str, object] = {"piezoelectric_ieee": voigt.round(5).ravel().tolist(), "orientation": NONE}
    here = in_structure(tensor, structure)
    there = [turned(one, way) for way in _ways(structure, shown) for one in here]
    reason = "breaks the point group" if not here else _doubt(there[:1], shown)
    if np.linalg.norm(tensor) < SMALLEST:
        reason = "all but zero"
    elif not _frames(structure):
        reason = "the axes depend on a choice of cell"
    if not reason:
        row["orientation"] = agreed(there)
    if row["orientation"] != NONE:
        row["piezoelectric"] = piezoelectric_matrix(there[0]).round(5).ravel().tolist()
    counts[f"piezoelectric: orientation {row['orientation']}{reason and f', {reason}'}"] += 1
    return row


def _ways(structure: Structure, shown: Material) -> list[np.ndarray]:
    same = structure.lattice == shown.structure.lattice and structure.species == shown.structure.species
    if same and np.allclose(structure.frac_coords, shown.structure.frac_coords, atol=1e-6):
        return [np.eye(3)]
    return ways(structure, shown.structure)


def _doubt(tensors: Sequence[np.ndarray], shown: Material) -> str:
    """Why a tensor's orientation in the crystal shown is not known; empty where it is."""
    if not tensors:
        return "the crystal shown is another"
    if residual_under(point_group_rotations(shown.structure), tensors[0]) > ALLOWED:
        return "breaks the point group"
    norm = np.linalg.norm(tensors[0])
    if any(np.linalg.norm(one - tensors[0]) > SAME * norm for one in tensors):
        return "more than one way to lie in the crystal shown"
    return ""


def in_structure(tensor: np.ndarray, structure: Structure) -> list[np.ndarray]:
    """The tensor in the structure's axes, for each way in which its IEEE axes can lie there."""
    rotations = point_group_rotations(structure)
    for frames in _frames(structure):
        here = [turned(tensor, frame.T) for frame in frames]
        fitting = [one for one in here if residual_under(rotations, one) <= ALLOWED]
        if fitting:
            return fitting
    return []


def _frames(structure: Structure) -> list[list[np.ndarray]]:
    """Ways from the structure's axes to IEEE ones, [3, 3] each: the standard's, then others along symmetry axes.

    The standard's: pymatgen's, turned by each rotation of the lattice, for a lattice does not tell which of its
    equivalent vectors are meant; orthorhombic ones by exchanging axes too, because the source has the polar axis
    as the third whatever its length. None for triclinic and monoclinic crystals, where the cell is a choice.
    """
    found = symmetry_dataset(structure)
    if found is None or found.number < 16:  # no symmetry axes to lie along
        return []
    try:
        standard = ieee_rotation(structure)
    except EngineError:
        return []
    if 143 <= found.number < 195:
        steps = range(0, 360, 120 if found.international.startswith("R") else 60)
        flips = (np.eye(3), np.diag([1.0, -1, -1]))
        lattice = [_about_z(step) @ flip for flip in flips for step in steps]
        others = [_about_z(30 + step) @ flip for flip in flips for step in range(0, 360, 60)]
        return [[one @ standard for one in lattice], [one @ standard for one in others]]
    signed = _signed_permutations()
    if found.number < 75 or found.number >= 195:
        return [[one @ standard for one in signed]]
    upright = [one for one in signed if abs(one[2, 2]) == 1]
    return [[one @ standard for one in upright], [one @ standard for one in signed]]


def _about_z(degrees: float) -> np.ndarray:
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]])


def _signed_permutations() -> list[np.ndarray]:
    """The 24 rotations of a cube, the identity first."""
    found = [
        np.diag(signs) @ np.eye(3)[list(order)]
        for order in itertools.permutations(range(3))
        for signs in itertools.product((1.0, -1.0), repeat=3)
    ]
    return [one for one in found if np.linalg.det(one) > 0]


def agreed(tensors: Sequence[np.ndarray]) -> str:
    """What all agree on, but for the sign."""
    if _alike(tensors, np.asarray):
        return WHOLE
    return LENGTHWISE if _alike(tensors, lengthwise) else NONE


def _alike(tensors: Sequence[np.ndarray], part: Callable[[np.ndarray], np.ndarray]) -> bool:
    """Whether all are the first one but for the sign."""
    first = part(tensors[0])
    norm = max(float(np.linalg.norm(first)), SMALLEST)
    return all(
        min(np.linalg.norm(part(one) - first), np.linalg.norm(part(one) + first)) <= SAME * norm for one in tensors
    )


def lengthwise(tensor: np.ndarray) -> np.ndarray:
    """[3, 3, 3] the fully symmetric part of e_ijk, which is all that e_ijk n_i n_j n_k sees."""
    return np.mean([np.transpose(tensor, order) for order in itertools.permutations(range(3))], axis=0)
