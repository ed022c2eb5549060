"""Training: a plain loop over epochs that yields what happened; the caller shows, logs and stops."""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn
from torch_geometric.loader import DataLoader

from engine.config import TrainConfig
from engine.crystals.graph import CrystalGraph
from engine.crystals.material import Material
from engine.data.datasets import index_materials, labelled
from engine.data.folds import formula_rank
from engine.data.phonons import Phonons, teaching_phonons
from engine.errors import EngineError, check
from engine.model.inference import embeddings, predict_latent
from engine.model.neighbourhood import Neighbourhood
from engine.network.backbones import FrozenBackbone, TunedBackbone
from engine.network.device import resolve_device
from engine.network.feature_cache import material_features
from engine.network.network import DielectricNetwork, isotropic_part, physical
from engine.tensors.metrics import TargetMetrics, target_metrics
from engine.training.labelled_graphs import labelled_graphs, phonon_graphs
from engine.training.learner import Learner
from engine.training.losses import latent_loss
from engine.training.team import ALONE, Team

IONIC_PASSES = 3  # an epoch, on a frozen backbone
LATTICE_DECAY = 0.3  # weight decay of Born charges and of the springs' correction
PHONONS_FIRST = 0.6  # share of the epochs in which phonon data teach


@dataclass(frozen=True, kw_only=True)
class EpochResult:
    """One epoch: losses are mean distances of logarithms, `validation` uses the averaged weights."""

    epoch: int
    epochs: int
    train_loss: float
    validation_loss: float
    validation: tuple[TargetMetrics, ...]
    learning_rate: float
    seconds: float


@dataclass(kw_only=True)
class Training:
    """Everything that changes while a network learns, and the data that it learns from.

    Attributes:
        learner: the network, its optimiser and its averaged weights.
        team: the processes that train it together.
        materials: the crystal of each of `graphs`.
        phonons: crystals that teach Born charges and tensors of PBEsol, and `phonon_graphs` with these.
        epoch: epochs done so far.
        validation_tensors: [T, V, 3, 3] predictions for the validation graphs after the last epoch.
    """

    config: TrainConfig
    device: torch.device
    materials: list[Material]
    graphs: list[CrystalGraph]
    validation_graphs: list[CrystalGraph]
    phonons: list[Material]
    phonon_graphs: list[CrystalGraph]
    learner: Learner[DielectricNetwork]
    team: Team = ALONE
    epoch: int = 0
    validation_tensors: torch.Tensor | None = None

    @property
    def trained_on(self) -> frozenset[str]:
        """Reduced formulas of all crystals that teach."""
        return frozenset(material.formula for material in [*self.materials, *self.phonons])

    def neighbourhood(self) -> Neighbourhood:
        """The training crystals that have a tensor, as the averaged network sees them."""
        taught = [index for index, graph in enumerate(self.graphs) if not graph.latent.isnan().all()]
        features = embeddings(self.result, [self.graphs[index] for index in taught])
        return Neighbourhood.of(features, [self.materials[index].formula for index in taught])

    @property
    def result(self) -> DielectricNetwork:
        """The network with averaged weights."""
        return self.learner.result


def start_training(
    materials: Sequence[Material],
    validation: Sequence[Material],
    config: TrainConfig,
    held_out: Collection[str] = (),
    progress: Callable[[int, int], None] | None = None,
    team: Team = ALONE,
) -> Training:
    """Build graphs, network and optimiser; the same config and materials give the same start.

    `num_neighbors` of the model config is replaced by the training set's mean degree. `validation` is only
    watched: no weight, stopping point or hyperparameter depends on it. From the config's `index_data` and
    `phonon_data` no formula of `validation`, and none in `held_out`, is taken; the formulas that were taken are in
    `trained_on`. `progress` is called with (done, total) while the pretrained potential's features are computed,
    of `validation` too. The processes of a `team` all start alike.

    Raises:
        EngineError: no training material has a label for the targets, or the phonon data cannot be read.
    """
    device = resolve_device(team.device(config.device))
    targets = config.model.targets
    materials, validation = labelled(materials, targets), labelled(validation, targets)
    check(bool(materials), f"no training material has a sound {' or '.join(targets)} tensor")
    held_out = {*held_out, *(m.formula for m in validation)}
    phonons = _phonons(config, held_out)
    materials += index_materials(config.index_data, held_out)
    materials = [m for m in materials if formula_rank(m.formula) < config.share]
    with team.leader_first():
        everything = labelled_graphs([*materials, *validation], config, device, progress)
        graphs_of_phonons = phonon_graphs(phonons, config, device, progress)
    graphs, validation_graphs = everything[: len(materials)], everything[len(materials) :]
    degree = sum(g.num_edges for g in graphs) / sum(g.num_nodes for g in graphs)
    config = replace(config, model=replace(config.model, num_neighbors=max(degree, 1.0)))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        network = DielectricNetwork(config.graph, config.model)
    _normalise(network, graphs)
    if isinstance(network.backbone, TunedBackbone):  # at first the potential is the frozen one
        network.backbone.unit.fit(torch.cat(material_features(materials, device, progress)))
    return Training(
        config=config,
        device=device,
        materials=materials,
        graphs=graphs,
        validation_graphs=validation_graphs,
        phonons=[one.material for one in phonons],
        phonon_graphs=graphs_of_phonons,
        team=team,
        learner=Learner(
            network.to(device),
            _parameter_groups(network, config),
            weight_decay=config.weight_decay,
            clip_norm=config.clip_norm,
            average_decay=config.average_decay,
        ),
    )


