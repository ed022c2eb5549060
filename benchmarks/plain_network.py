"""What is equivariance worth? An ordinary network of the same physics, on the same folds, beside e3nn-scratch.

    python -m benchmarks.plain_network [--save]

Trains it on all folds but one, for each of the five, once on the crystals as the data set has them and once on
crystals in random orientations, and judges every crystal by the network that never saw its formula: six minutes on
one core. With --save, the first network, crystals as they are, goes to models/plain-network.
"""

import sys
import time
from collections.abc import Sequence

import numpy as np
from pymatgen.core import Structure

from benchmarks.measure import report
from engine.config import PLAIN
from engine.crystals.material import Material
from engine.data.datasets import labelled, load_dataset
from engine.data.folds import formula_folds
from engine.evaluation.provenance import about, code_version
from engine.files import MODELS_FOLDER
from engine.prediction.predictor import Predictor
from engine.teaching.equivariance import Predict, both_ways, of_network, random_rotations, relative_difference
from engine.teaching.plain_network import TARGETS, PlainNetwork, save_plain
from engine.teaching.plain_training import start_plain_training, train_plain
from engine.tensors.metrics import entries_in_range, target_metrics
from engine.tensors.tensors import birefringence
from engine.training.jobs import log

DATA, FOLDS = "petousis-2017", 5
EQUIVARIANT, PLAIN_FOLDER = "e3nn-scratch", MODELS_FOLDER / "plain-network"
SEED = 1  # of the orientations that the networks are judged in
ERRORS = ("count", "ewt25", "ewt10", "mard", "fnorm", "ar_mae", "ar_correlation")
COLUMNS = ("network", "weights", *ERRORS, "turned_median", "turned_mean", "turned_largest", "cubic_birefringence")


def main() -> None:
    """Train all networks on every fold, and write their errors."""
    started, code = time.perf_counter(), code_version()
    materials = labelled(load_dataset(DATA), TARGETS)
    parts = formula_folds(materials, FOLDS)
    predictor = Predictor.load(EQUIVARIANT, "cpu")
    weights = sum(p.numel() for p in predictor.networks[0].parameters())
    rows = [(EQUIVARIANT, weights, *judged(materials, [np.arange(len(materials))], [of_predictor(predictor)]))]
    for name, turn in (("ordinary", False), ("ordinary, random orientations", True)):
        networks = [trained([m for i, m in enumerate(materials) if i not in set(part)], turn) for part in parts]
        if not turn and "--save" in sys.argv:
            formulas = frozenset(m.formula for i, m in enumerate(materials) if i not in set(parts[0]))
            save_plain(PLAIN_FOLDER, networks[0], formulas, about(DATA, PLAIN, 1, started, code))
        weights = sum(p.numel() for p in networks[0].parameters())
        rows.append((name, weights, *judged(materials, parts, [of_network(network) for network in networks])))
    report("plain_network", COLUMNS, rows, data=DATA, folds=FOLDS, epochs=PLAIN.epochs, seed=SEED)


def of_predictor(predictor: Predictor) -> Predict:
    """Electronic tensors by the network that never saw the formula."""

    def predict(structures: Sequence[Structure]) -> np.ndarray:
        return np.array([one.electronic for one in predictor.predict_many(structures, out_of_fold=True)])

    return predict


def trained(materials: Sequence[Material], turn: bool) -> PlainNetwork:
    """An ordinary network that has seen these crystals."""
    training = start_plain_training(materials, PLAIN)
    for epoch, loss in enumerate(train_plain(training, turn), start=1):
        if epoch % 10 == 0:
            log(f"epoch {epoch}/{PLAIN.epochs}  loss {loss:.3f}")
    return training.result.eval()


def judged(materials: Sequence[Material], parts: Sequence[np.ndarray], predicts: Sequence[Predict]) -> list[float]:
    """The figures of a row of `COLUMNS`, each part of the crystals judged by its own network."""
    rotations = random_rotations(len(materials), SEED)
    first, then, order = [], [], np.concatenate(parts)
    for part, predict in zip(parts, predicts, strict=True):
        found = both_ways(predict, [materials[i].structure for i in part], rotations[part])
        first.append(found[0])
        then.append(found[1])
    first, then = np.concatenate(first), np.concatenate(then)
    at_rest = rotations[order].transpose(0, 2, 1) @ first @ rotations[order]
    dft = np.array([materials[i].electronic for i in order])
    keep = entries_in_range(dft)
    errors = target_metrics(TARGETS[0], at_rest[keep], dft[keep])
    turned = relative_difference(first, then)
    cubic = [
        birefringence(t) for t, i in zip(at_rest, order, strict=True) if materials[i].crystal_system == "cubic"
    ]
    spread = np.median(turned), turned.mean(), turned.max(), np.mean(cubic)
    return [getattr(errors, name) for name in ERRORS] + [float(value) for value in spread]


if __name__ == "__main__":
    main()
