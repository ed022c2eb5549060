"""A crystal as a flat Plotly drawing, for browsers that cannot draw in three dimensions."""

import numpy as np
import plotly.graph_objects as go
from ase.data import chemical_symbols, covalent_radii

from pages.components.colours import CLEAR, SLATE
from pages.components.crystal.charges import charge_outlines
from pages.components.crystal.frame import ARROW, HEIGHT, OPACITY, TURN, arrows, color_of
from pages.components.crystal.overlay import Overlay, outlines
from pages.components.crystal.scene import EDGES, Scene


def flat_drawing(
    scene: Scene,
    overlay: Overlay | None = None,
    motion: np.ndarray | None = None,
    charges: np.ndarray | None = None,
) -> go.Figure:
    """The crystal seen from a fixed direction, drawn without WebGL; a surface by its cuts through three planes."""
    corners, seen = TURN.apply(scene.corners), TURN.apply(scene.positions)
    order = np.argsort(seen[:, 2])
    numbers = scene.numbers[order]
    pixels = 0.8 * HEIGHT / max(np.ptp(np.vstack([corners, seen]), axis=0)[:2].max(), 1.0)
    figure = go.Figure()
    for ends, width in ((corners[np.array(EDGES)], 1), (seen[scene.bonds], 3)):
        gaps = np.full((len(ends), 1, 3), np.nan)
        line = np.concatenate([ends, gaps], axis=1).reshape(-1, 3)  # one trace, lines apart by a gap
        figure.add_scatter(
            x=line[:, 0], y=line[:, 1], mode="lines", line={"color": SLATE, "width": width}, hoverinfo="skip"
        )
    figure.add_scatter(
        x=seen[order, 0],
        y=seen[order, 1],
        mode="markers",
        text=[chemical_symbols[number] for number in numbers],
        hovertemplate="%{text}<extra></extra>",
        marker={
            "color": [color_of(number) for number in numbers],
            "size": [pixels * 0.72 * float(covalent_radii[number]) for number in numbers],
            "line": {"color": SLATE, "width": 1},
            "opacity": 1.0,
        },
    )
    for plane, (curve, colors) in (outlines(overlay, scene) if overlay else {}).items():
        across, up, _ = TURN.apply(curve).T
        dots = {"size": 5, "color": [f"rgb({r:.0f},{g:.0f},{b:.0f})" for r, g, b in 255 * colors]}
        figure.add_scatter(x=across, y=up, mode="markers", marker=dots, name=f"{plane} plane", hoverinfo="skip")
    for edge, color in [] if charges is None else charge_outlines(charges, scene, TURN.as_matrix()):
        figure.add_scatter(
            x=edge[:, 0],
            y=edge[:, 1],
            mode="lines",
            line_color=color,
            fill="toself",
            opacity=OPACITY,
            hoverinfo="skip",
        )
    for base, tip in arrows(scene, motion) if motion is not None else ():
        (x, y, _), (to_x, to_y, _) = TURN.apply([base, tip])
        figure.add_annotation(
            x=to_x, y=to_y, ax=x, ay=y, xref="x", yref="y", axref="x", ayref="y", arrowhead=2, arrowwidth=2,
            arrowcolor=ARROW,
        )  # fmt: skip
    figure.update_xaxes(visible=False).update_yaxes(visible=False, scaleanchor="x")
    return figure.update_layout(
        height=HEIGHT, showlegend=False, margin={"l": 0, "r": 0, "t": 0, "b": 0},
        paper_bgcolor=CLEAR, plot_bgcolor=CLEAR,
    )  # fmt: skip
