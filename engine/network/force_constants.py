"""Force constants of a crystal at the zone centre, from the forces of the pretrained potential.

    Phi[i, a; j, b] = - d F[i, a] / d u[j, b],    every image of atom j displaced alike,

by central differences. phonopy displaces only what symmetry does not give, and fills in the rest.

The potential knows no inversion: its forces have an even part, which counts, and an odd one, whose sign turns in
the inverted image of a crystal. Of two opposite displacements +h and -h one image each is enough,

    [F(+h) + odd(+h) - F(-h) + odd(-h)] / 2 h = dF/du + odd(0) / h + O(h),

and the forces on each image at rest are taken off: the odd ones, and those of a crystal that is not quite as
symmetric as phonopy takes it, which a small step would make large.
Sources: Togo et al., J. Phys. Condens. Matter 35, 353001 (2023), doi:10.1088/1361-648X/acd831.
"""

from collections import defaultdict
from collections.abc import Callable

import numpy as np
import torch
from phonopy import Phonopy
from phonopy.structure.atoms import PhonopyAtoms
from pymatgen.core import Lattice, Structure

from engine.crystals.graph import CrystalGraph, collate, crystal_graphs
from engine.crystals.material import Material
from engine.errors import required
from engine.network.constants import SYMMETRY_TOLERANCE
from engine.network.potential import GRAPH, pretrained_features

DISPLACEMENT = 0.0002  # Å; so small a step keeps the result independent of its direction, and needs float64
ATOMS_AT_ONCE = 150
STILL = -1  # number of the displacement that is none


def force_constants(
    crystal: Structure | Material,
    device: torch.device,
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """Phi, [3 N, 3 N] eV/Å^2, symmetric, rows that sum to zero over the atoms.

    Args:
        progress: called with (done, total) displaced crystals.

    Raises:
        EngineError: the potential does not know one of the elements.
    """
    phonons = _displaced(crystal)
    natoms = len(phonons.unitcell)
    steps = [(int(atom), np.array(shift)) for atom, *shift in phonons.displacements]
    at_rest = _graph(phonons.unitcell, device)
    asked = _asked(steps)
    answers = []
    size = max(1, ATOMS_AT_ONCE // natoms)
    for start in range(0, len(asked), size):
        some = asked[start : start + size]
        graph = collate([at_rest if number == STILL else _moved(at_rest, *steps[number]) for number, _ in some])
        images = torch.tensor([image for _, image in some], device=device)
        forces = pretrained_features(device, torch.float64).forces(graph, images)
        answers += list(forces.cpu().numpy().reshape(-1, natoms, 3))
        if progress:
            progress(min(start + size, len(asked)), len(asked))
    phonons.forces = _even(asked, answers)
    phonons.produce_force_constants(show_drift=False)
    phonons.symmetrize_force_constants(show_drift=False)
    constants = required(phonons.force_constants, "phonopy made no force constants of the forces")
    matrix = constants.transpose(0, 2, 1, 3).reshape(3 * natoms, -1)
    return (matrix + matrix.T) / 2


def effort(crystal: Structure | Material) -> int:
    """Atoms whose forces `force_constants` has to find, over all displaced crystals."""
    phonons = _displaced(crystal)
    return len(phonons.displacements) * len(phonons.unitcell)


def _displaced(crystal: Structure | Material) -> Phonopy:
    if isinstance(crystal, Material):
        crystal = crystal.structure
    cell = PhonopyAtoms(
        numbers=crystal.atomic_numbers,
        cell=crystal.lattice.matrix,
        scaled_positions=crystal.frac_coords,
        masses=np.ones(len(crystal)),  # no part of it, and phonopy does not know all
    )
    phonons = Phonopy(
        cell, np.eye(3, dtype=int), primitive_matrix=np.eye(3), symprec=SYMMETRY_TOLERANCE, log_level=0
    )
    phonons.generate_displacements(distance=DISPLACEMENT)
    return phonons


def _graph(cell: PhonopyAtoms, device: torch.device) -> CrystalGraph:
    crystal = Structure(Lattice(cell.cell), cell.numbers.tolist(), cell.scaled_positions)
    return crystal_graphs([crystal], GRAPH, torch.float64, device)[0]


def _moved(graph: CrystalGraph, atom: int, shift: np.ndarray) -> CrystalGraph:
    """The crystal with one atom elsewhere; what crosses the radius of the edges has no weight there."""
    moved, step = graph.clone(), torch.as_tensor(shift).to(graph.pos)
    start, end = graph.edge_index
    moved.pos[atom] += step
    moved.edge_vec += ((end == atom).to(step) - (start == atom).to(step))[:, None] * step
    return moved


def _asked(steps: list[tuple[int, np.ndarray]]) -> list[tuple[int, int]]:
    """Number of a displacement and image, 1 or -1, for every question to the potential."""
    numbers = {(atom, *np.round(shift / DISPLACEMENT, 6)): number for number, (atom, shift) in enumerate(steps)}
    asked = [(STILL, 1), (STILL, -1)]
    for number, (atom, shift) in enumerate(steps):
        opposite = numbers.get((atom, *np.round(-shift / DISPLACEMENT, 6)))
        if opposite is None:
            asked += [(number, 1), (number, -1)]
        else:
            asked.append((number, 1 if number < opposite else -1))
    return asked


def _even(asked: list[tuple[int, int]], answers: list[np.ndarray]) -> np.ndarray:
    """[displacements, N, 3] forces less those at rest."""
    at_rest = dict(zip(asked[:2], answers, strict=False))
    found: dict[int, list[np.ndarray]] = defaultdict(list)
    for (number, image), forces in zip(asked[2:], answers[2:], strict=True):
        found[number].append(forces - at_rest[STILL, image])
    return np.stack([np.mean(found[number], axis=0) for number in sorted(found)])
