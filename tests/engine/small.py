"""A configuration and a data set small enough to train in a test."""

from dataclasses import replace
from functools import lru_cache

from engine.config import GraphConfig, ModelConfig, TrainConfig
from engine.crystals.material import Material
from engine.data.datasets import load_dataset

CONFIG = TrainConfig(
    graph=GraphConfig(r_max=4.0),
    model=ModelConfig(mul=4, num_layers=1, num_basis=6, radial_width=16),
    epochs=3,
    batch_size=8,
    device="cpu",
)


def config(**changes: object) -> TrainConfig:
    """`CONFIG` with some values changed."""
    return replace(CONFIG, **changes)


@lru_cache
def materials(count: int = 60) -> list[Material]:
    """Crystals of at most six atoms with sound labels, enough for folds that share no formula."""
    return [m for m in load_dataset("petousis-2017") if m.natoms <= 6 and not m.flags][:count]
