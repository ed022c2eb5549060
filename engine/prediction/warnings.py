"""Reasons to trust a prediction less, a sentence each."""

from collections.abc import Sequence

import numpy as np
import torch
from pymatgen.core import Element, Structure
from scipy.linalg.lapack import dsytrf

from engine.crystals.graph import CrystalGraph
from engine.crystals.room import USUAL, covalent_radii
from engine.crystals.vacuum import Kind
from engine.model.checkpoint import Checkpoint
from engine.model.metals import LIKELY
from engine.tensors import tensors
from engine.vibrations.ions import Ions

RARE = 5  # training crystals that an element should have
UNSTABLE = -0.1  # eV/Å^2; a force constant below this is no rounding
NEARLY_METALLIC = 20.0  # electronic means above this belong to nearly metallic crystals
NARROW_GAP = 0.5  # eV, where DFT's own tensors scatter most
WHERE_NARROW = "where even DFT's tensors depend much on its settings."
LEARNT = "is a formula of the training set: agreement with DFT proves little here."  # no reason to trust it less
BALANCED = 8.0  # an ionic part so many times the electronic one: LO three times as high as TO


def doubts(
    crystal: Structure,
    graph: CrystalGraph,
    checkpoint: Checkpoint,
    r_max: float,
    electronic: np.ndarray | None,
    ionic: np.ndarray | None,
    distance: float,
    held_out: bool,
    ions: Ions | None,
    metallic: float,
    gap_nearby: float,
) -> list[str]:
    """Why the prediction of `checkpoint` for one crystal may be worse than most; see `Prediction` for the others.

    Args:
        graph: what the networks saw of the crystal.
        ions: what vibrates, where the model has them.
        r_max: radius that its neighbours were searched in, Å.
    """
    found = [
        *_of_gap(metallic, gap_nearby),
        *_rare_elements(crystal, checkpoint.element_counts),
        *_of_distances(crystal, graph),
        *_of_graph(graph, r_max),
    ]
    near = checkpoint.neighbourhood
    if near and distance > near.far:
        found.append(
            f"The crystal is {distance:.1f} times as far from all training crystals as one of them usually "
            "is from the others: a guess."
        )
    if electronic is not None and tensors.mean(electronic) > NEARLY_METALLIC:
        found.append("The electronic mean is above 20: a nearly metallic crystal, where errors are large.")
    found += _unstable(ions) or _balanced(electronic, ionic)
    if not held_out:
        found.append(f"{crystal.composition.reduced_formula} {LEARNT}")
    return found


def in_a_box(kind: Kind, vacuum: float) -> str:
    """What the tensors of a sheet, chain or molecule are, and what they are not; `vacuum` in Å."""
    known = " It tends to come out too large: networks learnt from crystals alone." if kind == "molecule" else ""
    return (
        f"This is a {kind} in a box with {vacuum:.1f} Å of vacuum: the tensor is that of the box and changes with "
        f"the vacuum; what belongs to the {kind} is its polarisability.{known}"
    )


def _of_gap(metallic: float, gap_nearby: float) -> list[str]:
    if metallic > LIKELY:
        return [
            f"Likely metallic ({100 * metallic:.0f} %): a metal has no static dielectric tensor, and any numbers "
            "here would hold only if the crystal had a gap."
        ]
    if gap_nearby < NARROW_GAP:
        return [f"Crystals like this have narrow gaps ({gap_nearby:.1f} eV by PBE in the mean), {WHERE_NARROW}"]
    return []


def of_known_gap(gap: float | None, said: Sequence[str]) -> list[str]:
    """What is to be said of a DFT gap in eV, unless what is said already tells of a narrow one."""
    if gap is None or gap >= NARROW_GAP or any(WHERE_NARROW in one for one in said):
        return []
    return [f"The gap is narrow ({gap:.1f} eV by PBE), {WHERE_NARROW}"]


