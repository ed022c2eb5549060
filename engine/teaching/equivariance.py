"""Whether a prediction turns with its crystal: f(D(g) x) against D(g) f(x), for any function f."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from pymatgen.core import Lattice, Structure
from scipy.spatial.transform import Rotation

from engine.crystals.graph import collate, crystal_graphs
from engine.errors import EngineError
from engine.files import RESULTS_FOLDER, read_json
from engine.network.network import DielectricNetwork
from engine.teaching.plain_network import PlainNetwork
from engine.tensors.metrics import frobenius

CONTRAST = RESULTS_FOLDER / "plain_network.json"
BATCH_SIZE = 64

Predict = Callable[[Sequence[Structure]], np.ndarray]


def rotation_about(axis: str, degrees: float) -> np.ndarray:
    """[3, 3] rotation matrix about a Cartesian axis, counter-clockwise when that axis points at the eye."""
    return Rotation.from_euler(axis, degrees, degrees=True).as_matrix()


def random_rotations(count: int, seed: int) -> np.ndarray:
    """[count, 3, 3] rotation matrices, uniform over all orientations."""
    return Rotation.random(count, rng=np.random.default_rng(seed)).as_matrix()


def turned_structure(structure: Structure, rotation: np.ndarray) -> Structure:
    """D(g) x: the crystal with all its vectors turned."""
    cell = structure.lattice.matrix @ rotation.T
    return Structure(Lattice(cell), structure.species, structure.frac_coords)


def of_network(network: DielectricNetwork | PlainNetwork) -> Predict:
    """The first target of a single network, on its device and in single precision."""

    def predict(structures: Sequence[Structure]) -> np.ndarray:
        graphs = crystal_graphs(structures, network.graph_config)
        batches = (collate(graphs[start : start + BATCH_SIZE]) for start in range(0, len(graphs), BATCH_SIZE))
        with torch.inference_mode():
            parts = [network(batch.to(network.offset.device))[0].cpu() for batch in batches]
        return torch.cat(parts).double().numpy()

    return predict


def both_ways(
    predict: Predict, structures: Sequence[Structure], rotations: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """D(g) f(x) and f(D(g) x), [n, 3, 3] each, for n crystals and a rotation [n, 3, 3] for each.

    Args:
        predict: tensors [n, 3, 3] of n crystals, in the crystals' own axes.
    """
    first = rotations @ predict(structures) @ rotations.transpose(0, 2, 1)
    turned = [turned_structure(*pair) for pair in zip(structures, rotations, strict=True)]
    return first, predict(turned)


def relative_difference(first: np.ndarray, then: np.ndarray) -> np.ndarray:
    """[n] Frobenius norms of then - first, in percent of the norm of first."""
    return 100 * frobenius(then - first) / frobenius(first)


def read_contrast(path: Path = CONTRAST) -> pd.DataFrame | None:
    """Errors of the networks with and without equivariance, a row each; None where they were not measured.

    Raises:
        EngineError: the file is damaged.
    """
    if not path.is_file():
        return None
    try:
        return pd.DataFrame(read_json(path)["rows"]).set_index("network")
    except (KeyError, TypeError, ValueError) as error:
        raise EngineError(f"{path}: is damaged; measure it again: python -m benchmarks.plain_network") from error
