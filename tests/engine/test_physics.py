"""What a dielectric tensor must obey, kept by construction: with random weights and with the shipped model."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
from e3nn import o3
from pymatgen.core import Lattice, Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from engine.config import GraphConfig, ModelConfig
from engine.crystals.graph import CrystalGraph, collate, crystal_graphs
from engine.data.datasets import load_dataset
from engine.model.shipped_models import available_models
from engine.network import potential
from engine.network.backbones import ConvolutionBackbone
from engine.network.heads import LatticeHead
from engine.network.network import DielectricNetwork, latent_of, physical
from engine.network.springs import stiffness
from engine.prediction.predictor import AskedMethod
from engine.tensors.axes import neumann_residual
from tests import crystals
from tests.engine import shipped

R_MAX = 4.5  # Å, of the random networks
TARGETS = ("electronic", "ionic")
SMALL = [m.structure for m in load_dataset("petousis-2017") if m.natoms <= 3 and m.crystal_system != "cubic"]
REAL = [SpacegroupAnalyzer(s, 1e-3).get_primitive_standard_structure() for s in SMALL[::8]]  # exact coordinates
CRYSTALS = [crystals.triclinic(), crystals.wurtzite(), crystals.diamond(), crystals.hcp(), *REAL]

# Tensors [B, T, 3, 3] of structures, by a network, and the relative error that its arithmetic allows.
Tensors = Callable[[list[Structure]], np.ndarray]


def random_network(dtype: torch.dtype, readout: str = "mean") -> Tensors:
    """Random weights, anisotropy well above rounding; Clebsch-Gordan coefficients as precise as the network."""
    default = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        torch.manual_seed(0)
        model = ModelConfig(mul=8, radial_width=16, readout=readout)
        network = DielectricNetwork(GraphConfig(r_max=R_MAX), model).eval()
        network.spread.fill_(6)
    finally:
        torch.set_default_dtype(default)

    def tensors(structures: list[Structure]) -> np.ndarray:
        with torch.inference_mode():
            graph = collate(crystal_graphs(structures, network.graph_config, dtype=dtype))
            return network(graph).transpose(0, 1).double().numpy()

    return tensors


def shipped_model(name: str, ionic_method: AskedMethod = "full") -> Tensors:
    predictor = shipped.predictor(name)

    def tensors(structures: list[Structure]) -> np.ndarray:
        predictions = predictor.predict_many(structures, ionic_method=ionic_method)
        return np.array([[getattr(p, target) for target in predictor.targets] for p in predictions])

    return tensors


RANDOM = {
    "random, float64": (lambda: random_network(torch.float64), 1e-10),
    "random, float32": (lambda: random_network(torch.float32), 2e-5),
    "coupled dipoles, float64": (lambda: random_network(torch.float64, "dipoles"), 1e-10),
    "coupled dipoles, float32": (lambda: random_network(torch.float32, "dipoles"), 2e-5),
}
MODELS = RANDOM | {f"{name}, float32": (partial(shipped_model, name), 2e-5) for name in available_models()}
MODELS[f"{potential.NAME}, direct"] = (partial(shipped_model, potential.NAME, "direct"), 2e-5)


@pytest.fixture(scope="module", params=MODELS)
def name(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def model(name) -> tuple[Tensors, float]:
    make, tolerance = MODELS[name]
    return make(), tolerance


@pytest.fixture(scope="module")
def before(model) -> np.ndarray:
    """Tensors of `CRYSTALS`."""
    return model[0](CRYSTALS)


@pytest.fixture(scope="module")
def exact() -> Tensors:
    return random_network(torch.float64)


def assert_equal(found: np.ndarray, expected: np.ndarray, tolerance: float) -> None:
    """Relative error of each tensor's norm; a tensor of zero must be zero."""
    error = np.linalg.norm(found - expected, axis=(-2, -1))
    assert (error <= tolerance * np.linalg.norm(expected, axis=(-2, -1))).all()


