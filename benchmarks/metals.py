"""Metals told from insulators by the network's features: python -m benchmarks.metals [--model NAME] [--write]

Each crystal is judged by classifiers that saw no crystal of its formula. Insulators are the crystals with a DFT
dielectric tensor or refractive index; textbook metals are elements and compounds of the catalogue that everybody
knows to be metals: `textbook_metal`. With --write, the classifier of all of them goes into the model's folder.
"""

import argparse
from collections.abc import Sequence

import numpy as np
import torch
from pymatgen.core import Element

from benchmarks.measure import report
from engine.crystals.material import Material
from engine.data.catalogue import catalogued
from engine.data.datasets import EMBEDDED, load_dataset
from engine.data.folds import formula_folds
from engine.files import MODELS_FOLDER
from engine.model.metals import accuracy, fit_metals, write_metals
from engine.model.shipped_models import DEFAULT_MODEL
from engine.network.backbones import FrozenBackbone
from engine.network.feature_cache import material_features
from engine.network.frozen_features import source
from engine.network.potential import keep_memory
from engine.prediction.predictor import Predictor

FOLDS = 5
LARGEST = 24  # atoms
PART = 400  # crystals whose features are in memory at once
TRANSITION = frozenset(Element.from_Z(z).symbol for z in (*range(21, 30), *range(39, 48), *range(57, 80)))
SIMPLE = frozenset(["Li", "Na", "K", "Rb", "Cs", "Be", "Mg", "Ca", "Sr", "Ba", "Al", "Ga", "In", "Tl", "Sn", "Pb"])
PARTNERS = frozenset(["Al", "Be", "Mg", "Zn", "Cd"])
GREY_TIN = ("Sn", 227)
COLUMNS = ("crystals", "number", "called metals, percent")


def textbook_metal(material: Material) -> bool:
    """An elemental metal, or a compound of transition metals with each other or with `PARTNERS`."""
    if (material.formula, material.space_group_number) == GREY_TIN:
        return False
    elements = frozenset(material.elements)
    if len(elements) == 1:
        return elements <= TRANSITION | SIMPLE | PARTNERS
    return bool(elements & TRANSITION) and elements <= TRANSITION | PARTNERS


def features_of(predictor: Predictor, materials: Sequence[Material]) -> np.ndarray:
    """`DielectricNetwork.embedding` of each crystal, [n, F], from the cache where it is there."""
    backbone = predictor.networks[0].backbone
    if not isinstance(backbone, FrozenBackbone):
        raise SystemExit(f"{predictor.name} does not work with features that stay as they are")
    scalars, found = backbone.irreps_out.count("0e"), []
    for start in range(0, len(materials), PART):
        chosen = materials[start : start + PART]
        part = material_features(chosen, predictor.device, of=source(predictor.model_config.backbone))
        found += [backbone.scaled(one)[:, :scalars].mean(0).numpy() for one in part]
        print(f"{min(start + PART, len(materials))} of {len(materials)} crystals", flush=True)
    return np.stack(found).astype(float)


def held_out(features: np.ndarray, insulators: np.ndarray, materials: Sequence[Material]) -> np.ndarray:
    """[n] probability of being a metal, by classifiers that saw no crystal of the formula."""
    probability = np.zeros(len(materials))
    for fold in formula_folds(materials, FOLDS):
        others = np.setdiff1d(np.arange(len(materials)), fold)
        metals = fit_metals(features[others], insulators[others])
        probability[fold] = metals.probability(torch.tensor(features[fold])).numpy()
    return probability


def main() -> None:
    """Judge, print and write the table; with --write, the classifier too."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default=DEFAULT_MODEL, metavar="NAME", help="a shipped model")
    parser.add_argument("--write", action="store_true", help="write the classifier into the model's folder")
    options = parser.parse_args()
    keep_memory()
    predictor = Predictor.load(options.model, device="cpu")
    known = [m for name in EMBEDDED for m in load_dataset(name) if m.natoms <= LARGEST]
    formulas = {m.formula for m in known}
    others = [m for m in catalogued(known) if m.natoms <= LARGEST]
    unlabelled = [m for m in others if m.n is None and m.formula not in formulas]  # no polymorph of an insulator
    materials = known + unlabelled
    insulators = np.arange(len(materials)) < len(known)
    features = features_of(predictor, materials)
    probability = held_out(features, insulators, materials)
    textbook = np.array([textbook_metal(m) for m in materials]) & ~insulators
    mistaken, found = accuracy(probability, insulators.tolist(), textbook.tolist())
    rest = ~insulators & ~textbook
    rows = [
        ("with a DFT dielectric response", int(insulators.sum()), 100 * mistaken),
        ("textbook metals and intermetallics", int(textbook.sum()), 100 * found),
        ("others of the catalogue", int(rest.sum()), 100 * float((probability[rest] > 0.5).mean())),
    ]
    report(
        "metals" if options.model == DEFAULT_MODEL else f"metals-{options.model}",
        COLUMNS,
        rows,
        model=predictor.name,
        folds=FOLDS,
        exceptions=_exceptions(materials, textbook, probability),
    )
    if options.write:
        write_metals(MODELS_FOLDER / options.model, fit_metals(features, insulators))


def _exceptions(materials: Sequence[Material], textbook: np.ndarray, probability: np.ndarray) -> list[str]:
    """Textbook metals that are not called so, the furthest first."""
    missed = sorted((probability[i], i) for i in np.flatnonzero(textbook & (probability <= 0.5)))
    return [f"{materials[i].formula} {materials[i].material_id}" for _, i in missed]


if __name__ == "__main__":
    main()
