"""Documents of Materials Project put together: a structure, and tensors in that structure's own axes.

The dielectric document holds tensors in IEEE axes and no structure; the structure that is served for the same
material sits in axes of its own. Two routes lead to one frame. The task document of the calculation has the
structure and the raw tensors together. Where it is missing, the IEEE tensor is turned back by the rotation that
the convention gives for the served structure, T = R^T T_IEEE R, and is kept only if it obeys the point group
there, and if a slightly strained crystal would have had the same axes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pymatgen.core import Element, Lattice, Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from engine.crystals.material import Fetched, Material
from engine.data.data_check import MAX_RESIDUAL, flags_of
from engine.errors import EngineError, check
from engine.materials_project.documents import Dielectric, Summary, Task
from engine.tensors.axes import (
    SYMPREC,
    axes_doubt,
    from_ieee,
    point_group_rotations,
    residual_under,
    symmetry_average,
)
from engine.tensors.tensors import symmetrise

SOURCE = "materials-project"
SAME = 0.02  # principal values of one calculation in two documents differ by less, relative to the largest
SERVED_SYMPREC = 0.1  # Å, within which Materials Project symmetrises a tensor
BLIND = ("triclinic", "orthorhombic")  # crystal systems whose point group does not tell the axes apart
UNDEFINED = "electronic axes are not defined for this cell"
MISFIT = "electronic or total breaks the point group in the structure's axes"
DOUBTFUL = "electronic axes hang on lattice vectors of almost equal length"


@dataclass(frozen=True, kw_only=True, eq=False)
class Framed:
    """Tensors in the axes of their structure; None, with `flags` saying why, where they could not be had.

    Attributes:
        tensors: [2, 3, 3] electronic and total, or None.
    """

    structure: Structure
    tensors: np.ndarray | None
    route: str
    task_id: str | None = None
    residual: float | None = None
    flags: tuple[str, ...] = ()
    verifiable: bool = True


def reconcile(
    material_id: str,
    summary: Summary,
    dielectric: Dielectric | None,
    task: Task | None,
    db_version: str,
    date: str,
) -> Material:
    """The material of these documents, its tensors in the axes of its structure.

    Args:
        dielectric: None for a material without tensors.
        task: of the calculation that the tensors come from, None where it is not known.

    Raises:
        EngineError: a document lacks what it must have.
    """
    framed = _frame(summary, dielectric, task)
    electronic, total = (None, None) if framed.tensors is None else symmetrise(framed.tensors)
    number, symbol = _space_group(summary, framed.structure)
    return Material(
        material_id=material_id,
        cell=framed.structure.lattice.matrix,
        atomic_numbers=np.array(framed.structure.atomic_numbers),
        frac_coords=framed.structure.frac_coords,
        electronic=electronic,
        ionic=None if total is None else total - electronic,
        n=None if dielectric is None else _index(dielectric),
        band_gap=_number(summary, "band_gap"),
        space_group_number=number,
        space_group_symbol=symbol,
        source=SOURCE,
        flags=framed.flags,
        fetched=Fetched(
            route=framed.route,
            task_id=framed.task_id,
            residual=framed.residual,
            rejected="; ".join(framed.flags),
            verifiable=framed.verifiable,
            energy_above_hull=_number(summary, "energy_above_hull"),
            theoretical=summary.get("theoretical"),
            db_version=db_version,
            date=date,
        ),
    )


def _frame(summary: Summary, dielectric: Dielectric | None, task: Task | None) -> Framed:
    if dielectric is None:
        return Framed(structure=read_structure(summary.get("structure")), tensors=None, route="")
    ieee = np.stack([_tensor(dielectric, "electronic"), _tensor(dielectric, "total")])
    return _by_task(task, ieee) or _by_ieee(read_structure(summary.get("structure")), ieee)


def _by_task(task: Task | None, ieee: np.ndarray) -> Framed | None:
    """The calculation's own structure and tensors; None where the task lacks them or is not the tensors' own."""
    if task is None:
        return None
    try:
        structure = read_structure(task["input"]["structure"])
        electronic, ionic = (_tensor(task["output"], name) for name in ("epsilon_static", "epsilon_ionic"))
    except (EngineError, KeyError, TypeError):
        return None
    tensors = np.stack([electronic, electronic + ionic])
    rotations = point_group_rotations(structure)
    if not _same(tensors, ieee, point_group_rotations(structure, SERVED_SYMPREC)):
        return None
    return Framed(
        structure=structure,
        tensors=tensors,
        route="task",
        task_id=str(task["task_id"]),
        residual=max(residual_under(rotations, symmetrise(tensor)) for tensor in tensors),
        flags=flags_of(tensors[0], tensors[1], structure),
    )


def _same(tensors: np.ndarray, ieee: np.ndarray, rotations: np.ndarray) -> bool:
    """Whether a calculation's tensors [2, 3, 3], once symmetrised, have the principal values of those served."""
    for one, other in zip(tensors, ieee, strict=True):
        values = [np.linalg.eigvalsh(symmetrise(t)) for t in (symmetry_average(one, rotations), other)]
        if np.abs(values[0] - values[1]).max() > SAME * np.abs(values[1]).max():
            return False
    return True


