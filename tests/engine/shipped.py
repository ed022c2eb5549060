"""The shipped models, loaded once a process: a Predictor never changes."""

from functools import cache

from engine.prediction.predictor import Predictor


@cache
def predictor(name: str | None = None) -> Predictor:
    """The shipped model of this name, or the default one, on the CPU."""
    return Predictor.load(name, device="cpu")
