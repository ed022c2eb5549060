"""Whether a crystal is likely a metal, by the features that the networks work with.

Learnt from crystals that have a DFT dielectric response, hence a gap, against a catalogue that says nothing of
gaps: positive and unlabelled examples, after Elkan and Noto, KDD 2008, doi:10.1145/1401890.1401920. Those of the
catalogue that look like insulators to a first fit are left out of the second.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from pymatgen.core import Structure

from engine.files import read_tensors, write_tensors

FILE = "metals.safetensors"
CERTAIN = 0.99  # of a chemical element that is a metal
LIKELY = 0.5  # above this probability a crystal is called a metal
MISTAKEN = 0.025  # share of the insulators that the fit may call metals
STRENGTH = 1e-3  # inverse of the regularisation
PASSES = 2  # fits after the first, without what looked like an insulator


@dataclass(frozen=True, kw_only=True)
class Metals:
    """A logistic classifier.

    Attributes:
        weight: [F] of each feature, see `DielectricNetwork.embedding`.
        bias: chosen so that `LIKELY` is passed by a share `MISTAKEN` of the insulators that taught it.
    """

    weight: torch.Tensor
    bias: torch.Tensor

    def probability(self, features: torch.Tensor) -> torch.Tensor:
        """[n] from 0 to 1, that crystals with features [n, F] are metals."""
        return torch.sigmoid(features.to(self.weight) @ self.weight + self.bias)


def is_elemental_metal(structure: Structure) -> bool:
    """Whether this is a metal among the elements; tin, which has another form too, is left to the classifier."""
    elements = structure.composition.elements
    return len(elements) == 1 and bool(elements[0].is_metal) and elements[0].symbol != "Sn"


def fit_metals(features: np.ndarray, insulators: np.ndarray) -> Metals:
    """A classifier from crystals with features [n, F], of which `insulators` [n] are known to have a gap."""
    from sklearn.linear_model import LogisticRegression  # a second of importing, which predictions need not take
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=2000, class_weight="balanced"))
    kept = np.ones(len(features), dtype=bool)
    for _ in range(1 + PASSES):
        model.fit(features[kept], ~insulators[kept])
        kept = insulators | (model.predict_proba(features)[:, 1] > 0.5)
    scaler, logistic = model[0], model[1]
    weight = logistic.coef_[0] / scaler.scale_
    threshold = np.quantile(features[insulators] @ weight, 1 - MISTAKEN)
    return Metals(weight=torch.tensor(weight).float(), bias=torch.tensor(-threshold).float())


def accuracy(probability: np.ndarray, insulators: Sequence[bool], textbook: Sequence[bool]) -> tuple[float, float]:
    """(share of the insulators called metals, share of the textbook metals called so)."""
    called = probability > LIKELY
    return float(called[np.array(insulators)].mean()), float(called[np.array(textbook)].mean())


def write_metals(folder: Path, metals: Metals) -> None:
    """Write `FILE` into a model's folder, whole or not at all."""
    write_tensors(folder / FILE, {"weight": metals.weight, "bias": metals.bias})


def read_metals(folder: Path, device: torch.device) -> Metals | None:
    """What `write_metals` wrote; None for a model without.

    Raises:
        EngineError: the file is damaged.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    found = read_tensors(path)
    return Metals(weight=found["weight"].to(device), bias=found["bias"].to(device))