def _by_ieee(structure: Structure, ieee: np.ndarray) -> Framed:
    """The tensors turned back from IEEE axes, or none and the reason."""
    try:
        tensors, doubt = from_ieee(ieee, structure), axes_doubt(ieee, structure)
    except EngineError:
        return Framed(structure=structure, tensors=None, route="ieee", flags=(UNDEFINED,))
    rotations = point_group_rotations(structure)
    residual = max(residual_under(rotations, symmetrise(tensor)) for tensor in tensors)
    wrong = MISFIT if residual > MAX_RESIDUAL else DOUBTFUL if doubt > MAX_RESIDUAL else ""
    system = SpacegroupAnalyzer(structure, symprec=SYMPREC).get_crystal_system()
    return Framed(
        structure=structure,
        tensors=None if wrong else tensors,
        route="ieee",
        residual=residual,
        flags=(wrong,) if wrong else flags_of(tensors[0], tensors[1], structure),
        verifiable=system not in BLIND,
    )


def read_structure(document: Any) -> Structure:
    """The ordered crystal of a structure document: its lattice, elements and coordinates, and nothing else of it.

    Raises:
        EngineError: it is not an ordered crystal.
    """
    try:
        cell = np.array(document["lattice"]["matrix"], dtype=float).reshape(3, 3)
        elements = [Element(kind["element"]) for site in document["sites"] for kind in site["species"]]
        frac = np.array([site["abc"] for site in document["sites"]], dtype=float).reshape(-1, 3)
        occupied = [float(kind.get("occu", 1)) for site in document["sites"] for kind in site["species"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise EngineError("Materials Project sent a structure that cannot be read") from error
    check(len(elements) == len(frac) > 0 and min(occupied) > 0.999, "the structure is disordered or empty")
    check(bool(np.isfinite(cell).all() and np.isfinite(frac).all()), "the structure holds what is no number")
    return Structure(Lattice(cell), elements, frac)


def _tensor(document: Mapping[str, Any], name: str) -> np.ndarray:
    try:
        tensor = np.array(document[name], dtype=float).reshape(3, 3)
    except (KeyError, TypeError, ValueError) as error:
        raise EngineError(f"Materials Project sent no {name} tensor that can be read") from error
    check(bool(np.isfinite(tensor).all()), f"the {name} tensor of Materials Project holds what is no number")
    return tensor


def _space_group(summary: Summary, structure: Structure) -> tuple[int, str]:
    symmetry = summary.get("symmetry") or {}
    if symmetry.get("number") and symmetry.get("symbol"):
        return int(symmetry["number"]), str(symmetry["symbol"])
    found = SpacegroupAnalyzer(structure, symprec=SYMPREC)
    return found.get_space_group_number(), found.get_space_group_symbol()


def _number(document: Mapping[str, Any], name: str) -> float | None:
    value = document.get(name)
    return float(value) if isinstance(value, int | float) else None


def _index(dielectric: Dielectric) -> float | None:
    """sqrt(mean of the electronic diagonal), the same in all axes."""
    mean = np.trace(_tensor(dielectric, "electronic")) / 3
    return float(np.sqrt(mean)) if mean > 0 else None
