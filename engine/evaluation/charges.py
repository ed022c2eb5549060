"""How far predicted Born charges are from DFT's, on crystals whose formula their networks never saw."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from engine.config import TrainConfig
from engine.data.phonons import Phonons, read_phonons
from engine.model.checkpoint import Checkpoint
from engine.model.inference import predict_charges
from engine.network.device import resolve_device
from engine.training.labelled_graphs import phonon_graphs


@dataclass(frozen=True, kw_only=True)
class ChargeErrors:
    """Mean errors over all atoms, in e.

    Attributes:
        crystals: how many were judged, and `atoms` of theirs.
        trace: mean absolute error of a third of the trace, the isotropic charge.
        component: of the nine components.
        antisymmetric: of the antisymmetric part's three.
        spread: standard deviation of DFT's isotropic charge, to read `trace` against.
    """

    crystals: int
    atoms: int
    trace: float
    component: float
    antisymmetric: float
    spread: float


def charge_errors(
    members: Sequence[Checkpoint], formulas: Sequence[frozenset[str]], config: TrainConfig
) -> ChargeErrors | None:
    """Errors of the mean charges of each fold's networks on the crystals that it left out; None if there are none.

    Args:
        members: of all folds, those of one fold together.
        formulas: that each fold left out.
    """
    known = read_phonons(config.phonon_data)
    seeds = len(members) // len(formulas)
    predicted, dft, crystals = [], [], 0
    for fold, held_out in enumerate(formulas):
        chosen = [one for one in known if one.material.formula in held_out]
        if not chosen:
            continue
        graphs = phonon_graphs(chosen, config, resolve_device(config.device))
        networks = [member.networks[0] for member in members[fold * seeds : (fold + 1) * seeds]]
        charges = torch.stack([predict_charges(network, graphs) for network in networks]).mean(0)
        predicted.append(charges.numpy())
        dft.append(_labels(chosen))
        crystals += len(chosen)
    return _errors(np.concatenate(predicted), np.concatenate(dft), crystals) if crystals else None


def _labels(crystals: Sequence[Phonons]) -> np.ndarray:
    return np.concatenate([one.born for one in crystals])


def _errors(predicted: np.ndarray, dft: np.ndarray, crystals: int) -> ChargeErrors:
    """Errors of charges [N, 3, 3]."""
    error = predicted - dft
    turned = np.stack([error[:, a, b] - error[:, b, a] for a, b in ((0, 1), (0, 2), (1, 2))], 1) / 2
    return ChargeErrors(
        crystals=crystals,
        atoms=len(dft),
        trace=float(np.abs(np.trace(error, axis1=1, axis2=2) / 3).mean()),
        component=float(np.abs(error).mean()),
        antisymmetric=float(np.abs(turned).mean()),
        spread=float(np.std(np.trace(dft, axis1=1, axis2=2) / 3)),
    )
