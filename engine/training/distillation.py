"""A small network learns the pretrained potential's features, see network/distilled.py.

No dielectric label takes part, so that one network serves all folds, as the potential does. What is taught are the
features at unit scale, turned onto their principal components: the scalars and the lengths of the l = 2 channels
together, and the l = 2 channels. The loss is the share of their variance that is not explained.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from engine.crystals.graph import CrystalGraph, collate, crystal_graphs
from engine.crystals.material import Material
from engine.data.datasets import SHIPPED, load_dataset
from engine.data.folds import formula_rank
from engine.data.phonons import read_phonons
from engine.network.backbones import FrozenBackbone
from engine.network.distilled import Student, StudentSize
from engine.network.feature_cache import material_features, structure_key
from engine.network.heads import scalar_inputs
from engine.network.potential import GRAPH, pretrained_features
from engine.training.learner import Learner

MOST_ATOMS = 24
WATCHED = 0.03  # share of the formulas that are only watched
BATCH_ATOMS = 128
DEGREE_JITTER = 10.0  # neighbours; batches hold crystals of like density, and not always the same ones
LARGEST = 1.5  # standard deviation of the first component as the network gives it


@dataclass(frozen=True, kw_only=True)
class DistillationConfig:
    """How a student is taught."""

    size: StudentSize = field(default_factory=StudentSize)
    epochs: int = 20
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    clip_norm: float = 2.0
    average_decay: float = 0.998
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Components:
    """Where the principal components of the potential's features lie, and what is kept of them.

    Attributes:
        unit: features at unit scale.
        center: [768] means of the scalar inputs.
        scalars, tensors: [768, S] and [128, T] from inputs to components, as the network gives them.
        scalar_weight, tensor_weight: [S] and [T], of a component's squared error, to make it that of the inputs.
    """

    unit: FrozenBackbone
    center: torch.Tensor
    scalars: torch.Tensor
    tensors: torch.Tensor
    scalar_weight: torch.Tensor
    tensor_weight: torch.Tensor

    @classmethod
    def of(cls, features: torch.Tensor, size: StudentSize) -> "Components":
        """Those of the potential's features [N, IRREPS]."""
        unit = FrozenBackbone()
        unit.fit(features)
        inputs, even = _parts(unit, features)
        scalars, scalar_weight = _components(torch.cov(inputs.T), size.scalars)
        tensors, tensor_weight = _components(
            torch.einsum("num,nvm->uv", even, even) / even[:, 0].numel(), size.tensors
        )
        return cls(
            unit=unit,
            center=inputs.mean(0),
            scalars=scalars,
            tensors=tensors,
            scalar_weight=scalar_weight,
            tensor_weight=tensor_weight,
        )

    def __call__(self, features: torch.Tensor) -> torch.Tensor:
        """What the student is to give, [N, S x 0e + T x 2e], of the potential's features [N, IRREPS]."""
        inputs, even = _parts(self.unit, features)
        turned = torch.einsum("num,uv->nvm", even, self.tensors)
        return torch.cat([(inputs - self.center) @ self.scalars, turned.flatten(1)], 1)

    def unexplained(self, found: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        """[2] shares of the variance of scalars and of tensors that are not explained."""
        count = len(self.scalar_weight)
        square = (found - wanted).square().mean(0)
        scalars = (square[:count] * self.scalar_weight).sum()
        tensors = (square[count:].unflatten(0, (-1, 5)).mean(1) * self.tensor_weight).sum()
        return torch.stack([scalars, tensors])


def _parts(unit: FrozenBackbone, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Scalar inputs [N, 768] and l = 2 channels [N, 128, 5]."""
    node, count = unit.scaled(features), unit.irreps_out.count("0e")
    return scalar_inputs(node, count), node[:, count:].unflatten(1, (-1, 5))


def _components(covariance: torch.Tensor, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The first components [n, count], and weights of their squared errors; times the variances they add up to 1.

    A component is given at the fourth root of its variance: at unit scale the last would be as loud as the first.
    """
    variance, axes = torch.linalg.eigh(covariance.double())
    variance, axes = variance.flip(0)[:count], axes.flip(1)[:, :count]
    scale = LARGEST / variance[0] ** 0.25 / variance**0.25
    return (axes * scale).float(), (1 / scale**2 / variance.sum()).float()


def teaching_crystals(phonon_data: str = "", most_atoms: int = MOST_ATOMS) -> list[Material]:
    """The embedded crystals, and those of a phonon file, each once, whose elements the potential knows.

    Raises:
        EngineError: the phonon file cannot be read.
    """
    found = [material for name in SHIPPED for material in load_dataset(name)]
    found += [one.material for one in read_phonons(phonon_data)] if phonon_data else []
    once = {structure_key(material): material for material in found if material.natoms <= most_atoms}
    known = set(pretrained_features(torch.device("cpu"), torch.float32).potential.type_map)
    return [material for material in once.values() if known.issuperset(material.atomic_numbers.tolist())]


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One epoch; the pairs are shares not explained, of scalars and tensors, `watched` by averaged weights."""

    epoch: int
    taught: tuple[float, float]
    watched: tuple[float, float]
    seconds: float


class Distillation:
    """A student that learns; `result` is the one with averaged weights."""

    def __init__(
        self,
        materials: Sequence[Material],
        config: DistillationConfig,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        cpu = torch.device("cpu")
        features = material_features(materials, cpu, progress)
        self.config, self.epoch = config, 0
        self.components = Components.of(torch.cat(features), config.size)
        graphs = _slim(crystal_graphs(materials, GRAPH))
        for graph, one in zip(graphs, features, strict=True):
            graph.features = self.components(one)
        watched = [formula_rank(material.formula) < WATCHED for material in materials]
        self.taught = [graph for graph, other in zip(graphs, watched, strict=True) if not other]
        self.watched = [graph for graph, other in zip(graphs, watched, strict=True) if other]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            student = Student(config.size)
        self.learner = Learner(
            student,
            [{"params": list(student.parameters()), "peak": config.learning_rate}],
            weight_decay=config.weight_decay,
            clip_norm=config.clip_norm,
            average_decay=config.average_decay,
        )

    @property
    def result(self) -> Student:
        """The student with averaged weights."""
        return self.learner.result

    def epochs(self) -> Iterator[Epoch]:
        """Run the epochs that are left, one at a time."""
        while self.epoch < self.config.epochs:
            started = time.perf_counter()
            rng = np.random.default_rng([self.config.seed, self.epoch])
            batches = batches_of_like_density(self.taught, rng)
            errors = []
            for done, batch in enumerate(batches, start=1):
                graph = collate(batch)
                error = self.components.unexplained(self.learner.network(graph), graph.features)
                self.learner.step(error.sum(), (self.epoch + done / len(batches)) / self.config.epochs)
                errors.append(error.detach())
            self.epoch += 1
            taught, watched = torch.stack(errors).mean(0).tolist(), self.watch()
            yield Epoch(
                epoch=self.epoch,
                taught=(taught[0], taught[1]),
                watched=watched,
                seconds=time.perf_counter() - started,
            )

    @torch.inference_mode()
    def watch(self) -> tuple[float, float]:
        """Shares not explained, of the crystals that are only watched."""
        graphs = [collate(batch) for batch in batches_of_like_density(self.watched, np.random.default_rng(0))]
        found = torch.cat([self.result(graph) for graph in graphs])
        scalars, tensors = self.components.unexplained(found, torch.cat([g.features for g in graphs])).tolist()
        return scalars, tensors

    def state(self) -> dict[str, torch.Tensor]:
        """All that `restore` needs to go on as if nothing had stopped."""
        return self.learner.state() | {"epoch": torch.tensor(self.epoch)}

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        """Put a fresh distillation of the same crystals and config where `state` found the other."""
        self.learner.restore(state)
        self.epoch = int(state["epoch"])


def batches_of_like_density(graphs: Sequence[CrystalGraph], rng: np.random.Generator) -> list[list[CrystalGraph]]:
    """All graphs in batches of `BATCH_ATOMS` or a few more, in random order; atoms are padded to like degree."""
    degree = [graph.num_edges / graph.num_nodes + DEGREE_JITTER * rng.random() for graph in graphs]
    batches: list[list[CrystalGraph]] = [[]]
    atoms = 0
    for index in np.argsort(degree):
        if atoms >= BATCH_ATOMS:
            batches.append([])
            atoms = 0
        batches[-1].append(graphs[index])
        atoms += graphs[index].num_nodes
    rng.shuffle(batches)
    return batches


def _slim(graphs: list[CrystalGraph]) -> list[CrystalGraph]:
    """Graphs without what a student does not look at."""
    for graph in graphs:
        del graph.cell_shift
    return graphs
