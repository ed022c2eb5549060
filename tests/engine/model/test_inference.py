"""Where memory runs out, fewer crystals go at once, and one that is still too large goes to the CPU."""

import gc
import weakref

import pytest
import torch

from engine.config import GraphConfig, ModelConfig
from engine.crystals.graph import crystal_graphs
from engine.errors import EngineError
from engine.model.inference import ensemble_answers
from tests import crystals

TARGETS = ("electronic", "ionic")
PRETENDED = torch.device("meta")  # stands for an accelerator


class SmallMemory(torch.nn.Module):
    """A network that takes at most `most` crystals on its device, any number once it was moved to the CPU."""

    model_config = ModelConfig(mul=4, num_layers=1)

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most
        self.batches: list[weakref.ref] = []
        self.alive: list[int] = []

    def __deepcopy__(self, memo: dict) -> "SmallMemory":
        return SmallMemory(1000)

    def latents(self, graph, targets, lattice):
        gc.collect()
        self.alive.append(sum(one() is not None for one in self.batches))
        self.batches.append(weakref.ref(graph))
        if len(graph.cell) > self.most:
            raise torch.OutOfMemoryError("injected")
        return dict.fromkeys(targets, graph.cell)

    def embedding(self, graph):
        return graph.cell[:, 0]


@pytest.fixture
def graphs():
    structures = [crystals.diamond(), crystals.wurtzite(), crystals.triclinic(), crystals.diamond()]
    return crystal_graphs(structures, GraphConfig())


def test_halves_give_what_all_at_once_give_in_the_same_order(graphs):
    whole = ensemble_answers([SmallMemory(4)], graphs, torch.device("cpu"), TARGETS)
    halved = ensemble_answers([SmallMemory(1)], graphs, torch.device("cpu"), TARGETS)
    assert torch.equal(whole.latents, halved.latents)
    assert torch.equal(whole.embedding, halved.embedding)


def test_a_network_that_is_asked_about_no_crystal_computes_nothing(graphs):
    asked = torch.tensor([[True] * len(graphs), [False] * len(graphs)])
    answering, idle = SmallMemory(4), SmallMemory(4)
    latents = ensemble_answers([answering, idle], graphs, torch.device("cpu"), TARGETS, asked).latents
    assert (len(answering.batches), len(idle.batches)) == (1, 0)
    assert torch.equal(latents[0], ensemble_answers([answering], graphs, torch.device("cpu"), TARGETS).latents[0])


def test_no_batch_that_did_not_fit_is_kept_while_its_halves_are_tried(graphs):
    network = SmallMemory(1)
    ensemble_answers([network], graphs, torch.device("cpu"), TARGETS)
    assert len(network.alive) == 7
    assert not any(network.alive)


def test_a_crystal_too_large_for_the_accelerator_goes_to_the_cpu(graphs):
    network = SmallMemory(0)
    latents = ensemble_answers([network], graphs[:1], PRETENDED, TARGETS).latents
    assert len(latents) == 1
    assert latents.device == PRETENDED


def test_a_crystal_too_large_for_the_machine_is_refused_in_words(graphs):
    with pytest.raises(EngineError, match="atoms does not fit into the memory of this machine"):
        ensemble_answers([SmallMemory(0)], graphs[:1], torch.device("cpu"), TARGETS)
