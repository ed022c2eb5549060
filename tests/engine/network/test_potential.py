"""The frozen potential: exact symmetry, a cache that cannot lie, and a readout that learns."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from e3nn import o3
from pymatgen.core import Lattice, Structure

from engine.config import ModelConfig, TrainConfig
from engine.crystals.graph import collate, crystal_graphs
from engine.data.datasets import index_materials
from engine.data.parquet import write_materials
from engine.errors import EngineError
from engine.network.feature_cache import material_features
from engine.network.potential import GRAPH, IRREPS, _loaded, pretrained_features
from engine.prediction.predictor import Predictor
from engine.runs.run import Run
from engine.training.loop import start_training, train
from engine.training.losses import index_loss
from tests import crystals
from tests.engine.small import materials

CPU = torch.device("cpu")
CONFIG = TrainConfig.for_backbone(
    "pretrained",
    model=ModelConfig(backbone="pretrained", readout_width=16),
    epochs=20,
    index_data="",
    device="cpu",
)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache folder of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def features(structure):
    return pretrained_features(CPU, torch.float32)(collate(crystal_graphs([structure], GRAPH)))


@pytest.mark.parametrize("sign", [1, -1], ids=["rotation", "rotation and inversion"])
def test_features_turn_with_the_crystal_and_are_even_under_inversion(sign):
    structure = crystals.triclinic()
    rotation = o3.angles_to_matrix(*torch.tensor([0.7, 1.1, 2.3]))
    turned = Structure(
        Lattice(sign * structure.lattice.matrix @ rotation.double().numpy().T),
        structure.species,
        structure.frac_coords,
    )
    expected = features(structure) @ IRREPS.D_from_matrix(rotation).T
    error = (features(turned) - expected).norm() / expected.norm()
    assert error < 1e-4  # many layers in float32; test_physics.py holds the tensors to less


def test_a_potential_first_loaded_for_features_gives_forces_too():
    _loaded.cache_clear()
    with torch.inference_mode():  # as a prediction does
        features(crystals.wurtzite())
    forces = pretrained_features(CPU, torch.float32).forces(collate(crystal_graphs([crystals.wurtzite()], GRAPH)))
    assert forces.isfinite().all()


def test_the_forces_are_the_mean_of_those_on_the_crystal_and_on_its_inverted_image():
    graph = collate(crystal_graphs([crystals.wurtzite(), crystals.triclinic()], GRAPH, torch.float64))
    potential = pretrained_features(CPU, torch.float64)
    both = [potential.forces(graph, torch.tensor(images)) for images in ([1, -1], [-1, 1])]
    assert not torch.allclose(*both, atol=1e-6)  # the potential itself knows no inversion
    assert torch.allclose(potential.forces(graph), sum(both) / 2, atol=1e-9)


def test_an_element_that_the_potential_does_not_know_is_named():
    with pytest.raises(EngineError, match="does not know Og"):
        features(Structure(Lattice.cubic(4), ["Og"], [[0, 0, 0]]))


def test_cached_features_are_those_computed_and_a_damaged_file_is_computed_anew(cache):
    few = materials(20)[:4]
    first = material_features(few, CPU)
    files = sorted(cache.rglob("*.safetensors"))
    assert len(files) == 4
    files[0].write_bytes(b"damaged")
    files[1].unlink()
    for one, other in zip(first, material_features(few, CPU), strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_progress_of_features_ends_at_all_of_them():
    seen = []
    material_features(materials(20)[:4], CPU, lambda *counts: seen.append(counts))
    assert seen[-1] == (4, 4)


def test_a_readout_learns_on_frozen_features_and_survives_a_run(tmp_path):
    data = tmp_path / "small.parquet"
    write_materials(data, materials(40))
    run = Run.create(CONFIG, str(data), tmp_path / "run")
    assert run.work(lambda result: None) == "finished"
    losses = [result.train_loss for result in run.history()]
    assert losses[-1] < losses[0] / 2
    done, total = run.features()
    assert done == total > 0
    prediction = Predictor.load(str(run.folder), device="cpu").predict(materials(40)[0].structure)
    assert np.linalg.eigvalsh(prediction.electronic).min() >= 1


def test_crystals_known_by_their_index_alone_share_no_formula_with_what_is_held_out(tmp_path):
    few = [replace(m, electronic=None, ionic=None) for m in materials(20)]
    index_file = tmp_path / "index.parquet"
    write_materials(index_file, few)
    held_out = {m.formula for m in materials(20)[:5]}
    taken = index_materials(str(index_file), held_out)
    assert taken
    assert held_out.isdisjoint(m.formula for m in taken)
    config = replace(CONFIG, index_data=str(index_file), epochs=1)
    training = start_training(materials(40)[20:], (), config, held_out)
    assert training.trained_on.isdisjoint(held_out)
    assert training.trained_on >= {m.formula for m in taken}
    (result,) = train(training)
    assert np.isfinite(result.train_loss)


def test_an_index_label_is_met_by_any_tensor_of_that_mean():
    logarithm = torch.diag(torch.tensor([1.0, 2.0, 6.0]).log())[None]
    wanted = torch.tensor([3.0]).log()
    assert index_loss(logarithm, wanted) < 1e-6
    assert index_loss(torch.zeros(1, 3, 3), wanted) > 0.1