def _phonons(config: TrainConfig, held_out: Collection[str]) -> list[Phonons]:
    """Crystals of the config's `phonon_data` that may teach."""
    if not config.phonon_data:
        return []
    known = teaching_phonons(config.phonon_data, config.index_data, held_out)
    return [one for one in known if formula_rank(one.material.formula) < config.share]


def _parameter_groups(network: DielectricNetwork, config: TrainConfig) -> list[dict[str, Any]]:
    """What learns at which `peak` of the learning rate, and how strongly it is drawn to zero.

    A potential's tuned layers learn apart from all else. Born charges have many more labels than there are
    tensors, and need less restraint.
    """
    groups = [{"params": list(network.parameters()), "peak": config.learning_rate}]
    if isinstance(network.backbone, TunedBackbone):
        tuned = {"peak": config.tuned_rate, "weight_decay": 0.0}
        groups = _apart(groups, network.backbone.layers, tuned)
    if network.springs is not None:
        groups = _apart(groups, network.springs, {"peak": config.learning_rate, "weight_decay": LATTICE_DECAY})
    return groups


def _apart(groups: list[dict[str, Any]], part: nn.Module, how: dict[str, Any]) -> list[dict[str, Any]]:
    """The groups, with the parameters of a part of the network in one of their own."""
    own = list(part.parameters())
    known = {id(parameter) for parameter in own}
    rest = [group | {"params": [p for p in group["params"] if id(p) not in known]} for group in groups]
    return [*rest, how | {"params": own}]


def _normalise(network: DielectricNetwork, graphs: Sequence[CrystalGraph]) -> None:
    """Set what the network takes from its training set: where its output lies, and its input if that is frozen."""
    latent = isotropic_part(torch.cat([g.latent for g in graphs]))  # [n, T]
    for index in range(latent.shape[1]):
        known = latent[:, index][~latent[:, index].isnan()]
        if len(known):
            network.offset[index] = known.mean()
        if len(known) > 1:
            network.spread[index] = known.std()
    if isinstance(network.backbone, FrozenBackbone) and network.model_config.backbone == "pretrained":
        network.backbone.fit(torch.cat([g.features for g in graphs]))


@dataclass(frozen=True, kw_only=True)
class Phase:
    """Crystals that an epoch goes through `passes` times, and the targets that they teach."""

    graphs: list[CrystalGraph]
    targets: tuple[str, ...]
    passes: int = 1


def phases(training: Training) -> list[Phase]:
    """What makes an epoch.

    A backbone that learns is shared by all targets. On a frozen one the readouts share nothing, so each target has
    its own crystals; few have an ionic tensor, and these come `IONIC_PASSES` times. Phonon data teach first: Born
    charges alone before ionic tensors, for at once neither is learnt as well; PBEsol tensors beside those of PBE.
    """
    targets = training.config.model.targets
    early = training.epoch < int(PHONONS_FIRST * training.config.epochs)
    phonons = training.phonon_graphs if early else []
    graphs = [*training.graphs, *phonons]
    has_charges = phonons and training.config.model.has_charges
    charges = [Phase(graphs=phonons, targets=("charges",))] if has_charges else []
    if not training.config.model.frozen:
        taught = [g for g in graphs if any(_teaches(g, target, targets) for target in targets)]
        return [*charges, Phase(graphs=taught, targets=targets)]
    of_target = {
        target: Phase(
            graphs=[g for g in graphs if _teaches(g, target, targets)],
            targets=(target,),
            passes=IONIC_PASSES if target == "ionic" else 1,
        )
        for target in targets
        if any(_teaches(g, target, targets) for g in graphs)
    }
    if charges:
        of_target.pop("ionic", None)
    return [*of_target.values(), *charges]


