"""Metals are told from insulators, also among crystals that nothing is known of."""

import numpy as np
import pytest
import torch

from engine.errors import EngineError
from engine.model.metals import FILE, accuracy, fit_metals, read_metals, write_metals

SEPARATION = 4.0


@pytest.fixture(scope="module")
def crystals():
    """Features of insulators, of metals, and of insulators of which nothing is known; who is which."""
    rng = np.random.default_rng(0)
    kind = np.repeat([0, 1, 2], [400, 300, 100])
    features = rng.normal(size=(800, 6))
    features[kind == 1, 0] += SEPARATION
    return features, kind


def test_hidden_insulators_do_not_hide_the_metals(crystals):
    features, kind = crystals
    probability = fit_metals(features, kind == 0).probability(torch.tensor(features)).numpy()
    mistaken, found = accuracy(probability, (kind == 0).tolist(), (kind == 1).tolist())
    assert mistaken <= 0.03
    assert found >= 0.95
    assert (probability[kind == 2] > 0.5).mean() < 0.1


def test_a_model_carries_its_classifier(crystals, tmp_path):
    features, kind = crystals
    metals = fit_metals(features, kind == 0)
    assert read_metals(tmp_path, torch.device("cpu")) is None
    write_metals(tmp_path, metals)
    again = read_metals(tmp_path, torch.device("cpu"))
    assert torch.equal(again.weight, metals.weight)
    assert torch.equal(again.bias, metals.bias)
    (tmp_path / FILE).write_bytes(b"x")
    with pytest.raises(EngineError):
        read_metals(tmp_path, torch.device("cpu"))
