"""Dielectric tensors of crystals from an E(3)-equivariant network.

from engine import Predictor, load_dataset

predictor = Predictor.load()
prediction = predictor.predict(structure)
prediction.electronic, prediction.interval("electronic")
"""

from engine.calculator import DielectricCalculator
from engine.config import GraphConfig, ModelConfig, TrainConfig
from engine.dataset import load_dataset
from engine.errors import EngineError
from engine.materials import Material
from engine.prediction import Prediction
from engine.predictor import Predictor
from engine.runs import Run

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
