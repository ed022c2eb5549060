"""Three-dimensional drawings of the Theory page: data in, Plotly figure out."""

from functools import cache

import numpy as np
import plotly.graph_objects as go
from ase.data import chemical_symbols, covalent_radii
from ase.data.colors import jmol_colors

from engine.teaching.harmonics import harmonics, sphere
from engine.teaching.sites import Neighbours
from engine.tensors.tensors import along
from pages.components.colours import AXIS_COLORS, CLEAR, COLORS, SLATE
from pages.components.crystal.scene import EDGES, Scene

HEIGHT = 330  # pixels
SIGNS = [[0, COLORS[5]], [1, COLORS[0]]]  # below and above zero
NOTHING = 1e-6  # of the largest sum that the neighbours could give
ZOOM = 1.65
_EYE = {"x": 1.25, "y": -1.6, "z": 0.75}
_GRID = sphere(37, 73)


def crystal(scene: Scene, rotation: np.ndarray) -> go.Figure:
    """One cell of a crystal, turned about its middle; as large in any orientation."""
    middle = scene.corners.mean(axis=0)
    corners, positions = (scene.corners - middle) @ rotation.T, (scene.positions - middle) @ rotation.T
    reach = 1.1 * float(np.linalg.norm(np.vstack([corners, positions]), axis=1).max())
    figure = go.Figure([_lines(corners[np.array(EDGES)], SLATE, 2)])
    figure.add_trace(_lines(positions[scene.bonds], SLATE, 6))
    figure.add_trace(_balls(positions, scene.numbers, 1.2 * HEIGHT / reach / 2.2))
    return _framed(figure, reach)


def tensor_surface(
    tensor: np.ndarray, expected: np.ndarray, reach: float, bounds: tuple[float, float]
) -> go.Figure:
    """Surface with radius n.T.n in direction n, and the principal axes of the tensor that it should be.

    Args:
        tensor, expected: [3, 3].
        reach: radius that just fits into the drawing.
        bounds: values of the first and last colour.
    """
    radius = along(tensor, _GRID)
    figure = go.Figure(_surface(_GRID * radius[..., None], radius, "Cividis", bounds))
    values, axes = np.linalg.eigh(expected)
    ends = 1.12 * (axes * values).T[:, None] * np.array([[-1], [1]])  # [3, 2, 3]
    figure.add_trace(_lines(ends, COLORS[5], 6))
    return _framed(figure, 1.05 * reach)


def harmonic(ell: int, order: int) -> go.Figure:
    """|Y| as radius and its sign as colour; `order` counts from 0 to 2l."""
    values = harmonics(ell, _GRID)[..., order]
    return _framed(go.Figure(_signed(values / np.abs(values).max())), 1.15)


def site(around: Neighbours, ell: int) -> go.Figure:
    """Directions of an atom's neighbours, and what their harmonics of one degree add up to, scaled to fit."""
    directions = around.vectors / around.distances[:, None]
    values = harmonics(ell, _GRID) @ harmonics(ell, directions).sum(axis=0) / len(directions)
    figure = go.Figure(_signed(values / np.abs(values).max())) if np.abs(values).max() > NOTHING else go.Figure()
    figure.add_trace(_lines(np.stack([0 * directions, directions], axis=1), SLATE, 2))
    balls = np.vstack([np.zeros((1, 3)), directions])
    figure.add_trace(_balls(balls, np.append(around.atomic_number, around.numbers), 16))
    return _framed(figure, 1.25)


def _signed(values: np.ndarray) -> go.Mesh3d:
    points = _GRID * np.abs(values)[..., None]
    return _surface(points, np.sign(values), SIGNS, (-1, 1)).update(hoverinfo="skip")


def _surface(
    points: np.ndarray, color: np.ndarray, scale: str | list[list[object]], bounds: tuple[float, float]
) -> go.Mesh3d:
    """A closed surface over the grid of directions, [rows, columns, 3], coloured by [rows, columns] values."""
    x, y, z = points.reshape(-1, 3).T.astype(np.float32)
    i, j, k = _triangles(*color.shape).T
    return go.Mesh3d(
        x=x, y=y, z=z, i=i, j=j, k=k, intensity=color.ravel().astype(np.float32), colorscale=scale, cmin=bounds[0],
        cmax=bounds[1], showscale=False, hovertemplate="ε along this direction: %{intensity:.2f}<extra></extra>",
        lighting={"ambient": 0.65, "diffuse": 0.6, "specular": 0.05, "roughness": 0.9},
    )  # fmt: skip


@cache
def _triangles(rows: int, columns: int) -> np.ndarray:
    """[2 (rows - 1) (columns - 1), 3] places in a flattened grid of the corners of its triangles."""
    corner = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns)
    a, b, c, d = corner[:-1, :-1], corner[:-1, 1:], corner[1:, :-1], corner[1:, 1:]
    return np.concatenate([np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)])


def _lines(ends: np.ndarray, color: str, width: int) -> go.Scatter3d:
    """Straight lines between pairs of points [k, 2, 3], as one trace with gaps."""
    points = np.concatenate([ends, np.full((len(ends), 1, 3), np.nan)], axis=1).reshape(-1, 3)
    x, y, z = points.T
    return go.Scatter3d(x=x, y=y, z=z, mode="lines", line={"color": color, "width": width}, hoverinfo="skip")


def _balls(positions: np.ndarray, numbers: np.ndarray, pixels: float) -> go.Scatter3d:
    x, y, z = positions.T
    colors = ["rgb({:.0f},{:.0f},{:.0f})".format(*255 * jmol_colors[number]) for number in numbers]
    size = [max(pixels * 0.75 * float(covalent_radii[number]), 4) for number in numbers]
    return go.Scatter3d(
        x=x, y=y, z=z, mode="markers", text=[chemical_symbols[number] for number in numbers],
        marker={"size": size, "color": colors, "opacity": 1, "line": {"color": SLATE, "width": 1}},
        hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip


def _framed(figure: go.Figure, reach: float) -> go.Figure:
    """Arrows for x, y and z, equal scales, a fixed eye that the visitor may move."""
    for (name, color), direction in zip(AXIS_COLORS.items(), np.eye(3), strict=True):
        start = -0.82 * reach * np.ones(3)
        ends = np.stack([start, start + 0.35 * reach * direction])
        x, y, z = ends.T
        figure.add_scatter3d(
            x=x, y=y, z=z, mode="lines+text", text=["", name], line={"color": color, "width": 5},
            textfont={"color": color, "size": 14}, hoverinfo="skip",
        )  # fmt: skip
    hidden = {"visible": False, "range": [-reach, reach], "autorange": False}
    scene: dict[str, object] = {f"{axis}axis": hidden for axis in "xyz"}
    scene |= {"aspectmode": "manual", "aspectratio": dict.fromkeys("xyz", ZOOM), "bgcolor": CLEAR}
    scene |= {"camera": {"eye": _EYE, "projection": {"type": "orthographic"}}, "dragmode": "turntable"}
    return figure.update_layout(
        height=HEIGHT, margin={"l": 0, "r": 0, "t": 0, "b": 0}, showlegend=False, paper_bgcolor=CLEAR,
        uirevision="kept", scene=scene,
    )  # fmt: skip
