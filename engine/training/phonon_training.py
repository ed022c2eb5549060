"""Born charges and force constants, taught by phonon data on a network that has learnt all else.

Its electronic readout stays as it is. Beside the force constants this renews how PBEsol's electronic tensors
differ from PBE's: the network was taught that before its last epochs, and has drifted since.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch

from engine.config import PhononConfig, TrainConfig
from engine.crystals.graph import CrystalGraph, collate
from engine.crystals.material import Material
from engine.data.datasets import labelled, load_dataset
from engine.data.phonons import Phonons, teaching_phonons
from engine.errors import required
from engine.model.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from engine.network.device import resolve_device
from engine.network.lattice import logarithm
from engine.network.network import DielectricNetwork
from engine.network.padding import atoms_present, padded_pairs, to_pairs
from engine.network.springs import lattice_susceptibility, stiffness
from engine.training.fingerprint import SHAPING_PHONONS, code_fingerprint
from engine.training.fold_training import LaterJob, NetworkJob
from engine.training.jobs import Workers, log, run_jobs
from engine.training.labelled_graphs import labelled_graphs, phonon_graphs
from engine.training.learner import Learner
from engine.training.losses import charge_loss, latent_loss

SIZE_JITTER = 3.0  # atoms; batches hold crystals of like size, and not always the same ones


@dataclass(frozen=True, kw_only=True)
class PhononJob(LaterJob):
    """Teach the network of `base` by its phonon data, without the formulas that it was trained without."""

    config: PhononConfig

    @property
    def fingerprint(self) -> str:
        """Hash of all that the network depends on: that of its base, configuration and code."""
        parts = (self.base.fingerprint, code_fingerprint(SHAPING_PHONONS, without=()), str(self.config))
        return sha256("\n".join(parts).encode()).hexdigest()

    def run(self) -> None:
        """Train it, an epoch a line of progress."""
        base, started = load_checkpoint(self.base.folder), time.perf_counter()
        config = self.base.config
        materials = labelled(load_dataset(self.base.data), ("ionic",))
        kept = [material for material in materials if material.formula not in self.base.held_out]
        phonons = teaching_phonons(config.phonon_data, config.index_data, self.base.held_out)
        network = with_direct(base.networks[0], config.seed)
        device = resolve_device(config.device)
        graphs = force_constant_graphs(kept, phonons, replace(config, model=network.model_config), device)
        learner = phonon_learner(network.to(device), self.config)
        for epoch, loss in enumerate(teach(learner, graphs, self.config, config.seed, device), start=1):
            log(f"{self.name}  epoch {epoch}/{self.config.epochs}  loss {loss:.3f}")
        seconds = int(base.about["seconds"]) + time.perf_counter() - started
        about = {"fingerprint": self.fingerprint, "seconds": f"{seconds:.0f}"}
        taught = replace(base, networks=[learner.result.to("cpu")], about=about)
        save_checkpoint(self.folder, taught, half=True)


def with_direct(network: DielectricNetwork, seed: int) -> DielectricNetwork:
    """The network with direct force constants that have learnt nothing yet."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        found = DielectricNetwork(network.graph_config, replace(network.model_config, direct=True))
    found.load_state_dict(network.state_dict(), strict=False)
    return found


def force_constant_graphs(
    materials: Sequence[Material], phonons: Sequence[Phonons], config: TrainConfig, device: torch.device
) -> list[CrystalGraph]:
    """`labelled_graphs` of crystals of two atoms or more that teach force constants, or an ionic tensor by them.

    With `force_constants` [N * N, 3, 3] eV/Å^2, nan where there are none, and `ionic` [1, 3, 3], the M of the
    tensor, nan where a soft mode rules it.
    """
    materials = [material for material in materials if material.natoms > 1]
    phonons = [one for one in phonons if one.material.natoms > 1]
    place = config.model.targets.index("ionic")
    graphs = labelled_graphs(materials, config, device)
    for graph in graphs:
        graph.force_constants = torch.full((graph.num_nodes**2, 3, 3), torch.nan)
        graph.ionic = graph.latent[:, place]
    taught = phonon_graphs(phonons, config, device)
    for one, graph in zip(phonons, taught, strict=True):
        constants = torch.as_tensor(one.force_constants)
        graph.force_constants = to_pairs(constants)
        graph.ionic = ionic_by_phonons(constants, graph) if one.firm else torch.full((1, 3, 3), torch.nan)
    return graphs + taught


def ionic_by_phonons(force_constants: torch.Tensor, graph: CrystalGraph) -> torch.Tensor:
    """M of the ionic tensor of DFT's charges and force constants, [1, 3, 3]."""
    unit = torch.eye(3).expand(graph.num_nodes, 3, 3)
    volume = torch.linalg.det(graph.cell.double()).abs()
    springs = stiffness(force_constants)
    return logarithm(lattice_susceptibility(graph.born, unit, springs, graph.crystal_index, volume)).float()


