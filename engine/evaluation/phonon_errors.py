"""How far predictions are from phonon data, on crystals whose formula their networks never saw."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from engine.config import TrainConfig
from engine.crystals.graph import CrystalGraph
from engine.data.phonons import read_phonons
from engine.errors import required
from engine.model.checkpoint import Checkpoint
from engine.model.inference import predict_charges, predict_latent
from engine.network.device import resolve_device
from engine.network.network import DielectricNetwork, physical
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
        electronic: errors of tensors by PBEsol with every entry below 100; None without such a target.
    """

    crystals: int
    atoms: int
    charges: ChargeErrors
    electronic: TargetMetrics | None


def phonon_errors(
    members: Sequence[Checkpoint], formulas: Sequence[frozenset[str]], config: TrainConfig
) -> PhononErrors | None:
    """The errors of a model that has Born charges; None if no fold left out a crystal of the config's phonon data.

    Args:
        members: of all folds, those of one fold together.
        formulas: that each fold left out.
    """
    known = read_phonons(config.phonon_data)
    seeds = len(members) // len(formulas)
    charges, born, electronic, dft = [], [], [], []
    for fold, held_out in enumerate(formulas):
        chosen = [one for one in known if one.material.formula in held_out]
        if not chosen:
            continue
        graphs = phonon_graphs(chosen, config, resolve_device(config.device))
        networks = [member.networks[0] for member in members[fold * seeds : (fold + 1) * seeds]]
        charges.append(torch.stack([predict_charges(network, graphs) for network in networks]).mean(0).numpy())
        born += [one.born for one in chosen]
        if "electronic" in config.model.targets:
            electronic.append(_electronic(networks, graphs))
            dft += [required(one.material.electronic, "phonon data have a tensor") for one in chosen]
    if not born:
        return None
    return PhononErrors(
        crystals=len(born),
        atoms=sum(len(one) for one in born),
        charges=_charge_errors(np.concatenate(charges), np.concatenate(born)),
        electronic=_electronic_errors(np.concatenate(electronic), np.stack(dft)) if dft else None,
    )


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