def turned(structure: Structure, rotation: np.ndarray) -> Structure:
    return Structure(Lattice(structure.lattice.matrix @ rotation.T), structure.species, structure.frac_coords)


def random_rotation(seed: int) -> np.ndarray:
    matrix = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
    return matrix * np.linalg.det(matrix)


@pytest.mark.parametrize("sign", [1, -1], ids=["rotation", "rotation and inversion"])
def test_tensor_turns_with_the_crystal(model, before, sign):
    tensors, tolerance = model
    rotations = [sign * random_rotation(seed) for seed in range(len(CRYSTALS))]  # each crystal has its own
    after = tensors([turned(*pair) for pair in zip(CRYSTALS, rotations, strict=True)])
    rotation = np.array(rotations)[:, None]
    assert_equal(after, rotation @ before @ rotation.swapaxes(-1, -2), tolerance)


def test_tensors_of_the_test_crystals_are_not_all_isotropic(before):
    values = np.linalg.eigvalsh(before)
    assert (values[..., 2] / values[..., 0] > 1.05).sum() >= 4


def translated(structure: Structure) -> Structure:
    coords = structure.cart_coords + np.array([0.7, -11.3, 2.9])
    return Structure(structure.lattice, structure.species, coords, coords_are_cartesian=True)


def backwards(structure: Structure) -> Structure:
    return Structure.from_sites(list(structure)[::-1])


def skewed(structure: Structure) -> Structure:
    return crystals.skewed(structure, 2)


def supercell(structure: Structure) -> Structure:
    return structure.copy().make_supercell([[1, 1, 0], [0, 1, 0], [-1, 0, 2]])


# The same crystals described otherwise. A shipped model may find force constants anew for each, which takes long:
# it is asked about the first four together.
SINGLE = {
    "origin": translated,
    "order of atoms": backwards,
    "cell that an atom is given in": crystals.outside,
    "other basis": skewed,
}
DESCRIPTIONS = SINGLE | {
    "these four at once": lambda structure: backwards(crystals.outside(skewed(translated(structure)))),
    "supercell": supercell,
}
ASKED = [(name, way) for name in MODELS for way in DESCRIPTIONS if way not in SINGLE or name in RANDOM]


@pytest.mark.parametrize(("name", "way"), ASKED, indirect=["name"])
def test_tensor_is_blind_to_how_the_crystal_is_described(model, before, way):
    tensors, tolerance = model
    assert_equal(tensors([DESCRIPTIONS[way](structure) for structure in CRYSTALS]), before, tolerance)


def test_primitive_and_conventional_cell_have_one_tensor(model):
    tensors, tolerance = model
    conventional = crystals.diamond()
    primitive = crystals.in_other_cell(conventional, np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]))
    primitive.merge_sites(tol=0.01, mode="delete")
    assert len(primitive) == 2
    assert_equal(tensors([primitive]), tensors([conventional]), tolerance)


def test_tensor_does_not_depend_on_the_rest_of_the_batch(model, before):
    tensors, tolerance = model
    alone = np.concatenate([tensors([structure]) for structure in CRYSTALS])
    assert_equal(alone, before, tolerance)


def test_tensor_is_symmetric_and_its_principal_values_physical(model, before):
    tolerance = model[1]
    assert_equal(before, before.swapaxes(-1, -2), tolerance)
    low, _, high = np.moveaxis(np.linalg.eigvalsh(before), -1, 0)
    rounding = tolerance * high
    assert (low >= np.array([1, 0]) - rounding).all()


def test_principal_values_are_physical_even_where_the_network_goes_astray():
    torch.manual_seed(1)
    latent = 30 * torch.randn(2, 100, 3, 3, dtype=torch.float64)
    found = physical((latent + latent.mT) / 20, TARGETS, 5 + 40 * torch.rand(100, dtype=torch.float64))
    values = torch.linalg.eigvalsh(found)
    assert (values[0, :, 0] >= 1 - 1e-12 * values[0, :, 2]).all()
    assert (values[1, :, 0] >= -1e-12 * values[1, :, 2]).all()


