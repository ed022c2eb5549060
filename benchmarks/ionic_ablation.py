"""Where the error of the ionic part sits: Born charges and force constants, by DFT and by the model.

python -m benchmarks.ionic_ablation FOLDER PHONONS [--most-atoms 8]

FOLDER is what `evaluate --run FOLDER --phonon-data PHONONS` left. Each crystal of the phonon data without soft
modes is judged by the networks of the fold that left its formula out, against the tensor that DFT's own charges
and force constants give.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import torch

from benchmarks.measure import report
from engine.config import TrainConfig
from engine.crystals.graph import CrystalGraph
from engine.data.phonons import Phonons, teaching_phonons
from engine.model.checkpoint import load_checkpoint
from engine.network.feature_cache import known_force_constants
from engine.network.network import DielectricNetwork, physical
from engine.network.padding import padded_pairs
from engine.network.springs import stiffness
from engine.tensors.metrics import target_metrics
from engine.training.phonon_training import force_constant_graphs

CHARGES = ("DFT", "predicted")
SPRINGS = ("DFT", "potential", "direct", "full")  # the last: "direct" and the corrected potential together
CPU = torch.device("cpu")


def ablation(folder: Path, phonons: str, most_atoms: int, folds: int, seeds: int) -> list[tuple]:
    """Rows of the table: charges, force constants and errors."""
    config = TrainConfig.for_backbone("pretrained", phonon_data=phonons)
    taught = teaching_phonons(phonons, config.index_data, ())
    known = [one for one in taught if one.firm and 1 < one.material.natoms <= most_atoms]
    found: dict[tuple[str, str], list[torch.Tensor]] = {pair: [] for pair in product(CHARGES, SPRINGS)}
    wanted = []
    for fold in range(folds):
        members = [load_checkpoint(folder / f"fold-{fold}-{seed}-potential") for seed in range(seeds)]
        seen = frozenset().union(*(member.trained_on[0] for member in members))
        chosen = [one for one in known if one.material.formula not in seen]
        networks = [member.networks[0] for member in members]
        graphs = force_constant_graphs([], chosen, replace(config, model=networks[0].model_config), CPU)
        for one, graph in zip(chosen, graphs, strict=True):
            wanted.append(graph.ionic[0])
            for pair, latent in latents(one, graph, networks):
                found[pair].append(latent)
        print(f"fold {fold + 1}: {len(chosen)} crystals", flush=True)
    return [(*pair, *errors(torch.stack(rows), torch.stack(wanted))) for pair, rows in found.items()]


@torch.no_grad()
def latents(
    one: Phonons, graph: CrystalGraph, networks: Sequence[DielectricNetwork]
) -> Iterator[tuple[tuple[str, str], torch.Tensor]]:
    """M of the ionic tensor for each pair of charges and force constants, the mean over the networks."""
    graph.springs = stiffness(known_force_constants([one.material], CPU)[0])
    graph.has_springs = torch.tensor([True])
    present = torch.ones(1, graph.num_nodes, dtype=torch.bool)
    dft = padded_pairs(stiffness(torch.as_tensor(one.force_constants)), present)
    potential = padded_pairs(graph.springs, present)
    found: dict[tuple[str, str], list[torch.Tensor]] = {pair: [] for pair in product(CHARGES, SPRINGS)}
    for network in networks:
        lattice = network.lattice(graph)
        springs = dict(zip(SPRINGS, (dft, potential, lattice.direct, lattice.stiffness), strict=True))
        charges = dict(zip(CHARGES, (graph.born, lattice.charges), strict=True))
        for born, of_pairs in found:
            found[born, of_pairs].append(lattice.ionic(charges[born], springs[of_pairs])[0])
    yield from ((pair, torch.stack(answers).mean(0)) for pair, answers in found.items())


def errors(found: torch.Tensor, wanted: torch.Tensor) -> tuple[int, float, float, float, float]:
    """Number of crystals, EwT25, EwT10, EwT5 and MARD of M [n, 3, 3]."""
    unused = torch.ones(len(found))
    predicted, dft = (physical(m[None], ("ionic",), unused)[0].double().numpy() for m in (found, wanted))
    m = target_metrics("ionic", predicted, dft)
    return m.count, m.ewt25, m.ewt10, m.ewt5, m.mard


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("phonons")
    parser.add_argument("--most-atoms", type=int, default=8)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    columns = ("charges", "force constants", "crystals", "EwT25", "EwT10", "EwT5", "MARD %")
    rows = ablation(options.folder, options.phonons, options.most_atoms, options.folds, options.seeds)
    report("ionic_ablation", columns, rows, data=Path(options.phonons).name, most_atoms=options.most_atoms)
