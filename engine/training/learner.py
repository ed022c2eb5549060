"""One step of a training, the same for every network here, and the average of where its weights have been."""

import math
from collections.abc import Iterable
from copy import deepcopy
from typing import Any, Generic, TypeVar

import torch
from torch import nn

from engine.config import IndexConfig, TrainConfig

WARM_UP = 0.05  # share of the steps over which the learning rate rises

Network = TypeVar("Network", bound=nn.Module)


def learning_rate(peak: float, progress: float) -> float:
    """Linear rise to `peak` over the first steps, then a half cosine to zero; `progress` in [0, 1]."""
    if progress < WARM_UP:
        return peak * progress / WARM_UP
    return peak * (1 + math.cos(math.pi * (progress - WARM_UP) / (1 - WARM_UP))) / 2


class Learner(Generic[Network]):
    """A network that learns by AdamW with clipped gradients.

    Attributes:
        network: weights as the optimiser moves them.
        result: their exponential average, the weights to keep. A step counts for the weights that it moved: those
            of another target's readout stay as they are.
        optimizer: each of its groups has a `peak` of its learning rate.
    """

    def __init__(
        self,
        network: Network,
        groups: Iterable[dict[str, Any]],
        *,
        weight_decay: float,
        clip_norm: float,
        average_decay: float,
    ) -> None:
        self.network, self.result = network, deepcopy(network)
        self.optimizer = torch.optim.AdamW(groups, weight_decay=weight_decay)
        self.clip_norm, self.average_decay = clip_norm, average_decay

    @classmethod
    def at_one_rate(cls, network: Network, config: TrainConfig | IndexConfig) -> "Learner[Network]":
        """A learner all of whose weights learn at the config's rate."""
        return cls(
            network,
            [{"params": list(network.parameters()), "peak": config.learning_rate}],
            weight_decay=config.weight_decay,
            clip_norm=config.clip_norm,
            average_decay=config.average_decay,
        )

    def step(self, loss: torch.Tensor, progress: float) -> float:
        """Move the weights down the gradient of `loss`; `progress` is the share of the training that is done."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(group["peak"], progress)
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), self.clip_norm)
        self.optimizer.step()
        self._average()
        return loss.item()

    @torch.no_grad()
    def _average(self) -> None:
        for kept, moving in zip(self.result.parameters(), self.network.parameters(), strict=True):
            if moving.grad is not None:
                kept.lerp_(moving, 1 - self.average_decay)

    def state(self) -> dict[str, torch.Tensor]:
        """All that `restore` needs to go on as if nothing had stopped."""
        state = {f"network.{name}": t for name, t in self.network.state_dict().items()}
        state |= {f"averaged.{name}": t for name, t in self.result.state_dict().items()}
        for index, moments in self.optimizer.state_dict()["state"].items():
            state |= {f"optimizer.{index}.{name}": t for name, t in moments.items()}
        return state

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        """Put a fresh learner of the same network where `state` found the other."""

        def part(prefix: str) -> dict[str, torch.Tensor]:
            return {name.removeprefix(prefix): t for name, t in state.items() if name.startswith(prefix)}

        self.network.load_state_dict(part("network."))
        self.result.load_state_dict(part("averaged."))
        moments: dict[int, dict[str, torch.Tensor]] = {}
        for name, tensor in part("optimizer.").items():
            index, moment = name.split(".")
            moments.setdefault(int(index), {})[moment] = tensor
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": moments, "param_groups": groups})
