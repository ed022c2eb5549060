"""What more phonon data would bring: charges, frequencies and ionic tensors taught by a share of them.

python -m benchmarks.phonon_curve FOLDER PHONONS [--fold 0]

FOLDER is what `evaluate --run FOLDER --phonon-data PHONONS` left. The first network of the fold is taught as it
was then, by the phonon calculations of a share of their formulas (by all, it was), and judged on the formulas that
the fold left out.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from benchmarks.measure import report
from engine.config import PhononConfig, PotentialConfig, TrainConfig
from engine.data.datasets import labelled, load_dataset
from engine.data.folds import formula_rank
from engine.data.phonons import teaching_phonons
from engine.evaluation.held_out import predict_unseen
from engine.evaluation.judging import errors
from engine.evaluation.phonon_errors import phonon_errors
from engine.model.checkpoint import Checkpoint, load_checkpoint
from engine.training.phonon_training import force_constant_graphs, phonon_learner, teach, with_direct
from engine.training.potential_training import correct_potential, potential_graphs

SHARES = (0.125, 0.25, 0.5, 1.0)
CPU = torch.device("cpu")


def taught_by(
    base: Checkpoint, share: float, held_out: frozenset[str], config: TrainConfig
) -> tuple[Checkpoint, int]:
    """The network of `base` taught by a share of the phonon data, and by how many crystals of these."""
    materials = [m for m in labelled(load_dataset("petousis-2017"), ("ionic",)) if m.formula not in held_out]
    known = teaching_phonons(config.phonon_data, config.index_data, held_out)
    phonons = [one for one in known if formula_rank(one.material.formula) < share]
    network = with_direct(base.networks[0], config.seed)
    settings, last = replace(config, model=network.model_config), PotentialConfig()
    graphs = force_constant_graphs(materials, phonons, settings, CPU)
    learner = phonon_learner(network, PhononConfig())
    for loss in teach(learner, graphs, PhononConfig(), config.seed, CPU):
        print(f"{share:.1%} of the formulas: loss {loss:.3f}", flush=True)
    by_pbe = [one for one in graphs if not one.pbesol.item() and one.has_springs.item()]
    by_phonons = potential_graphs(phonons, settings, CPU, last)
    for step, _, loss in correct_potential(learner.result, by_phonons, by_pbe, last, config.seed, CPU):
        print(f"{share:.1%} of the formulas: {step}, loss {loss:.3f}", flush=True)
    return replace(base, networks=[learner.result]), len(phonons)


def main(folder: Path, path: str, fold: int) -> None:
    """A row for each share."""
    config = TrainConfig.for_backbone("pretrained", phonon_data=path)
    materials = labelled(load_dataset("petousis-2017"), config.model.targets)
    base, rows = load_checkpoint(folder / f"fold-{fold}-0"), []
    part = np.array([i for i, material in enumerate(materials) if material.formula not in base.trained_on[0]])
    taught = {one.material.formula for one in teaching_phonons(path, config.index_data, ())}
    held_out = frozenset({*taught, *(material.formula for material in materials)} - base.trained_on[0])
    known = teaching_phonons(path, config.index_data, held_out)
    for share in SHARES:
        whole = folder / f"fold-{fold}-0-potential"
        taught, count = (
            taught_by(base, share, held_out, config) if share < 1 else (load_checkpoint(whole), len(known))
        )
        of_phonons = phonon_errors([taught], [held_out], config)
        row = [share, count, of_phonons.charges.trace, of_phonons.charges.component, of_phonons.frequency]
        for springs in (True, False):
            unseen = predict_unseen([taught], materials, [part], config, springs=springs)
            (ionic,) = (m for m in errors(materials, unseen.tensors, part, in_range=True) if m.target == "ionic")
            row += [ionic.ewt25, ionic.ewt10, ionic.mard]
        rows.append(tuple(row))
    columns = ("share", "crystals", "charge, trace/3", "component", "frequency")
    columns += tuple(f"{method}, {name}" for method in ("full", "direct") for name in ("EwT25", "EwT10", "MARD %"))
    report("phonon_curve", columns, rows, data=Path(path).name, fold=fold, networks=1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("phonons")
    parser.add_argument("--fold", type=int, default=0)
    options = parser.parse_args()
    main(options.folder, options.phonons, options.fold)