@pytest.fixture(scope="module")
def of_point_group(name) -> Callable[[str], Structure]:
    """Small crystals where the force constants of large ones would take a quarter of an hour."""
    pretrained = name.startswith(potential.NAME)
    return crystals.small_crystal_of_point_group if pretrained else crystals.crystal_of_point_group


@pytest.fixture(scope="module")
def tensors_of_point_groups(model, of_point_group) -> dict[str, np.ndarray]:
    found = model[0]([of_point_group(symbol) for symbol in crystals.POINT_GROUPS])
    return dict(zip(crystals.POINT_GROUPS, found, strict=True))


@pytest.mark.parametrize("symbol", crystals.POINT_GROUPS)
def test_tensor_obeys_the_point_group(model, of_point_group, tensors_of_point_groups, symbol):
    for tensor in tensors_of_point_groups[symbol]:
        assert np.linalg.norm(tensor) > 1e-3
        assert neumann_residual(tensor, of_point_group(symbol)) <= model[1]


@pytest.fixture(scope="module")
def spring_readout() -> Callable[[Structure], np.ndarray]:
    """Ionic tensor by random charges and corrections on random features, with springs along all bonds."""
    torch.manual_seed(0)
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        backbone = ConvolutionBackbone(GraphConfig(r_max=R_MAX), ModelConfig(mul=8, radial_width=16))
        even = o3.Irreps([part for part in backbone.irreps_out if part.ir.l % 2 == 0])
        head = LatticeHead(even, 16)
        torch.nn.init.normal_(head.correction.shift.net[2].weight)
    finally:
        torch.set_default_dtype(default)

    def tensor(structure: Structure) -> np.ndarray:
        (graph,) = crystal_graphs([structure], GraphConfig(r_max=R_MAX), torch.float64)
        with torch.inference_mode():
            node, volume = backbone(graph), torch.linalg.det(graph.cell).abs()
            node = torch.cat([node[:, : even.count("0e")], node[:, -5 * even.count("2e") :]], 1)
            springs = stiffness(between_neighbours(graph))
            return head(node, graph.atomic_numbers, springs, graph.crystal_index, volume)[0].numpy()

    return tensor


def between_neighbours(graph: CrystalGraph) -> torch.Tensor:
    """Force constants [3 N, 3 N] of springs along all bonds, softer for longer ones."""
    edge_src, edge_dst = graph.edge_index
    length = torch.linalg.vector_norm(graph.edge_vec, dim=1)
    along = graph.edge_vec / length[:, None]
    bond = (20 * torch.exp(-length))[:, None, None] * along[:, :, None] * along[:, None]  # [E, 3, 3]
    blocks = torch.zeros(graph.num_nodes, graph.num_nodes, 3, 3, dtype=torch.float64)
    blocks.index_put_((edge_src, edge_src), bond, accumulate=True)
    blocks.index_put_((edge_src, edge_dst), -bond, accumulate=True)
    return blocks.transpose(1, 2).flatten(2).flatten(0, 1)


@pytest.mark.parametrize("symbol", crystals.POINT_GROUPS)
def test_an_ionic_tensor_from_springs_obeys_the_point_group(spring_readout, symbol):
    structure = crystals.crystal_of_point_group(symbol)
    tensor = spring_readout(structure)
    assert np.linalg.norm(tensor) > 1e-3
    assert neumann_residual(tensor, structure) <= 1e-8


def test_an_ionic_tensor_from_springs_halves_when_the_same_springs_fill_twice_the_volume(spring_readout):
    molecule = Structure(Lattice.cubic(10), ["C", "O"], [[5, 5, 5], [5, 5, 6.16]], coords_are_cartesian=True)
    wide = Structure(
        Lattice.cubic(10 * 2 ** (1 / 3)), molecule.species, molecule.cart_coords, coords_are_cartesian=True
    )
    assert_equal(2 * spring_readout(wide), spring_readout(molecule), 1e-9)


