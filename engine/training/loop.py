"""Training: a plain loop over epochs that yields what happened; the caller shows, logs and stops."""

import math
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import Any, cast

import numpy as np
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch_geometric.loader import DataLoader

from engine.config import TrainConfig
from engine.crystals.graph import CrystalGraph
from engine.crystals.material import Material
from engine.data.datasets import index_materials, labelled
from engine.data.folds import formula_rank
from engine.errors import check
from engine.model.inference import embeddings, predict_latent
from engine.model.neighbourhood import Neighbourhood
from engine.network.backbones import FrozenBackbone, TunedBackbone
from engine.network.feature_cache import material_features
from engine.network.network import DielectricNetwork, isotropic_part, physical
from engine.tensors.metrics import TargetMetrics, target_metrics
from engine.training.labelled_graphs import labelled_graphs
from engine.training.losses import latent_loss, total_loss

WARM_UP = 0.05  # share of the steps over which the learning rate rises
IONIC_PASSES = 3  # an epoch, on a frozen backbone


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
        network: weights as the optimiser moves them.
        averaged: their exponential average, the weights to keep.
        materials: the crystal of each of `graphs`.
        epoch: epochs done so far.
        validation_tensors: [T, V, 3, 3] predictions for the validation graphs after the last epoch.
    """

    config: TrainConfig
    device: torch.device
    materials: list[Material]
    graphs: list[CrystalGraph]
    validation_graphs: list[CrystalGraph]
    network: DielectricNetwork
    averaged: AveragedModel
    optimizer: torch.optim.Optimizer
    epoch: int = 0
    validation_tensors: torch.Tensor | None = None

    @property
    def trained_on(self) -> frozenset[str]:
        """Reduced formulas of all crystals that teach."""
        return frozenset(material.formula for material in self.materials)

    def neighbourhood(self) -> Neighbourhood:
        """The training crystals that have a tensor, as the averaged network sees them."""
        taught = [index for index, graph in enumerate(self.graphs) if not graph.latent.isnan().all()]
        features = embeddings(self.result, [self.graphs[index] for index in taught])
        return Neighbourhood.of(features, [self.materials[index].formula for index in taught])

    @property
    def result(self) -> DielectricNetwork:
        """The network with averaged weights."""
        return cast(DielectricNetwork, self.averaged.module)  # which torch knows as a Module


def resolve_device(device: str) -> torch.device:
    """ "auto" is CUDA where there is one, else the CPU; raises EngineError for a device that is not there."""
    check(device in ("auto", "cpu", "cuda"), f"device must be auto, cpu or cuda, got {device!r}")
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    check(device != "cuda" or torch.cuda.is_available(), "no CUDA device is available; use --device cpu")
    return torch.device(device)


def start_training(
    materials: Sequence[Material],
    validation: Sequence[Material],
    config: TrainConfig,
    held_out: Collection[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> Training:
    """Build graphs, network and optimiser; the same config and materials give the same start.

    `num_neighbors` of the model config is replaced by the training set's mean degree. `validation` is only
    watched: no weight, stopping point or hyperparameter depends on it. From the config's `index_data` no formula
    of `validation`, and none in `held_out`, is taken; the formulas that were taken are in `trained_on`. `progress`
    is called with (done, total) while the pretrained potential's features are computed.

    Raises:
        EngineError: no training material has a label for the targets.
    """
    device = resolve_device(config.device)
    targets = config.model.targets
    materials, validation = labelled(materials, targets), labelled(validation, targets)
    check(bool(materials), f"no training material has a sound {' or '.join(targets)} tensor")
    materials += index_materials(config.index_data, {*held_out, *(m.formula for m in validation)})
    materials = [m for m in materials if formula_rank(m.formula) < config.share]
    graphs = labelled_graphs(materials, config, device, progress)
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
        validation_graphs=labelled_graphs(validation, config, device),
        network=network.to(device),
        averaged=AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(config.average_decay)),
        optimizer=torch.optim.AdamW(_parameter_groups(network, config), weight_decay=config.weight_decay),
    )


def _parameter_groups(network: DielectricNetwork, config: TrainConfig) -> list[dict[str, Any]]:
    """What learns at which `peak` of the learning rate: the potential's tuned layers apart from all else."""
    if not isinstance(network.backbone, TunedBackbone):
        return [{"params": list(network.parameters()), "peak": config.learning_rate}]
    tuned = list(network.backbone.layers.parameters())
    known = {id(parameter) for parameter in tuned}
    rest = [parameter for parameter in network.parameters() if id(parameter) not in known]
    return [
        {"params": rest, "peak": config.learning_rate},
        {"params": tuned, "peak": config.tuned_rate, "weight_decay": 0.0},
    ]


