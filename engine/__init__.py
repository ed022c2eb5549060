"""Dielectric tensors of crystals from an E(3)-equivariant network.

from engine import Predictor, load_dataset

predictor = Predictor.load()
prediction = predictor.predict(structure)
prediction.electronic, prediction.interval("electronic")

Each name is loaded when it is first asked for, so that `import engine` takes no time.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.config import GraphConfig, ModelConfig, TrainConfig
    from engine.crystals.approximations import ordered_approximations
    from engine.crystals.material import Material
    from engine.data.datasets import load_dataset
    from engine.errors import EngineError
    from engine.prediction.calculator import DielectricCalculator
    from engine.prediction.prediction import Prediction
    from engine.prediction.predictor import Predictor
    from engine.runs.run import Run

__all__ = [
    "DielectricCalculator",
    "EngineError",
    "GraphConfig",
    "Material",
    "ModelConfig",
    "Prediction",
    "Predictor",
    "Run",
    "TrainConfig",
    "load_dataset",
    "ordered_approximations",
]

_HOMES = {
    "DielectricCalculator": "engine.prediction.calculator",
    "EngineError": "engine.errors",
    "GraphConfig": "engine.config",
    "Material": "engine.crystals.material",
    "ModelConfig": "engine.config",
    "Prediction": "engine.prediction.prediction",
    "Predictor": "engine.prediction.predictor",
    "Run": "engine.runs.run",
    "TrainConfig": "engine.config",
    "load_dataset": "engine.data.datasets",
    "ordered_approximations": "engine.crystals.approximations",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = getattr(import_module(_HOMES[name]), name)
    return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