def test_isolated_atom_is_isotropic(model):
    tensors, tolerance = model
    found = tensors([crystals.isolated_atom()])
    assert np.isfinite(found).all()
    assert_equal(found, found.trace(axis1=-2, axis2=-1)[..., None, None] / 3 * np.eye(3), tolerance)


def in_box(length: float) -> Structure:
    """One carbon dioxide molecule."""
    coords = [[5, 5, 5], [5, 5, 6.16], [5, 5, 3.84]]
    return Structure(Lattice.cubic(length), ["C", "O", "O"], coords, coords_are_cartesian=True)


def test_the_electrons_of_the_same_molecules_further_apart_polarise_less(model):
    tensors, _ = model
    dense, thin = tensors([in_box(12), in_box(24)])[:, 0] - np.eye(3)
    assert np.linalg.eigvalsh(dense - thin)[0] > 0
    field_of_others = np.linalg.norm(dense) / 3  # Lorentz; a readout without it has none
    assert np.linalg.norm(8 * thin - dense) <= 1.5 * field_of_others * np.linalg.norm(dense) + 1e-4


def test_the_ions_of_the_same_molecules_further_apart_polarise_less_by_the_volume():
    predictor = shipped.predictor()
    dense, thin = predictor.predict_many([in_box(12), in_box(24)])
    assert dense.ionic_method == "full"
    assert_equal(8 * thin.ionic, dense.ionic, 0.1)


def boron_nitride(height: float) -> Structure:
    """One layer, and vacuum up to the next."""
    layer = [[1 / 3, 2 / 3, 0.5], [2 / 3, 1 / 3, 0.5]]
    return Structure(Lattice.hexagonal(2.51, height), ["B", "N"], layer)


@pytest.mark.parametrize("method", ["full", "direct"])
def test_a_layer_answers_along_itself_as_much_in_however_much_vacuum(method):
    found = shipped.predictor().predict_many([boron_nitride(h) for h in (10, 20, 40)], ionic_method=method)
    along = [prediction.ionic[0, 0] * height for prediction, height in zip(found, (10, 20, 40), strict=True)]
    assert along[0] > 1
    assert along == pytest.approx([along[0]] * 3, rel=0.05)


def pair(distance: float) -> Structure:
    return Structure(Lattice.cubic(30), ["Na", "Cl"], [[0, 0, 0], [0, 0, distance / 30]])


def test_tensor_is_smooth_where_a_neighbour_leaves_the_cutoff(exact):
    inside, outside = pair(R_MAX * (1 - 1e-5)), pair(R_MAX * (1 + 1e-5))
    edges = [graph.num_edges for graph in crystal_graphs([inside, outside], GraphConfig(r_max=R_MAX))]
    assert edges == [2, 0]
    assert_equal(exact([inside]), exact([outside]), 1e-9)
    near, far = exact([pair(0.5 * R_MAX), outside])
    assert np.linalg.norm(near[1] - far[1]) > 1e-3  # while a close neighbour does matter


def test_tensor_follows_a_small_move_of_an_atom_by_a_small_change(exact):
    found = exact([pair(distance) for distance in np.linspace(0.6 * R_MAX, 1.05 * R_MAX, 400)])[:, 1]
    steps = np.linalg.norm(np.diff(found, axis=0), axis=(1, 2))
    assert 0 < steps.max() < 0.05 * steps.sum()


@pytest.mark.parametrize("target", TARGETS)
def test_tensor_and_latent_are_inverse_to_each_other(target):
    materials = [m for m in load_dataset("petousis-2017")[::20] if np.linalg.eigvalsh(m.ionic)[0] > 0.05]
    assert len(materials) > 30
    tensor = torch.tensor(np.array([getattr(m, target) for m in materials]))
    volume = torch.tensor([m.structure.volume / m.natoms for m in materials])
    latent = latent_of(tensor, target, volume)
    torch.testing.assert_close(
        physical(latent[None], (target,), volume.double())[0], tensor, rtol=1e-10, atol=1e-10
    )
