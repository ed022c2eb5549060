"""A small network is taught the potential's features: what is asked of it turns with the crystal; it learns."""

from dataclasses import replace

import pytest
import torch
from e3nn import o3

from engine.data.folds import formula_rank
from engine.network.distilled import StudentSize
from engine.network.potential import IRREPS
from engine.training import distillation
from engine.training.distillation import Components, Distillation, DistillationConfig, teaching_crystals
from tests.engine.small import materials

SIZE = StudentSize(
    channels=(16, 8, 8), layers=2, edge_width=8, product_channels=4, output_width=16, scalars=8, tensors=4
)
CONFIG = DistillationConfig(size=SIZE, epochs=4)


@pytest.fixture(autouse=True)
def small(tmp_path, monkeypatch):
    """A cache folder of the test's own, and small batches."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(distillation, "BATCH_ATOMS", 16)
    monkeypatch.setattr(distillation, "WATCHED", 0.2)


def random_features(count: int) -> torch.Tensor:
    return torch.randn(count, IRREPS.dim, generator=torch.Generator().manual_seed(0))


def test_what_is_asked_turns_as_the_features_do():
    known = random_features(1000)
    components = Components.of(known, SIZE)
    rotation = o3.rand_matrix()
    turned = components(known @ IRREPS.D_from_matrix(rotation).T)
    assert torch.allclose(turned, components(known) @ SIZE.irreps.D_from_matrix(rotation).T, atol=1e-4)


def test_nothing_is_explained_by_means_and_all_by_the_features_themselves():
    known = random_features(1000)
    components = Components.of(known, SIZE)
    wanted = components(known)
    mean = torch.zeros_like(wanted)  # components are centred
    assert torch.allclose(components.unexplained(mean, wanted), torch.ones(2), atol=5e-3)
    assert (components.unexplained(wanted, wanted) == 0).all()


def test_a_student_learns_and_watches_formulas_that_do_not_teach():
    training = Distillation(materials(60), CONFIG)
    errors = [sum(epoch.taught) for epoch in training.epochs()]
    assert errors[-1] < 0.7 * errors[0]
    ranked = [formula_rank(material.formula) < 0.2 for material in materials(60)]
    assert len(training.watched) == sum(ranked) > 0
    assert len(training.taught) == 60 - sum(ranked)


def test_a_training_that_was_ended_goes_on_as_if_it_had_not():
    whole = Distillation(materials(20), replace(CONFIG, epochs=2))
    list(whole.epochs())
    begun = Distillation(materials(20), replace(CONFIG, epochs=2))
    next(begun.epochs())
    resumed = Distillation(materials(20), replace(CONFIG, epochs=2))
    resumed.restore(begun.state())
    list(resumed.epochs())
    for one, other in zip(whole.result.parameters(), resumed.result.parameters(), strict=True):
        assert torch.equal(one, other)


def test_every_crystal_teaches_once_and_its_elements_are_known_to_the_potential():
    few = teaching_crystals(most_atoms=2)
    assert len({(m.cell.tobytes(), m.atomic_numbers.tobytes(), m.frac_coords.tobytes()) for m in few}) == len(few)
    assert max(m.natoms for m in few) == 2
