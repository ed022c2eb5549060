"""Born charges as they are drawn into a crystal: an ellipsoid on each atom, coloured by its sign."""

import numpy as np

from engine.vibrations.charge_ellipsoids import ChargeEllipsoid, charge_ellipsoid
from pages.components.colours import TENSOR_SCALES
from pages.components.crystal.overlay import Mesh
from pages.components.crystal.scene import Scene

LONGEST = 1.1  # Å, the longest half axis in a drawing
SUBDIVISIONS = 2  # 162 vertices an atom
NEGATIVE, _, POSITIVE = TENSOR_SCALES[False]
Placed = list[tuple[np.ndarray, ChargeEllipsoid]]


def charge_mesh(charges: np.ndarray, scene: Scene) -> Mesh:
    """The ellipsoids of Born charges [N, 3, 3], e, of all atoms of a scene, as one."""
    scale, vertices, normals, faces, colors = _scale(charges), [], [], [], []
    signs = np.array([_rgb(NEGATIVE), _rgb(POSITIVE)])
    for count, (place, ellipsoid) in enumerate(_placed(charges, scene)):
        points, outwards, triangles, along = ellipsoid.points(SUBDIVISIONS)
        vertices.append(place + scale * points)
        normals.append(outwards)
        faces.append(triangles + count * len(points))
        colors.append(signs[(along > 0).astype(int)])
    return Mesh(
        vertices=np.concatenate(vertices),
        normals=np.concatenate(normals),
        faces=np.concatenate(faces),
        colors=np.concatenate(colors),
    )


def charge_outlines(charges: np.ndarray, scene: Scene, turn: np.ndarray) -> list[tuple[np.ndarray, str]]:
    """[P, 2] the edge of each ellipsoid, Å, seen along the third row of a rotation [3, 3], and its colour."""
    across, up, _ = turn
    return [
        (
            np.array([across @ place, up @ place]) + _scale(charges) * ellipsoid.outline(across, up),
            POSITIVE if ellipsoid.charges.sum() > 0 else NEGATIVE,
        )
        for place, ellipsoid in _placed(charges, scene)
    ]


def _placed(charges: np.ndarray, scene: Scene) -> Placed:
    found = [charge_ellipsoid(one) for one in charges]
    return [(place, found[atom]) for place, atom in zip(scene.positions, scene.atoms, strict=True)]


def _scale(charges: np.ndarray) -> float:
    """Å an e."""
    return LONGEST / max(float(np.abs(charge_ellipsoid(one).charges).max()) for one in charges)


def _rgb(color: str) -> list[float]:
    return [part / 255 for part in bytes.fromhex(color[1:])]