def phonon_learner(network: DielectricNetwork, config: PhononConfig) -> Learner[DielectricNetwork]:
    """A learner of charges, springs and force constants, and of how PBEsol's electronic tensors differ."""
    network.requires_grad_(False)
    weights = []
    for part in (network.springs, network.direct, network.pbesol):
        weights += list(required(part, "this network has no force constants of its own").parameters())
    for weight in weights:
        weight.requires_grad_(True)
    return Learner(
        network,
        [{"params": weights, "peak": config.learning_rate}],
        weight_decay=config.weight_decay,
        clip_norm=config.clip_norm,
        average_decay=config.average_decay,
    )


def teach(
    learner: Learner[DielectricNetwork],
    graphs: Sequence[CrystalGraph],
    config: PhononConfig,
    seed: int,
    device: torch.device,
) -> Iterator[float]:
    """Run the epochs; the mean loss of each."""
    rng = np.random.default_rng(seed)
    for epoch in range(config.epochs):
        losses = []
        batches = of_like_size(graphs, config.batch_size, rng)
        for done, batch in enumerate(batches, start=1):
            loss = phonon_loss(learner.network, collate(batch).to(device), config)
            losses.append(learner.step(loss, (epoch + done / len(batches)) / config.epochs))
        yield float(np.mean(losses))


def of_like_size(graphs: Sequence[CrystalGraph], size: int, rng: np.random.Generator) -> list[list[CrystalGraph]]:
    """All graphs in batches, in random order; padding a small crystal to a large one is lost work."""
    atoms = [graph.num_nodes + SIZE_JITTER * rng.random() for graph in graphs]
    order = np.argsort(atoms)
    batches = [[graphs[i] for i in order[start : start + size]] for start in range(0, len(order), size)]
    rng.shuffle(batches)
    return batches


def phonon_loss(network: DielectricNetwork, batch: CrystalGraph, config: PhononConfig) -> torch.Tensor:
    """Distances of force constants, Born charges and PBEsol's electronic tensors, and of ionic ones.

    An ionic tensor is that of DFT's Born charges where these are known, as its label is, and of the network's
    elsewhere, and of the network's own force constants.
    """
    lattice = network.lattice(batch)
    loss = constants_loss(lattice.force_constants, batch.force_constants, batch.crystal_index)
    by_phonons = batch.pbesol.bool()
    if by_phonons.any():
        atoms = by_phonons[batch.crystal_index]
        crystals = (by_phonons.cumsum(0) - 1)[batch.crystal_index][atoms]
        loss = loss + config.charge_weight * charge_loss(lattice.charges[atoms], batch.born[atoms], crystals)
        place = network.model_config.targets.index("electronic")
        electronic = network.latents(batch, ("electronic",))["electronic"][by_phonons]
        loss = loss + latent_loss(electronic[None], batch.latent[by_phonons, place][:, None])
    known = ~batch.ionic.isnan().any(-1).any(-1)
    charges = torch.where(batch.born.isnan(), lattice.charges, batch.born)
    if known.any():
        latent = lattice.ionic(charges, lattice.direct)
        loss = loss + config.ionic_weight * latent_loss(latent[known][None], batch.ionic[known][:, None])
    return loss


def constants_loss(found: torch.Tensor, wanted: torch.Tensor, crystal_index: torch.Tensor) -> torch.Tensor:
    """Mean of |F - W| / (|W| + 1 eV/Å^2), |.| a Frobenius norm over the root of the number of atoms.

    Args:
        found: [B, n, n, 3, 3].
        wanted: [P, 3, 3] flat, nan where a crystal has none.
    """
    counts = torch.bincount(crystal_index)
    label = padded_pairs(wanted, atoms_present(counts))
    known = ~label.isnan().flatten(1).any(1)
    if not known.any():
        return found.new_zeros(())
    root = counts[known].sqrt()
    size = label[known].flatten(1).norm(dim=1) / root
    error = (found[known] - label[known]).flatten(1).square().sum(1).add(1e-12).sqrt() / root
    return (error / (size + 1)).mean()


def train_with_phonons(
    bases: Sequence[NetworkJob], config: PhononConfig, folder: Path, workers: Workers = None
) -> list[Checkpoint]:
    """The network of each job, taught by its phonon data, in order; see `fold_training.train_networks`."""
    jobs = [
        PhononJob(
            base=job, config=config, folder=folder / f"{job.folder.name}-phonons", name=f"{job.name} phonons"
        )
        for job in bases
    ]
    run_jobs(jobs, "networks taught by phonon data", workers)
    return [load_checkpoint(job.folder) for job in jobs]
