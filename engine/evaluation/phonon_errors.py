"""How far predictions are from phonon data, on crystals whose formula their networks never saw."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from phonopy.physical_units import get_physical_units
from pymatgen.core import Element

from engine.config import TrainConfig
from engine.crystals.graph import CrystalGraph, collate
from engine.crystals.material import Material
from engine.data.phonons import Phonons, read_phonons
from engine.errors import required
from engine.model.checkpoint import Checkpoint
from engine.model.inference import predict_latent
from engine.network.device import resolve_device
from engine.network.network import DielectricNetwork, physical
from engine.network.padding import to_matrix
from engine.tensors.metrics import LARGEST_ENTRY, TargetMetrics, target_metrics
from engine.training.labelled_graphs import phonon_graphs


@dataclass(frozen=True, kw_only=True)
class ChargeErrors:
    """Mean errors of Born charges over all atoms, in e.

    Attributes:
        trace: mean absolute error of a third of the trace, the isotropic charge.
        component: of the nine components.
        antisymmetric: of the antisymmetric part's three.
        spread: standard deviation of DFT's isotropic charge, to read `trace` against.
    """

    trace: float
    component: float
    antisymmetric: float
    spread: float


@dataclass(frozen=True, kw_only=True)
class PhononErrors:
    """Errors against phonon data, of the mean of each fold's networks on the crystals that it left out.

    Attributes:
        crystals: how many were judged, and `atoms` of theirs.
        frequency: cm^-1, median error of the transverse frequencies at the zone centre that the network's own
            force constants give.
        electronic: errors of tensors by PBEsol with every entry below 100; None without such a target.
    """

    crystals: int
    atoms: int
    charges: ChargeErrors
    frequency: float
    electronic: TargetMetrics | None


def phonon_errors(
    members: Sequence[Checkpoint], formulas: Sequence[frozenset[str]], config: TrainConfig
) -> PhononErrors | None:
    """The errors of a model with force constants of its own; None if no fold left out such a crystal.

    Args:
        members: of all folds, those of one fold together.
        formulas: that each fold left out.
        config: its `phonon_data` are judged.
    """
    known = read_phonons(config.phonon_data)
    config = replace(config, model=members[0].networks[0].model_config)
    seeds = len(members) // len(formulas)
    judged: list[Phonons] = []
    charges, frequencies, electronic = [], [], []
    for fold, held_out in enumerate(formulas):
        chosen = [one for one in known if one.material.formula in held_out]
        if not chosen:
            continue
        judged += chosen
        graphs = phonon_graphs(chosen, config, resolve_device(config.device))
        networks = [member.networks[0] for member in members[fold * seeds : (fold + 1) * seeds]]
        if "electronic" in config.model.targets:
            electronic.append(_electronic(networks, graphs))
        for one, graph in zip(chosen, graphs, strict=True):
            born, constants = _ions(networks, graph)
            charges.append(born)
            frequencies.append(
                _frequencies(constants, one.material) - _frequencies(one.force_constants, one.material)
            )
    if not judged:
        return None
    dft = np.stack([required(one.material.electronic, "phonon data have a tensor") for one in judged])
    return PhononErrors(
        crystals=len(judged),
        atoms=sum(len(one.born) for one in judged),
        charges=_charge_errors(np.concatenate(charges), np.concatenate([one.born for one in judged])),
        frequency=float(np.median(np.abs(np.concatenate(frequencies)))),
        electronic=_electronic_errors(np.concatenate(electronic), dft) if electronic else None,
    )


@torch.inference_mode()
def _ions(networks: Sequence[DielectricNetwork], graph: CrystalGraph) -> tuple[np.ndarray, np.ndarray]:
    """Mean over the networks of Born charges [N, 3, 3] e and force constants [3 N, 3 N] eV/Å^2."""
    batch = collate([graph]).to(networks[0].offset.device)
    found = [network.lattice(batch) for network in networks]
    charges = torch.stack([one.charges for one in found]).mean(0)
    constants = torch.stack([to_matrix(one.force_constants)[0] for one in found]).mean(0)
    return charges.cpu().numpy(), constants.double().cpu().numpy()


def _frequencies(force_constants: np.ndarray, material: Material) -> np.ndarray:
    """[3 N - 3] cm^-1 of the transverse optical modes at the zone centre, ascending; below zero if unstable."""
    mass = np.repeat([float(Element.from_Z(z).atomic_mass) for z in material.atomic_numbers], 3)
    shift = np.eye(3)[np.arange(len(mass)) % 3] * np.sqrt(mass / mass.sum() * 3)[:, None]  # [3 N, 3]
    rest = np.eye(len(mass)) - shift @ shift.T
    dynamical = force_constants / np.sqrt(np.outer(mass, mass))
    values = np.linalg.eigvalsh(rest @ dynamical @ rest + 2 * abs(dynamical).sum() * shift @ shift.T)[:-3]
    units = get_physical_units()
    return np.sign(values) * np.sqrt(np.abs(values)) * units.DefaultToTHz * units.THzToCm


def _electronic(networks: Sequence[DielectricNetwork], graphs: Sequence[CrystalGraph]) -> np.ndarray:
    """[n, 3, 3] electronic tensors by the functional that the graphs say."""
    latent = torch.stack([predict_latent(network, graphs) for network in networks]).mean(0)
    targets = networks[0].model_config.targets
    index = targets.index("electronic")
    volume = torch.cat([graph.volume_per_atom for graph in graphs])
    return physical(latent[index : index + 1], ("electronic",), volume)[0].double().numpy()


def _electronic_errors(predicted: np.ndarray, dft: np.ndarray) -> TargetMetrics:
    in_range = np.abs(dft).max((1, 2)) < LARGEST_ENTRY
    return target_metrics("electronic", predicted[in_range], dft[in_range])


def _charge_errors(predicted: np.ndarray, dft: np.ndarray) -> ChargeErrors:
    """Errors of charges [N, 3, 3]."""
    error = predicted - dft
    turned = np.stack([error[:, a, b] - error[:, b, a] for a, b in ((0, 1), (0, 2), (1, 2))], 1) / 2
    return ChargeErrors(
        trace=float(np.abs(np.trace(error, axis1=1, axis2=2) / 3).mean()),
        component=float(np.abs(error).mean()),
        antisymmetric=float(np.abs(turned).mean()),
        spread=float(np.std(np.trace(dft, axis1=1, axis2=2) / 3)),
    )
