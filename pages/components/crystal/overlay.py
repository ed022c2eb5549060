"""The surface of a tensor as it is drawn into a crystal: in place, in scale and coloured; as numbers."""

from dataclasses import dataclass

import numpy as np

from engine.tensors import surfaces
from engine.tensors.surfaces import Directional
from pages.components.crystal.scene import Scene

SHARE = 0.62  # of the drawing's reach that the longest radius takes
LOW, MIDDLE, HIGH = "#3b528b", "#21918c", "#e7d21f"  # of the colour map viridis, by Smith and van der Walt
ALIKE = 1e-3  # relative difference of radii below which a surface has one colour


@dataclass(frozen=True, kw_only=True)
class Overlay:
    """What to draw into a crystal.

    Attributes:
        quantity: along directions in the structure's Cartesian axes.
        name: what the legend says, such as "electronic ε, DFT".
        unit: of the quantity, empty for a number.
    """

    quantity: Directional
    name: str
    unit: str = ""

    @property
    def is_sphere(self) -> bool:
        """Whether all radii are alike."""
        return self.quantity.high - self.quantity.low <= ALIKE * self.quantity.high


@dataclass(frozen=True, kw_only=True)
class Mesh:
    """Triangles in a scene: [V, 3] vertices in Å, [V, 3] normals, [F, 3] faces, [V, 3] colours from 0 to 1."""

    vertices: np.ndarray
    normals: np.ndarray
    faces: np.ndarray
    colors: np.ndarray


def make_mesh(overlay: Overlay, scene: Scene) -> Mesh:
    """The surface around the middle of the scene; raises EngineError where the quantity has none."""
    drawn = surfaces.surface(overlay.quantity)
    return Mesh(
        vertices=scene.middle + _scale(overlay, scene) * drawn.vertices,
        normals=drawn.normals,
        faces=drawn.faces,
        colors=_colors(drawn.values, overlay),
    )


def outlines(overlay: Overlay, scene: Scene) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Plane -> [P, 3] the cut of the surface by it, Å, and [P, 3] its colours; raises as `make_mesh` does."""
    found = {}
    for plane in surfaces.PLANES:
        curve, values = surfaces.outline(overlay.quantity, plane)
        found[plane] = scene.middle + _scale(overlay, scene) * curve, _colors(values, overlay)
    return found


def _scale(overlay: Overlay, scene: Scene) -> float:
    """Å a unit of the radius."""
    return SHARE * scene.reach / overlay.quantity.largest


def _colors(values: np.ndarray, overlay: Overlay) -> np.ndarray:
    low, high = overlay.quantity.low, overlay.quantity.high
    share = np.full_like(values, 0.5) if overlay.is_sphere else (values - low) / (high - low)
    stops = np.array([[int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)] for color in (LOW, MIDDLE, HIGH)])
    return np.stack([np.interp(share, (0, 0.5, 1), channel) for channel in stops.T], axis=1)
