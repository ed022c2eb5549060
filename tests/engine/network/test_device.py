"""One device has one name."""

import pytest
import torch

from engine.network import potential
from engine.network.device import numbered, resolve_device


@pytest.fixture
def second_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)


def test_a_gpu_without_a_number_is_the_current_one(second_gpu):
    assert resolve_device("auto") == resolve_device("cuda") == torch.device("cuda", 1)
    assert numbered(torch.device("cuda", 0)) == torch.device("cuda", 0)
    assert numbered(torch.device("cpu")) == torch.device("cpu")


def test_the_potential_is_loaded_once_for_a_gpu_however_it_is_called(second_gpu, monkeypatch):
    asked = []
    monkeypatch.setattr(potential, "_loaded", lambda device, dtype: asked.append(device))
    potential.pretrained_features(torch.device("cuda"), torch.float32)
    potential.pretrained_features(torch.device("cuda", 1), torch.float32)
    assert asked == [torch.device("cuda", 1)] * 2


def test_loading_the_potential_changes_nothing_of_its_host_process(monkeypatch):
    monkeypatch.setattr(potential, "keep_memory", lambda: pytest.fail("mallopt is for processes of our own"))
    potential._loaded.cache_clear()
    potential.pretrained_features(torch.device("cpu"), torch.float32)