def _teaches(graph: CrystalGraph, target: str, targets: Sequence[str]) -> bool:
    has_tensor = not graph.latent[:, targets.index(target)].isnan().any()
    return bool(has_tensor or (target == "electronic" and graph.log_mean.isfinite()))


def rattled(graph: CrystalGraph, rattle: float, rng: torch.Generator) -> CrystalGraph:
    """The graph with its atoms displaced at random, `rattle` Å in each direction, and the same neighbours."""
    displacement = rattle * torch.randn(graph.pos.shape, generator=rng)
    edge_src, edge_dst = graph.edge_index
    moved = graph.clone()
    moved.pos = graph.pos + displacement
    moved.edge_vec = graph.edge_vec + displacement[edge_dst] - displacement[edge_src]
    return moved


def train(training: Training) -> Iterator[EpochResult]:
    """Run the epochs that are left, one at a time."""
    config, learner, team = training.config, training.learner, training.team
    loss_of = team.loss_of(learner.network)
    while training.epoch < config.epochs:
        started = time.perf_counter()
        learner.network.train()
        losses = []
        for batch, targets, share in _batches(training):
            losses.append(learner.step(loss_of(batch, targets), (training.epoch + share) / config.epochs))
        training.epoch += 1
        validation_loss, validation = validate(training)
        yield EpochResult(
            epoch=training.epoch,
            epochs=config.epochs,
            train_loss=team.mean(losses),
            validation_loss=validation_loss,
            validation=validation,
            learning_rate=learner.optimizer.param_groups[0]["lr"],
            seconds=time.perf_counter() - started,
        )


def _batches(training: Training) -> Iterator[tuple[CrystalGraph, tuple[str, ...], float]]:
    """Batches of one epoch, the targets that each teaches, and the share of its phase that is done after it."""
    config = training.config
    rng = torch.Generator().manual_seed(config.seed * 100_003 + training.epoch)
    for phase in phases(training):
        loader = DataLoader(phase.graphs, config.batch_size, shuffle=True, generator=rng)
        for number in range(phase.passes):
            for step, batch in enumerate(loader, start=1):
                if config.model.backbone == "scratch":
                    batch = rattled(batch, config.rattle, rng)
                yield batch, phase.targets, (number + step / len(loader)) / phase.passes


def validate(training: Training) -> tuple[float, tuple[TargetMetrics, ...]]:
    """Loss and errors of the averaged weights on the validation crystals; renews `validation_tensors`."""
    graphs, targets = training.validation_graphs, training.config.model.targets
    if not graphs:
        return float("nan"), ()
    latent = predict_latent(training.result, graphs)
    volume = torch.cat([graph.volume_per_atom for graph in graphs])
    training.validation_tensors = physical(latent, targets, volume).double()
    loss = latent_loss(latent, torch.cat([graph.latent for graph in graphs])).item()
    return loss, label_metrics(targets, training.validation_tensors, graphs)


def label_metrics(
    targets: Sequence[str], predicted: torch.Tensor, graphs: Sequence[CrystalGraph]
) -> tuple[TargetMetrics, ...]:
    """Errors of [T, n, 3, 3] predictions, and of their total where both targets are there."""
    dft = torch.cat([graph.dft for graph in graphs]).transpose(0, 1)
    pairs = dict(zip(targets, zip(predicted.numpy(), dft.numpy(), strict=True), strict=True))
    if {"electronic", "ionic"} <= set(pairs):
        pairs["total"] = tuple(a + b for a, b in zip(pairs["electronic"], pairs["ionic"], strict=True))
    errors = []
    for target, (tensor, truth) in pairs.items():
        known = np.isfinite(truth).all((1, 2))
        errors.append(target_metrics(target, tensor[known], truth[known]))
    return tuple(errors)


def training_state(training: Training) -> dict[str, torch.Tensor]:
    """All that `restore` needs to go on as if the run had not stopped."""
    return training.learner.state() | {"epoch": torch.tensor(training.epoch)}


def restore(training: Training, state: dict[str, torch.Tensor]) -> None:
    """Put a fresh `Training` of the same config and data where `training_state` found the other.

    Raises:
        EngineError: the state is of another network, as an earlier version of the program had it.
    """
    try:
        training.learner.restore(state)
        training.epoch = int(state["epoch"])
    except (KeyError, ValueError, RuntimeError) as error:
        raise EngineError("the run was begun by another version of this program; start a new run") from error
