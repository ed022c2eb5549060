"""What a shipped model says today is what its own file of out-of-fold predictions says."""

import numpy as np
import pytest

from engine.crystals.material import CRYSTAL_SYSTEMS
from engine.data.datasets import load_dataset
from engine.files import MODELS_FOLDER
from engine.model.out_of_fold import read_out_of_fold
from engine.model.shipped_models import available_models
from tests.engine import shipped


@pytest.mark.parametrize("name", available_models())
def test_a_shipped_model_repeats_its_published_out_of_fold_predictions(name):
    # Judged on features kept in single precision, asked in double: far less than any error against DFT.
    kept = read_out_of_fold(MODELS_FOLDER / name)
    place = {material_id: row for row, material_id in enumerate(kept.material_id)}
    materials = load_dataset("petousis-2017")
    chosen = [next(m for m in materials if m.crystal_system == system) for system in CRYSTAL_SYSTEMS]
    predictions = shipped.predictor(name).predict_many(chosen, out_of_fold=True)
    for material, prediction in zip(chosen, predictions, strict=True):
        row = place[material.material_id]
        assert prediction.held_out
        for target in ("electronic", "ionic"):
            expected = kept.tensors[target][row]
            error = np.linalg.norm(getattr(prediction, target) - expected)
            assert error <= 5e-3 * np.linalg.norm(expected), (material.formula, target)
        assert prediction.interval("electronic")[0] < kept.interval["electronic"][row][1]
