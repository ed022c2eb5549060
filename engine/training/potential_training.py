"""What makes the potential's force constants those of DFT, taught to a network that has learnt all else.

First the correction to PBEsol, by DFT's force constants; then from there to PBE, by ionic tensors: nothing else is
known by PBE. All else of the network stays as it is.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from torch import nn

from engine.config import PotentialConfig, TrainConfig
from engine.crystals.graph import CrystalGraph, collate
from engine.data.datasets import dataset_hash, labelled, load_dataset
from engine.data.phonons import Phonons, teaching_phonons
from engine.errors import check, required
from engine.model.checkpoint import WEIGHTS, Checkpoint, load_checkpoint, save_checkpoint
from engine.network.device import resolve_device
from engine.network.feature_cache import known_force_constants
from engine.network.force_constants import effort
from engine.network.heads import FIRMER, CorrectionHead
from engine.network.lattice import Lattice
from engine.network.network import DielectricNetwork
from engine.network.padding import atoms_present, to_pairs
from engine.network.springs import stiffness
from engine.training.fingerprint import SHAPING, SHAPING_PHONONS, code_fingerprint
from engine.training.fold_training import LaterJob, NetworkJob
from engine.training.jobs import Workers, log, run_jobs
from engine.training.labelled_graphs import labelled_graphs, phonon_graphs
from engine.training.learner import Learner
from engine.training.losses import latent_loss
from engine.training.phonon_training import constants_loss, ionic_by_phonons, of_like_size


@dataclass(frozen=True, kw_only=True)
class PotentialJob(LaterJob):
    """Teach one network of the model in `source` how the potential's force constants are corrected.

    Attributes:
        member: number of the network in the model.
    """

    source: Path
    member: int
    config: PotentialConfig

    @property
    def fingerprint(self) -> str:
        """Hash of all that the network depends on: the one it was, data, configuration and code."""
        config = self.base.config
        parts = (
            sha256((self.source / WEIGHTS).read_bytes()).hexdigest(),
            str(self.member),
            dataset_hash(self.base.data),
            dataset_hash(config.phonon_data),
            code_fingerprint((*SHAPING, *SHAPING_PHONONS), without=()),
            str(self.config),
            *sorted(self.base.held_out),
        )
        return sha256("\n".join(parts).encode()).hexdigest()

    def run(self) -> None:
        """Train it, an epoch a line of progress."""
        model, config, started = load_checkpoint(self.source), self.base.config, time.perf_counter()
        network, trained_on = model.networks[self.member], model.trained_on[self.member]
        materials = labelled(load_dataset(self.base.data), ("ionic",))
        kept = [material for material in materials if material.formula not in self.base.held_out]
        phonons = teaching_phonons(config.phonon_data, config.index_data, self.base.held_out)
        settings, device = replace(config, model=network.model_config), resolve_device(config.device)
        graphs = potential_graphs(phonons, settings, device, self.config)
        by_pbe = [g for g in labelled_graphs(kept, settings, device) if g.has_springs.item() and g.num_nodes > 1]
        learning = correct_potential(network.to(device), graphs, by_pbe, self.config, config.seed, device)
        for step, epoch, loss in learning:
            log(f"{self.name}  {step}, epoch {epoch}/{self.config.epochs}  loss {loss:.3f}")
        seconds = int(model.about.get("seconds", 0)) + time.perf_counter() - started
        taught = Checkpoint(
            networks=[network.to("cpu")],
            trained_on=(trained_on,),
            element_counts=model.element_counts,
            about={"fingerprint": self.fingerprint, "seconds": f"{seconds:.0f}"},
        )
        save_checkpoint(self.folder, taught, half=True)


def potential_graphs(
    phonons: Sequence[Phonons], config: TrainConfig, device: torch.device, limits: PotentialConfig
) -> list[CrystalGraph]:
    """`phonon_graphs` with force constants of DFT and of the potential, and the `ionic` M of DFT's.

    Only firm crystals of two atoms or more, within the limits: `force_constants` and `bare_springs` [N * N, 3, 3]
    eV/Å^2, `springs` the latter's stiffness.
    """
    fitting = [
        one
        for one in phonons
        if one.firm and 1 < one.material.natoms <= limits.most_atoms and effort(one.material) <= limits.most_effort
    ]
    graphs = phonon_graphs(fitting, config, device)
    known = known_force_constants([one.material for one in fitting], device)
    for one, graph, constants in zip(fitting, graphs, known, strict=True):
        graph.springs, graph.bare_springs = stiffness(constants), to_pairs(constants.double())
        graph.has_springs = torch.tensor([True])
        taught = torch.as_tensor(one.force_constants)
        graph.force_constants, graph.ionic = to_pairs(taught), ionic_by_phonons(taught, graph)
    return graphs


def correct_potential(
    network: DielectricNetwork,
    by_phonons: Sequence[CrystalGraph],
    by_pbe: Sequence[CrystalGraph],
    config: PotentialConfig,
    seed: int,
    device: torch.device,
) -> Iterator[tuple[str, int, float]]:
    """Teach the network, in place; name of the step, epoch and mean loss of each.

    Args:
        by_phonons: of `potential_graphs`.
        by_pbe: of `labelled_graphs`, with springs.
    """
    springs = required(network.springs, "this network has no charges")
    required(network.potential_level, "this network does not ask the potential")
    network.requires_grad_(False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        irreps = network.backbone.irreps_out
        springs.correction = CorrectionHead(irreps, FIRMER).to(device)
        network.potential_level = CorrectionHead(irreps, firmer=1.0).to(device)
    place = network.model_config.targets.index("ionic")

    def by_dft(lattice: Lattice, batch: CrystalGraph) -> torch.Tensor:
        potentials = required(lattice.potentials, "every crystal has springs")
        found = potentials.corrected(batch.bare_springs, atoms_present(torch.bincount(batch.crystal_index)))
        ionic = lattice.ionic(batch.born)
        return constants_loss(found, batch.force_constants, batch.crystal_index) + config.ionic_weight * (
            latent_loss(ionic[None], batch.ionic[:, None])
        )

    def by_tensors(lattice: Lattice, batch: CrystalGraph) -> torch.Tensor:
        return latent_loss(lattice.ionic()[None], batch.latent[:, place, None])

    steps = (
        ("to PBEsol", springs.correction, by_phonons, by_dft),
        ("to PBE", network.potential_level, by_pbe, by_tensors),
    )
    for name, head, graphs, loss_of in steps:
        check(bool(graphs), f"no crystal is left that teaches the potential's force constants {name}")
        head.requires_grad_(True)
        learner = Learner(
            nn.ModuleList([head]),
            [{"params": list(head.parameters()), "peak": config.learning_rate}],
            weight_decay=config.weight_decay,
            clip_norm=config.clip_norm,
            average_decay=config.average_decay,
        )
        rng = np.random.default_rng(seed)
        for epoch in range(config.epochs):
            losses, batches = [], of_like_size(graphs, config.batch_size, rng)
            for done, few in enumerate(batches, start=1):
                batch = collate(few).to(device)
                loss = loss_of(network.lattice(batch), batch)
                losses.append(learner.step(loss, (epoch + done / len(batches)) / config.epochs))
            yield name, epoch + 1, float(np.mean(losses))
        head.load_state_dict(learner.result[0].state_dict())
        head.requires_grad_(False)


def train_potential_corrections(
    bases: Sequence[NetworkJob],
    sources: Sequence[tuple[Path, int]],
    config: PotentialConfig,
    folder: Path,
    workers: Workers = None,
) -> list[Checkpoint]:
    """The network of each job, found in a folder and at a place in its model, taught; in order."""
    jobs = [
        PotentialJob(
            base=job,
            source=source,
            member=member,
            config=config,
            folder=folder / f"{job.folder.name}-potential",
            name=f"{job.name} potential",
        )
        for job, (source, member) in zip(bases, sources, strict=True)
    ]
    run_jobs(jobs, "networks taught to correct the potential", workers)
    return [load_checkpoint(job.folder) for job in jobs]


def networks_of(model: Path, bases: Sequence[NetworkJob]) -> list[tuple[Path, int]]:
    """Place in a model of a network for each job that never saw what the job holds out, no network twice.

    Raises:
        EngineError: there is no such model, or it was made with other folds.
    """
    seen, found = load_checkpoint(model).trained_on, []
    for job in bases:
        fitting = [
            place
            for place, formulas in enumerate(seen)
            if not formulas & job.held_out and (model, place) not in found
        ]
        check(
            bool(fitting),
            f"{model}: no network is left for {job.name} that saw none of its {len(job.held_out)} formulas; "
            "give a model of the same data, folds and number of seeds",
        )
        found.append((model, fitting[0]))
    return found
