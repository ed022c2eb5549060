"""Dielectric tensors of crystals from an E(3)-equivariant network.

from engine import Predictor, load_dataset

predictor = Predictor.load()
prediction = predictor.predict(structure)
prediction.electronic, prediction.interval("electronic")
"""

from engine.config import GraphConfig, ModelConfig, TrainConfig
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
]