def _normalise(network: DielectricNetwork, graphs: Sequence[CrystalGraph]) -> None:
    """Set what the network takes from its training set: where its output lies, and its input if that is frozen."""
    latent = isotropic_part(torch.cat([g.latent for g in graphs]))  # [n, T]
    for index in range(latent.shape[1]):
        known = latent[:, index][~latent[:, index].isnan()]
        if len(known):
            network.offset[index] = known.mean()
        if len(known) > 1:
            network.spread[index] = known.std()
    if isinstance(network.backbone, FrozenBackbone):
        network.backbone.fit(torch.cat([g.features for g in graphs]))


def phases(training: Training) -> list[tuple[list[CrystalGraph], tuple[str, ...]]]:
    """What an epoch goes through: crystals, and the targets that they teach.

    A backbone that learns is shared by all targets. On a frozen one the readouts share nothing, so each target has
    its own crystals. Few have an ionic tensor: they come `IONIC_PASSES` times.
    """
    targets = training.config.model.targets
    taught = {
        target: [_teaches(graph, target, index) for graph in training.graphs]
        for index, target in enumerate(targets)
    }
    if not training.config.model.frozen:
        chosen = [any(each) for each in zip(*taught.values(), strict=True)]
        return [(list(compress(training.graphs, chosen)), targets)]
    return [
        (list(compress(training.graphs, chosen)) * (IONIC_PASSES if target == "ionic" else 1), (target,))
        for target, chosen in taught.items()
    ]


def _teaches(graph: CrystalGraph, target: str, index: int) -> bool:
    known = not graph.latent[:, index].isnan().any()
    return bool(known or (target == "electronic" and graph.log_mean.isfinite()))


def rattled(graph: CrystalGraph, rattle: float, chance: torch.Generator) -> CrystalGraph:
    """The graph with its atoms displaced at random, `rattle` Å in each direction, and the same neighbours."""
    displacement = rattle * torch.randn(graph.pos.shape, generator=chance)
    edge_src, edge_dst = graph.edge_index
    moved = graph.clone()
    moved.pos = graph.pos + displacement
    moved.edge_vec = graph.edge_vec + displacement[edge_dst] - displacement[edge_src]
    return moved


def learning_rate(peak: float, progress: float) -> float:
    """Linear rise to `peak` over the first steps, then a half cosine to zero; `progress` in [0, 1]."""
    if progress < WARM_UP:
        return peak * progress / WARM_UP
    return peak * (1 + math.cos(math.pi * (progress - WARM_UP) / (1 - WARM_UP))) / 2


def train(training: Training) -> Iterator[EpochResult]:
    """Run the epochs that are left, one at a time."""
    config = training.config
    while training.epoch < config.epochs:
        started = time.perf_counter()
        chance = torch.Generator().manual_seed(config.seed * 100_003 + training.epoch)
        losses = []
        training.network.train()
        for graphs, targets in phases(training):
            loader = DataLoader(graphs, config.batch_size, shuffle=True, generator=chance)
            for step, batch in enumerate(loader):
                progress = (training.epoch + (step + 1) / len(loader)) / config.epochs
                for group in training.optimizer.param_groups:
                    group["lr"] = learning_rate(group["peak"], progress)
                if config.model.backbone == "scratch":
                    batch = rattled(batch, config.rattle, chance)
                batch = batch.to(training.device)
                training.optimizer.zero_grad()
                loss = total_loss(training.network, batch, targets)
                loss.backward()
                torch.nn.utils.clip_grad_norm_(training.network.parameters(), config.clip_norm)
                training.optimizer.step()
                training.averaged.update_parameters(training.network)
                losses.append(loss.item())
        training.epoch += 1
        validation_loss, validation = validate(training)
        yield EpochResult(
            epoch=training.epoch,
            epochs=config.epochs,
            train_loss=float(np.mean(losses)),
            validation_loss=validation_loss,
            validation=validation,
            learning_rate=training.optimizer.param_groups[0]["lr"],
            seconds=time.perf_counter() - started,
        )


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
    state = {f"network.{name}": t for name, t in training.network.state_dict().items()}
    state |= {f"averaged.{name}": t for name, t in training.averaged.state_dict().items()}
    for index, moments in training.optimizer.state_dict()["state"].items():
        state |= {f"optimizer.{index}.{name}": t for name, t in moments.items()}
    return state | {"epoch": torch.tensor(training.epoch)}


def restore(training: Training, state: dict[str, torch.Tensor]) -> None:
    """Put a fresh `Training` of the same config and data where `training_state` found the other."""

    def part(prefix: str) -> dict[str, torch.Tensor]:
        return {name.removeprefix(prefix): t for name, t in state.items() if name.startswith(prefix)}

    training.network.load_state_dict(part("network."))
    training.averaged.load_state_dict(part("averaged."))
    moments: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in part("optimizer.").items():
        index, moment = name.split(".")
        moments.setdefault(int(index), {})[moment] = tensor
    groups = training.optimizer.state_dict()["param_groups"]
    training.optimizer.load_state_dict({"state": moments, "param_groups": groups})
    training.epoch = int(state["epoch"])
