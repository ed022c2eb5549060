"""One atom as a convolution of the network sees it: neighbours, learned radial functions, what they add up to."""

from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from ase.data import chemical_symbols
from pymatgen.core import Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from engine.config import GraphConfig
from engine.crystals.graph import crystal_graphs
from engine.errors import EngineError
from engine.network.backbones import ConvolutionBackbone
from engine.network.layers import Convolution, radial_embedding
from engine.network.network import DielectricNetwork
from engine.teaching.harmonics import powers

SAME_SHELL = 0.1  # Å; neighbours whose distances differ by less count as one shell


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """Neighbours of an atom within r_max, nearest first.

    Attributes:
        atomic_number: of the atom itself.
        numbers: [n] atomic numbers.
        vectors: [n, 3] Å, from the atom to each.
    """

    atomic_number: int
    numbers: np.ndarray
    vectors: np.ndarray

    @property
    def distances(self) -> np.ndarray:
        """[n] Å, ascending."""
        return np.linalg.norm(self.vectors, axis=1)

    def within(self, distance: float) -> "Neighbours":
        """Those not further than `distance` Å."""
        near = self.distances <= distance
        return Neighbours(atomic_number=self.atomic_number, numbers=self.numbers[near], vectors=self.vectors[near])


@dataclass(frozen=True, kw_only=True)
class Shell:
    """Neighbours at about one distance: `start` to `end` in Å, and how many there are of each element."""

    start: float
    end: float
    counts: dict[str, int]


def neighbours(structure: Structure, atom: int, config: GraphConfig) -> Neighbours:
    """Neighbours of one atom by the edge rule of graph.py, periodic images included."""
    graph = crystal_graphs([structure], config, torch.float64)[0]
    edge_src, edge_dst = graph.edge_index
    mine = edge_src == atom
    vectors, numbers = graph.edge_vec[mine].numpy(), graph.atomic_numbers[edge_dst[mine]].numpy()
    order = np.argsort(np.linalg.norm(vectors, axis=1), kind="stable")
    return Neighbours(
        atomic_number=int(graph.atomic_numbers[atom]), numbers=numbers[order], vectors=vectors[order]
    )


def shells(around: Neighbours) -> list[Shell]:
    """The neighbours by distance, a new shell wherever the next one is more than `SAME_SHELL` further."""
    distances = around.distances
    starts = np.flatnonzero(np.diff(distances, prepend=-np.inf) > SAME_SHELL)
    found = []
    for part in np.split(np.arange(len(distances)), starts[1:]) if len(distances) else []:
        symbols = [chemical_symbols[number] for number in around.numbers[part]]
        counts = {symbol: symbols.count(symbol) for symbol in sorted(set(symbols))}
        found.append(Shell(start=float(distances[part[0]]), end=float(distances[part[-1]]), counts=counts))
    return found


def distinct_atoms(structure: Structure) -> dict[int, str]:
    """Index of the first atom of each set that symmetry makes the same -> its element."""
    equivalent = SpacegroupAnalyzer(structure).get_symmetry_dataset().equivalent_atoms
    return {index: structure[index].specie.symbol for index in np.unique(equivalent).tolist()}


def convolution_backbone(network: DielectricNetwork) -> ConvolutionBackbone:
    """The network's convolutions; raises EngineError where it has none."""
    if not isinstance(network.backbone, ConvolutionBackbone):
        raise EngineError("only a network trained from scratch has convolutions to look into")
    return network.backbone


def _first(backbone: ConvolutionBackbone) -> Convolution:
    return cast(Convolution, backbone.convolutions[0])  # a ModuleList forgets what it holds


def radial_functions(backbone: ConvolutionBackbone, distances: np.ndarray) -> np.ndarray:
    """[l, D, channels] what the first convolution has learned to make of a distance, for each degree l.

    It multiplies channel c of a neighbour's scalars by R_lc(|r|) Y_l(r / |r|); all of it is zero from r_max on.

    Args:
        distances: [D] Å.
    """
    first = _first(backbone)
    length = torch.as_tensor(distances, dtype=torch.float32, device=_device(backbone))
    with torch.inference_mode():
        radial = radial_embedding(length, backbone.r_max, backbone.num_basis)
        weights = first.radial(radial).cpu()  # [D, paths * channels]
    channels = first.product.irreps_in1.count("0e")  # scalars alone come in: one path for each degree
    return weights.unflatten(1, (-1, channels)).transpose(0, 1).double().numpy()


def received(backbone: ConvolutionBackbone, around: Neighbours) -> np.ndarray:
    """[lmax + 1] `powers` of what the atom gets from all its neighbours in the first convolution."""
    first = _first(backbone)
    numbers = torch.as_tensor(around.numbers, device=_device(backbone))
    with torch.inference_mode():
        sent = first.linear_in(backbone.embedding(numbers)).cpu().double().numpy()  # [n, channels]
    functions = radial_functions(backbone, around.distances)
    return np.array([powers(around.vectors, ell, sent * weights)[ell] for ell, weights in enumerate(functions)])


def _device(backbone: ConvolutionBackbone) -> torch.device:
    return backbone.embedding.mass.weight.device
