"""What the Theory page shows of two networks, one that is equivariant and one that is not, for a crystal."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import pandas as pd
from pymatgen.core import Structure

from engine.files import MODELS_FOLDER
from engine.network.network import DielectricNetwork
from engine.prediction.predictor import Predictor
from engine.teaching.equivariance import both_ways, of_network, relative_difference, rotation_about
from engine.teaching.plain_network import PlainNetwork, load_plain
from engine.teaching.sites import Neighbours, convolution_backbone, neighbours, radial_functions, received

EQUIVARIANT, ORDINARY = "equivariant", "ordinary"
FROM_SCRATCH, PLAIN_NETWORK = "e3nn-scratch", "plain-network"  # the folders of the two models
ANGLE_STEP = 10  # degrees
SHORTEST = 0.8  # Å, hardly any bond is shorter

Pair = tuple[np.ndarray, np.ndarray]  # D(g) f(x) and f(D(g) x), [3, 3] each


def turned(structure: Structure, axis: str, degrees: int) -> dict[str, Pair]:
    """D(g) f(x) and f(D(g) x) by each network, for a crystal turned about a Cartesian axis."""
    by = {name: _both_ways(network, structure, axis, [degrees]) for name, network in _both().items()}
    return {name: (first[0], then[0]) for name, (first, then) in by.items()}


def differences(structure: Structure, axis: str) -> pd.DataFrame:
    """What the two of `turned` differ by, percent, a column each network, against the angle (the index)."""
    degrees = list(range(ANGLE_STEP, 360, ANGLE_STEP))
    found = {
        name: relative_difference(*_both_ways(network, structure, axis, degrees))
        for name, network in _both().items()
    }
    return pd.DataFrame(found, index=degrees)


def taught_the_ordinary() -> frozenset[str]:
    """Reduced formulas that the ordinary network was trained on."""
    return _ordinary()[1]


def site(structure: Structure, atom: int) -> tuple[Neighbours, np.ndarray]:
    """Neighbours of an atom, and the powers that it receives in the first convolution."""
    network = _equivariant()
    around = neighbours(structure, atom, network.graph_config)
    return around, received(convolution_backbone(network), around)


def learned_radials() -> tuple[np.ndarray, np.ndarray]:
    """Distances [D] Å, and what the first convolution makes of them, [l, D, channels]."""
    network = _equivariant()
    distances = np.linspace(SHORTEST, network.graph_config.r_max, 180)
    return distances, radial_functions(convolution_backbone(network), distances)


def _both() -> dict[str, DielectricNetwork | PlainNetwork]:
    return {EQUIVARIANT: _equivariant(), ORDINARY: _ordinary()[0]}


@cache
def _equivariant() -> DielectricNetwork:
    return Predictor.load(FROM_SCRATCH).networks[0]


@cache
def _ordinary() -> tuple[PlainNetwork, frozenset[str]]:
    return load_plain(MODELS_FOLDER / PLAIN_NETWORK)


def _both_ways(
    network: DielectricNetwork | PlainNetwork, structure: Structure, axis: str, degrees: Sequence[int]
) -> Pair:
    rotations = np.array([rotation_about(axis, angle) for angle in degrees])
    return both_ways(of_network(network), [structure] * len(degrees), rotations)
