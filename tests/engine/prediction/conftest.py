"""A crystal with layers, and what the shipped model says of it."""

import pytest

from engine import load_dataset
from tests.engine import shipped


@pytest.fixture(scope="package")
def layered():
    return next(m for m in load_dataset("petousis-2017") if m.material_id == "mp-22881")  # CdCl2


@pytest.fixture(scope="package")
def prediction(layered):
    return shipped.predictor().predict(layered)
