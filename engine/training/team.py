"""Processes that train one network together, each on its share of every batch: torchrun, and Lightning Fabric."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar, cast

import numpy as np
import torch
from torch import nn
from torch_geometric.data import Batch

from engine.crystals.graph import CrystalGraph, collate
from engine.errors import EngineError
from engine.network.network import DielectricNetwork
from engine.training.losses import label_weights, total_loss

if TYPE_CHECKING:
    from lightning_fabric import Fabric

Answer = TypeVar("Answer")


class Team:
    """One process, which is a team by itself.

    Attributes:
        rank, size: its number, and how many they are; number 0 leads, and alone writes files.
    """

    rank, size = 0, 1

    @property
    def leads(self) -> bool:
        """Whether this process says what is done, and keeps what comes of it."""
        return self.rank == 0

    def loss_of(self, network: DielectricNetwork) -> Callable[[CrystalGraph, Sequence[str]], torch.Tensor]:
        """What `total_loss` says of a batch that every member has, on the network's device."""
        device = network.offset.device
        return lambda batch, targets: total_loss(network, batch.to(device), targets)

    def device(self, asked: str) -> str:
        """Where this process trains, of what was asked for all."""
        return asked

    def mean(self, losses: Sequence[float]) -> float:
        """Mean over all batches and members."""
        return float(np.mean(losses))

    def told(self, said: Callable[[], Answer]) -> Answer:
        """What the leader says, to all."""
        return said()

    @contextmanager
    def leader_first(self) -> Iterator[None]:
        """The leader does this alone, then the others, which find what it left on disk."""
        yield


ALONE = Team()


class _Processes(Team):
    """The processes that `torchrun` began.

    Each shuffles alike, so that all have the same batches, and learns from every size-th crystal of a batch. Its
    loss is divided by the labels of the whole batch: the sum over the members is what one process would have, and
    so is its gradient, up to rounding.
    """

    def __init__(self, fabric: "Fabric") -> None:
        self.fabric = fabric
        self.rank, self.size = fabric.global_rank, fabric.world_size

    def loss_of(self, network: DielectricNetwork) -> Callable[[CrystalGraph, Sequence[str]], torch.Tensor]:
        module = self.fabric.setup_module(_Loss(network), move_to_device=False)
        device = network.offset.device

        def loss(batch: CrystalGraph, targets: Sequence[str]) -> torch.Tensor:
            weights = label_weights(batch, network.model_config.targets, targets)
            graphs = Batch.to_data_list(batch)
            mine = graphs[self.rank :: self.size]
            # One without a share must answer too, or the others would wait for its gradient.
            said: torch.Tensor = module(collate(mine or graphs[:1]).to(device), targets, weights)
            return said * (self.size if mine else 0)  # of which the mean over the members is taken

        return loss

    def device(self, asked: str) -> str:
        return str(self.fabric.device)

    def mean(self, losses: Sequence[float]) -> float:
        own = torch.tensor(losses, dtype=torch.float32, device=self.fabric.device).mean()
        whole: torch.Tensor = self.fabric.strategy.all_reduce(own)
        return whole.item()

    def told(self, said: Callable[[], Answer]) -> Answer:
        return cast(Answer, self.fabric.broadcast(said() if self.leads else None))

    @contextmanager
    def leader_first(self) -> Iterator[None]:
        with self.fabric.rank_zero_first():
            yield


class _Loss(nn.Module):
    """`total_loss` as the forward step of a module, which is what gradients are exchanged for."""

    def __init__(self, network: DielectricNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, batch: CrystalGraph, targets: Sequence[str], weights: dict[str, torch.Tensor]
    ) -> torch.Tensor:
        return total_loss(self.network, batch, targets, weights)


def assembled(device: str) -> Team:
    """The team that this process belongs to: of those that `torchrun` began, or alone.

    Only the leader heeds an interruption, so that none leaves while others wait for it.

    Raises:
        EngineError: Lightning Fabric is missing, or there are fewer GPUs than processes.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return ALONE
    try:
        from lightning_fabric import Fabric
        from lightning_fabric.strategies import DDPStrategy
    except ImportError as error:
        raise EngineError(
            "several processes train one network by Lightning Fabric: pip install lightning-fabric"
        ) from error
    local = int(os.environ.get("LOCAL_WORLD_SIZE", str(size)))
    on_gpu = torch.cuda.is_available() if device == "auto" else device.startswith("cuda")
    if on_gpu and torch.cuda.device_count() < local:
        raise EngineError(f"{local} processes need as many GPUs, and there are {torch.cuda.device_count()}")
    fabric = Fabric(
        accelerator="cuda" if on_gpu else "cpu",
        devices=local,
        num_nodes=size // local,
        strategy=DDPStrategy(find_unused_parameters=True),  # each target has readouts of its own
    )
    fabric.launch()
    team = _Processes(fabric)
    if not team.leads:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
    return team