def _rare_elements(crystal: Structure, counts: dict[str, int]) -> list[str]:
    found = []
    for element in sorted(crystal.composition.elements):
        name = f"{element.long_name} ({element.symbol})"
        count = counts.get(element.symbol, 0)
        if count == 0:
            found.append(f"{name} is in no training crystal with a tensor: a guess.")
        elif count < RARE:
            found.append(f"{name} is in only {count} training crystal(s) with a tensor.")
    return found


def _unstable(ions: Ions | None) -> list[str]:
    """Of the vibrations; masses do not change how many of them are unstable (Sylvester's law of inertia)."""
    count = 0 if ions is None else _eigenvalues_below(UNSTABLE, ions.force_constants)
    if not count:
        return []
    return [
        f"{count} of the vibrations at the zone centre {'are' if count > 1 else 'is'} unstable: the crystal would "
        "rather have another structure, and its ionic part is a guess."
    ]


def _eigenvalues_below(limit: float, matrix: np.ndarray) -> int:
    """How many a symmetric matrix has: as many as negative pivots, a tenth of the work of finding them.

    Pivots of two rows, marked by negative numbers, have one eigenvalue of each sign.
    Source: Bunch and Kaufman, Math. Comput. 31, 163 (1977), doi:10.2307/2005787.
    """
    shifted = matrix - limit * np.eye(len(matrix))
    factors, pivots, _ = dsytrf(shifted, lower=1, lwork=64 * len(matrix), overwrite_a=1)
    single = pivots > 0
    return int((factors.diagonal()[single] < 0).sum() + (~single).sum() // 2)


def _balanced(electronic: np.ndarray | None, ionic: np.ndarray | None) -> list[str]:
    """Where a transverse frequency is left over from forces that nearly cancel, as near ferroelectricity.

    By Lyddane, Sachs and Teller a mode that alone adds S to a permittivity of E has (LO / TO)^2 = 1 + S / E, and
    LO^2 - TO^2 is what the field of the dipoles takes away.
    """
    if electronic is None or ionic is None:
        return []
    root = np.linalg.inv(np.linalg.cholesky(electronic))
    if np.linalg.eigvalsh(root @ ionic @ root.T)[-1] < BALANCED:
        return []
    return [
        "The ionic part is many times the electronic one: in the softest polar mode, short-range forces and those "
        "of the dipoles nearly cancel, so its frequency and the ionic part are uncertain."
    ]


def _of_distances(crystal: Structure, graph: CrystalGraph) -> list[str]:
    """Whether the nearest atoms are as far apart as they are in crystals; noble gases keep their own distance."""
    if graph.edge_index.shape[1] == 0 or all(element.is_noble_gas for element in crystal.composition.elements):
        return []
    symbols = [Element.from_Z(int(z)).symbol for z in graph.atomic_numbers]
    radii = torch.as_tensor(covalent_radii(symbols)).to(graph.edge_vec)
    sender, receiver = graph.edge_index
    nearest = float((graph.edge_vec.norm(dim=1) / (radii[sender] + radii[receiver])).min())
    if USUAL[0] < nearest < USUAL[1]:
        return []
    return [
        f"The nearest two atoms are at {nearest:.2f} times the sum of their covalent radii, in calculated "
        "crystals at 0.68 to 1.35: check the lengths of the cell."
    ]


def _of_graph(graph: CrystalGraph, r_max: float) -> list[str]:
    found = []
    alone = graph.num_nodes - len(graph.edge_index[0].unique())
    if alone:
        found.append(
            f"{alone} of {graph.num_nodes} atoms in the primitive cell have no neighbour within "
            f"{r_max:g} Å: no training crystal is like that."
        )
    if "has_springs" in graph and not graph.has_springs:
        found.append(
            f"The primitive cell holds {graph.num_nodes} atoms and little symmetry, too much for force constants "
            "of the potential: the ionic part does without them."
        )
    if "pbesol" in graph:
        found.append("These are tensors as PBEsol gives them; their intervals were calibrated on PBE's.")
    return found
