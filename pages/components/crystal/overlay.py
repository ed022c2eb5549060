"""The surface of a tensor as it is drawn into a crystal: in place, in scale and coloured; as numbers."""

from dataclasses import dataclass

import numpy as np

from engine.tensors import surfaces
from engine.tensors.surfaces import Shape
from pages.components.crystal.scene import Scene

SHARE = 0.62  # of the drawing's reach that the longest radius takes
LOW, MIDDLE, HIGH = "#3b528b", "#21918c", "#e7d21f"  # of the colour map viridis, by Smith and van der Walt
ALIKE = 1e-3  # relative difference of radii below which a surface has one colour


@dataclass(frozen=True, kw_only=True)
class Overlay:
    """What to draw into a crystal.

    Attributes:
        tensor: [3, 3] in the structure's Cartesian axes.
        shape: see `surfaces.radius`.
        name: what the legend says, such as "electronic ε, DFT".
    """

    tensor: np.ndarray
    shape: Shape
    name: str

    @property
    def range(self) -> tuple[float, float]:
        """Smallest and largest radius, no unit."""
        low, _, high = np.linalg.eigvalsh(self.tensor) ** (1.0 if self.shape == "permittivity" else 0.5)
        return float(low), float(high)

    @property
    def is_sphere(self) -> bool:
        """Whether all radii are alike."""
        low, high = self.range
        return high - low <= ALIKE * high


@dataclass(frozen=True, kw_only=True)
class Mesh:
    """Triangles in a scene: [V, 3] vertices in Å, [V, 3] normals, [F, 3] faces, [V, 3] colours from 0 to 1."""

    vertices: np.ndarray
    normals: np.ndarray
    faces: np.ndarray
    colors: np.ndarray


def make_mesh(overlay: Overlay, scene: Scene) -> Mesh:
    """The surface around the middle of the scene; raises EngineError where the tensor has none."""
    drawn = surfaces.surface(overlay.tensor, overlay.shape)
    return Mesh(
        vertices=scene.middle + _scale(overlay, scene) * drawn.vertices,
        normals=drawn.normals,
        faces=drawn.faces,
        colors=_colors(drawn.radii, overlay),
    )


def outlines(overlay: Overlay, scene: Scene) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Plane -> [P, 3] the cut of the surface by it, Å, and [P, 3] its colours; raises as `make_mesh` does."""
    found = {}
    for plane in surfaces.PLANES:
        curve = surfaces.outline(overlay.tensor, plane, overlay.shape)
        place = scene.middle + _scale(overlay, scene) * curve
        found[plane] = place, _colors(np.linalg.norm(curve, axis=1), overlay)
    return found


def _scale(overlay: Overlay, scene: Scene) -> float:
    """Å a unit of the radius."""
    return SHARE * scene.reach / overlay.range[1]


def _colors(radii: np.ndarray, overlay: Overlay) -> np.ndarray:
    low, high = overlay.range
    share = np.full_like(radii, 0.5) if overlay.is_sphere else (radii - low) / (high - low)
    stops = np.array([[int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)] for color in (LOW, MIDDLE, HIGH)])
    return np.stack([np.interp(share, (0, 0.5, 1), channel) for channel in stops.T], axis=1)
