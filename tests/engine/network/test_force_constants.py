"""Force constants are the derivative of the potential's forces, with the symmetries that nature gives them."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.crystals.graph import collate, crystal_graphs
from engine.data.datasets import load_dataset
from engine.network import feature_cache
from engine.network.feature_cache import (
    has_force_constants,
    known_force_constants,
    shipped_force_constants,
    structure_key,
)
from engine.network.force_constants import effort, force_constants
from engine.network.potential import GRAPH, pretrained_features
from tests import crystals

CPU = torch.device("cpu")


def embedded(material_id):
    return next(m for m in load_dataset("petousis-2017") if m.material_id == material_id)


@pytest.fixture(scope="module")
def nitride():
    return embedded("mp-830")  # GaN, two atoms


@pytest.fixture(scope="module")
def constants(nitride):
    return force_constants(nitride, CPU)


def forces(material):
    graph = collate(crystal_graphs([material], GRAPH, torch.float64))
    return pretrained_features(CPU, torch.float64).forces(graph).numpy()


def slopes(material, step=1e-3):
    """Force constants by central differences along every axis, without symmetry."""
    inverse, columns = np.linalg.inv(material.cell), []
    for column in range(3 * material.natoms):
        shift = np.zeros((material.natoms, 3))
        shift.flat[column] = step
        ahead, behind = (
            forces(replace(material, frac_coords=material.frac_coords + sign * shift @ inverse))
            for sign in (1, -1)
        )
        columns.append(-(ahead - behind).ravel() / (2 * step))
    return np.stack(columns, axis=1)


def test_they_are_the_derivative_of_the_forces(nitride, constants):
    assert np.allclose(constants, slopes(nitride), atol=1e-3 * np.abs(constants).max())


def test_they_are_symmetric_and_no_force_acts_on_a_crystal_that_moves_as_a_whole(constants):
    assert np.array_equal(constants, constants.T)
    whole = np.tile(np.eye(3), (2, 1))
    assert np.abs(constants @ whole).max() < 1e-9


def test_forces_at_rest_do_not_count_in_a_crystal_a_little_off_the_symmetry_that_is_made_use_of():
    rosiaite = embedded("mp-20727")  # PbSb2O6
    found = force_constants(rosiaite, CPU)
    assert np.abs(found - slopes(rosiaite)).max() < 5e-3 * np.abs(found).max()


def test_forces_are_even_under_inversion(nitride):
    moved = replace(nitride, frac_coords=nitride.frac_coords + np.array([[0], [0.01]]))
    mirrored = replace(moved, cell=-moved.cell)
    assert np.allclose(forces(mirrored), -forces(moved), atol=1e-9)


def test_symmetry_saves_most_of_the_work(nitride):
    assert effort(nitride) < 6 * 2 * nitride.natoms / 2


def test_progress_ends_at_all_displaced_crystals(nitride):
    seen = []
    force_constants(nitride, CPU, lambda *counts: seen.append(counts))
    assert seen[-1][0] == seen[-1][1] > 0


def test_every_embedded_tensor_comes_with_force_constants():
    assert {structure_key(m) for m in load_dataset("petousis-2017")} <= set(shipped_force_constants())


@pytest.mark.parametrize("material_id", ["mp-830", "mp-3614", "mp-510281"])  # KTaO3 is soft, FeCuO2 not quite R-3m
def test_they_are_those_that_are_computed(material_id):
    material = embedded(material_id)
    (shipped,) = known_force_constants([material], CPU)
    computed = force_constants(material, CPU)
    assert np.allclose(shipped, computed, atol=1e-5 * np.abs(computed).max())


def test_a_structure_has_the_force_constants_of_its_material(nitride):
    assert structure_key(nitride.structure) == structure_key(nitride)
    of_material, of_structure = known_force_constants([nitride, nitride.structure], CPU)
    assert torch.equal(of_material, of_structure)


def test_computed_force_constants_are_kept_for_the_next_time(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    diamond = crystals.diamond()
    assert not has_force_constants(diamond)
    (first,) = known_force_constants([diamond], CPU)
    assert has_force_constants(diamond)
    monkeypatch.setattr(feature_cache, "force_constants", None)
    (again,) = known_force_constants([diamond], CPU)
    assert torch.equal(first, again)
