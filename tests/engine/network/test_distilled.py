"""The network distilled from the potential: symmetry by construction, smooth edges, and a file that fits."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from e3nn import o3
from pymatgen.core import Lattice, Structure

from engine.config import GraphConfig
from engine.crystals.graph import collate, crystal_graphs
from engine.errors import EngineError
from engine.network.distilled import R_MAX, Student, StudentSize, load_student, save_student
from tests import crystals

SIZE = StudentSize(
    channels=(8, 6, 4), layers=2, edge_width=8, product_channels=4, output_width=16, scalars=5, tensors=3
)
GRAPH = GraphConfig(r_max=R_MAX)


@pytest.fixture(scope="module")
def student() -> Student:
    torch.manual_seed(0)
    return Student(SIZE).double().eval()


def features(student: Student, *structures: Structure) -> torch.Tensor:
    with torch.inference_mode():
        return student(collate(crystal_graphs(structures, GRAPH, torch.float64)))


@pytest.mark.parametrize("sign", [1, -1], ids=["rotation", "rotation and inversion"])
def test_features_turn_with_the_crystal_and_are_even_under_inversion(student, sign):
    structure = crystals.triclinic()
    rotation = o3.angles_to_matrix(*torch.tensor([0.7, 1.1, 2.3], dtype=torch.float64))
    turned = Structure(
        Lattice(sign * structure.lattice.matrix @ rotation.numpy().T), structure.species, structure.frac_coords
    )
    expected = features(student, structure) @ SIZE.irreps.D_from_matrix(rotation).T
    assert torch.allclose(features(student, turned), expected, atol=1e-10)


def test_a_supercell_has_the_features_of_its_cell(student):
    structure = crystals.wurtzite()
    single, double = features(student, structure), features(student, structure * (2, 1, 1))
    assert torch.allclose(double, single.repeat_interleave(2, 0), atol=1e-10)


def test_the_company_of_other_crystals_changes_nothing(student):
    one, other = crystals.triclinic(), crystals.wurtzite()
    both = features(student, one, other)
    assert torch.allclose(both, torch.cat([features(student, one), features(student, other)]), atol=1e-10)


def test_an_atom_without_neighbours_has_scalars_and_no_tensor(student):
    found = features(student, Structure(Lattice.cubic(2.1 * R_MAX), ["Ne"], [[0, 0, 0]]))
    scalars, tensors = found.split([SIZE.scalars, 5 * SIZE.tensors], 1)
    assert scalars.abs().min() > 0
    assert tensors.abs().max() < 1e-12


def test_features_are_smooth_where_a_neighbour_leaves_the_sphere(student):
    lengths = R_MAX + np.array([-2e-4, -1e-4, 1e-4, 2e-4])
    chains = [
        Structure(Lattice.orthorhombic(30, 30, 30), ["Na", "Cl"], [[0, 0, 0], [0, 0, length / 30]])
        for length in lengths
    ]
    steps = features(student, *chains).view(len(chains), -1).diff(dim=0).norm(dim=1)
    assert steps.max() < 1e-6


def test_a_student_survives_the_disk_to_half_precision(student, tmp_path):
    save_student(tmp_path / "student.safetensors", student)
    again = load_student(tmp_path / "student.safetensors", SIZE).double()
    before, after = features(student, crystals.wurtzite()), features(again, crystals.wurtzite())
    assert (after - before).norm() < 5e-3 * before.norm()


@pytest.mark.parametrize("other", [{"layers": 3}, {"scalars": 6}], ids=["layers", "scalars"])
def test_weights_of_another_size_are_refused(student, tmp_path, other):
    save_student(tmp_path / "student.safetensors", student)
    with pytest.raises(EngineError, match="distil it again"):
        load_student(tmp_path / "student.safetensors", replace(SIZE, **other))
