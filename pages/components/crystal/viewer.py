"""A crystal in three dimensions: 3Dmol in a frame of its own, or a flat Plotly drawing."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import py3Dmol
import streamlit as st
from ase.data import chemical_symbols, covalent_radii
from ase.data.colors import jmol_colors
from pymatgen.core import Structure
from scipy.spatial.transform import Rotation

from engine.crystals.conventional import conventional
from engine.errors import EngineError, check
from pages.components.colours import AXIS_COLORS, CLEAR, COLORS, SLATE
from pages.components.crystal.charges import NEGATIVE, POSITIVE, charge_mesh, charge_outlines
from pages.components.crystal.controls import FIRST, view_buttons
from pages.components.crystal.overlay import HIGH, LOW, MIDDLE, Mesh, Overlay, make_mesh, outlines
from pages.components.crystal.scene import EDGES, Scene, make_scene
from pages.components.widgets import PLOT, number

SCRIPT = Path(__file__).resolve().parents[3] / "static" / "3Dmol-min.js"
SCRIPT_ADDRESS = "/app/static/3Dmol-min.js"
POLICY = "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
HEIGHT = 400  # pixels
MAX_ATOMS = 1500  # more than this draws slowly
OPACITY = 0.78  # of the surface, so that the atoms inside are seen
BACKGROUNDS = {False: "#ffffff", True: "#11181f"}  # of the page by theme, see .streamlit/config.toml
# Black, because what shines through a half-transparent surface is already the colour that the drawing lies on.
_STYLE = "<style>body {margin: 0; overflow: hidden} canvas {background: black}</style>"
# 3Dmol draws twice as wide and high as the frame is, for smooth edges: four times the work, which only a graphics
# card does at once.
_OPTIONS = '{backgroundColor:"white"}'  # as py3Dmol has them
_SHARP_WHERE_FAST = """{upscale: (() => {
    const context = document.createElement("canvas").getContext("webgl");
    const named = context?.getExtension("WEBGL_debug_renderer_info");
    const card = named ? context.getParameter(named.UNMASKED_RENDERER_WEBGL) : "";
    context?.getExtension("WEBGL_lose_context")?.loseContext();
    return !/swiftshader|llvmpipe|software|basic render/i.test(card);
})()}"""
# 3Dmol draws anew at almost every call, which takes seconds without a graphics card: only the last one shall draw.
_HOLD = "viewer_UNIQUEID.getRenderer().render = () => {};\n"
_RELEASE = "delete viewer_UNIQUEID.getRenderer().render;\n"
# Charts and texts of the page come first: a frame shares their thread.
_WHEN_IDLE = f"""<script>
var $3Dmolpromise = new Promise(loaded => (window.requestIdleCallback ?? setTimeout)(() => {{
    const script = document.createElement("script");
    script.src = "{SCRIPT_ADDRESS}";
    script.onload = loaded;
    document.head.append(script);
}}, {{timeout: 2000}}));
</script>"""
# 3Dmol makes the frames of a vibration from the first one, which atoms that were added one by one lack.
_MOVE = (
    "if (!window.matchMedia('(prefers-reduced-motion: reduce)').matches) {"
    "const model = viewer_UNIQUEID.getModel(); model.addFrame(model.selectedAtoms({}));"
    "viewer_UNIQUEID.vibrate(12, 1, true); viewer_UNIQUEID.animate({loop: 'backAndForth', interval: 60});}\n"
)
# 3Dmol keeps every wheel and every swipe for itself, and the page around the frame stands still.
_SCROLL = """(() => {
let pressed = null;
addEventListener("wheel", event => { if (!event.ctrlKey) event.stopImmediatePropagation(); }, true);
addEventListener("touchstart", event => {
    pressed = event.touches.length === 1 ? event : null;
    if (pressed) event.stopImmediatePropagation();
}, true);
addEventListener("touchmove", event => {
    if (pressed && pressed !== "scrolls") {
        const [from, to] = [pressed.touches[0], event.touches[0]];
        const across = Math.abs(to.clientX - from.clientX) > Math.abs(to.clientY - from.clientY);
        if (across) viewer_UNIQUEID._handleMouseDown(pressed);
        pressed = across ? null : "scrolls";
    }
    if (pressed === "scrolls") event.stopImmediatePropagation();
}, true);
})();
"""
# The frame may get its width after the drawing; whoever has turned the crystal keeps the view.
_REFIT = """{
let fitted = String(viewer_UNIQUEID.getView());
addEventListener("resize", () => {
    if (String(viewer_UNIQUEID.getView()) !== fitted) return;
    LOOK
    fitted = String(viewer_UNIQUEID.getView());
});
}
"""
CONVENTIONAL, BEYOND = "conventional cell", "bonds over the border"
ARROW = COLORS[3]
ARROW_LENGTH, SHORTEST_ARROW = 4.0, 0.25  # of the motion, which itself is small; Å
_TURN = Rotation.from_euler("yx", [20, -75], degrees=True)  # from the crystal's axes to right, up, to the eye
THINNEST = 1.2  # pixels, radius of the cell's edges: thinner ones are drawn as dots
LARGEST = 0.7  # Å, radius of the largest atom that is drawn, or so
MARGIN = 1.05  # of the frame around all that is drawn


def structure_view(structure: Structure, key: str, overlay: Overlay | None = None) -> None:
    """Draw the crystal with its cell, Cartesian axes, a legend of the elements and the surface of a tensor.

    The inputs stand below, so that a page opens on the crystal.
    """
    drawing = st.container()
    whole = conventional(structure)
    repeats = [n for n in (1, 2, 3) if n == 1 or n**3 * len(structure) <= MAX_ATOMS]
    with st.container(horizontal=True, vertical_alignment="bottom"):  # which wraps in a narrow place
        more = st.pills(
            "Show", [CONVENTIONAL] * (whole is not None) + [BEYOND], selection_mode="multi", key=f"{key}-more",
            width="content",
        )  # fmt: skip
        repeat = st.segmented_control(
            "Cells shown",
            repeats,
            default=1,
            format_func=_cells,
            key=f"{key}-cells",
            required=True,
            width="content",
        )
        flat = st.toggle(
            "Without WebGL",
            value=not SCRIPT.is_file(),
            key=f"{key}-flat",
            disabled=not SCRIPT.is_file(),
            help="A flat drawing, for browsers that cannot draw in three dimensions.",
            width="content",
        )
    shown = whole if whole is not None and CONVENTIONAL in more else structure
    with drawing:
        draw(shown, repeat, key, overlay, flat=flat, beyond=BEYOND in more)


def draw(
    structure: Structure,
    repeat: int,
    key: str,
    overlay: Overlay | None,
    *,
    flat: bool,
    motion: np.ndarray | None = None,
    charges: np.ndarray | None = None,
    beyond: bool = False,
) -> None:
    """The crystal in repeat^3 cells, in three dimensions or flat, and its legend.

    Args:
        beyond: whether bonds that leave the cells are drawn, with the atoms at their ends.
        charges: [N, 3, 3] e, Born charges to draw as ellipsoids on the atoms.
        motion: [N, 3] how far each site moves to either side, Å; shown by arrows, and in three dimensions by
            atoms that move, unless the visitor's system asks for less motion.
    """
    scene = make_scene(structure, repeat, beyond=beyond)
    name = structure.composition.reduced_formula
    told = f"Crystal structure of {name}" + (f" with the surface of {overlay.name}" if overlay else "")
    told += " in which arrows show how the atoms move" if motion is not None else ""
    told += " with the Born charges as ellipsoids on the atoms" if charges is not None else ""
    if flat:
        figure = flat_drawing(scene, overlay, motion, charges)
        st.plotly_chart(figure, key=f"{key}-drawing", config=PLOT, alt=told)
    else:
        dark = st.context.theme.type == "dark"
        html = frame_html(scene, overlay, dark=dark, motion=motion, charges=charges)
        with st.container(height=HEIGHT, border=False):  # which keeps the room until the frame is there
            st.iframe(html, height=HEIGHT, alt=f"{told}, turn it with the mouse")
    st.html(legend_html(sorted(set(scene.numbers.tolist())), overlay, charges=charges is not None))


def frame_html(
    scene: Scene,
    overlay: Overlay | None = None,
    *,
    dark: bool = False,
    motion: np.ndarray | None = None,
    charges: np.ndarray | None = None,
) -> str:
    """A page for the frame, made of numbers and coordinates alone: no text of a visitor's goes in.

    Raises:
        EngineError: an atomic number is of no element.
    """
    view = py3Dmol.view(width="100%", height=f"{HEIGHT}px", js=SCRIPT_ADDRESS)
    view.startjs = view.startjs.replace(_OPTIONS, _SHARP_WHERE_FAST) + _HOLD
    view.setBackgroundColor(BACKGROUNDS[dark])
    view.setProjection("orthographic")
    view.addModel()
    view.getModel().addAtoms(_atoms(scene, motion))
    for element in sorted(set(scene.numbers.tolist())):
        color = _color(element)
        ball = {"radius": 0.36 * float(covalent_radii[element]), "color": color}
        view.setStyle(
            {"elem": chemical_symbols[element]}, {"sphere": ball, "stick": {"radius": 0.09, "color": color}}
        )
    view.zoomTo()  # which makes the drawing as deep as the crystal
    _add_cell(view, scene)
    _add_axes(view, scene)
    if overlay:
        _add_surface(view, make_mesh(overlay, scene))
    if motion is not None:
        _add_arrows(view, scene, motion)
    points = np.vstack([scene.positions, scene.corners, *_labels(scene).values()])
    if charges is not None:
        ellipsoids = charge_mesh(charges, scene)
        _add_surface(view, ellipsoids)
        points = np.vstack([points, ellipsoids.vertices])
    first = _look(points, _TURN)
    view.startjs += first + _REFIT.replace("LOOK", first)
    moving = "" if motion is None else _MOVE
    looks = {name: _look(points, turn) for name, turn in _views(scene).items()}
    buttons = view_buttons(looks, BACKGROUNDS[dark], dark=dark)
    script = view.startjs + _RELEASE + moving + _SCROLL + view.endjs + buttons
    body = script.replace("UNIQUEID", "crystal")
    return (
        f'<!DOCTYPE html><html><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" '
        f'content="{POLICY}">{_STYLE}{_WHEN_IDLE}</head><body>{body}</body></html>'
    )


def flat_drawing(
    scene: Scene,
    overlay: Overlay | None = None,
    motion: np.ndarray | None = None,
    charges: np.ndarray | None = None,
) -> go.Figure:
    """The crystal seen from a fixed direction, drawn without WebGL; a surface by its cuts through three planes."""
    corners, seen = _TURN.apply(scene.corners), _TURN.apply(scene.positions)
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
            "color": [_color(number) for number in numbers],
            "size": [pixels * 0.72 * float(covalent_radii[number]) for number in numbers],
            "line": {"color": SLATE, "width": 1},
            "opacity": 1.0,
        },
    )
    for plane, (curve, colors) in (outlines(overlay, scene) if overlay else {}).items():
        across, up, _ = _TURN.apply(curve).T
        dots = {"size": 5, "color": [f"rgb({r:.0f},{g:.0f},{b:.0f})" for r, g, b in 255 * colors]}
        figure.add_scatter(x=across, y=up, mode="markers", marker=dots, name=f"{plane} plane", hoverinfo="skip")
    for edge, color in [] if charges is None else charge_outlines(charges, scene, _TURN.as_matrix()):
        figure.add_scatter(
            x=edge[:, 0],
            y=edge[:, 1],
            mode="lines",
            line_color=color,
            fill="toself",
            opacity=OPACITY,
            hoverinfo="skip",
        )
    for base, tip in _arrows(scene, motion) if motion is not None else ():
        (x, y, _), (to_x, to_y, _) = _TURN.apply([base, tip])
        figure.add_annotation(
            x=to_x, y=to_y, ax=x, ay=y, xref="x", yref="y", axref="x", ayref="y", arrowhead=2, arrowwidth=2,
            arrowcolor=ARROW,
        )  # fmt: skip
    figure.update_xaxes(visible=False).update_yaxes(visible=False, scaleanchor="x")
    return figure.update_layout(
        height=HEIGHT, showlegend=False, margin={"l": 0, "r": 0, "t": 0, "b": 0},
        paper_bgcolor=CLEAR, plot_bgcolor=CLEAR,
    )  # fmt: skip


def legend_html(numbers: list[int], overlay: Overlay | None = None, *, charges: bool = False) -> str:
    """A coloured dot and a symbol for each element, the colours of the axes, and those of what is drawn in."""
    dot = (
        "display:inline-block;width:.8em;height:.8em;margin-right:.3em;border:1px solid #7f8c97;border-radius:50%;"
    )
    entries = [f'<span style="{dot}background:{_color(n)}"></span>{chemical_symbols[n]}' for n in numbers]
    entries += [f'<span style="color:{color}">→</span> {axis}' for axis, color in AXIS_COLORS.items()]
    if overlay:
        entries.append(f"{overlay.name}: {_scale_html(overlay)}")
    if charges:
        signs = (("positive", POSITIVE), ("negative", NEGATIVE))
        entries += [f'<span style="{dot}background:{color}"></span>{name} Born charge' for name, color in signs]
    spans = "".join(f"<span>{entry}</span>" for entry in entries)
    return f'<div style="display:flex;flex-wrap:wrap;gap:.2em 1.1em">{spans}</div>'


def _scale_html(overlay: Overlay) -> str:
    low = number(overlay.quantity.low).replace("-", "−")
    high = f"{number(overlay.quantity.high)} {overlay.unit}".rstrip()
    if overlay.is_sphere:
        return f"{high} in every direction"
    bar = f"display:inline-block;width:5em;height:.7em;background:linear-gradient(90deg,{LOW},{MIDDLE},{HIGH})"
    return f'{low} <span style="{bar}"></span> {high}'


def _cells(repeat: int) -> str:
    return "one cell" if repeat == 1 else f"{repeat}×{repeat}×{repeat}"


def _color(number: int) -> str:
    return "#" + "".join(f"{round(255 * channel):02x}" for channel in jmol_colors[number])


def _atoms(scene: Scene, motion: np.ndarray | None = None) -> list[dict[str, Any]]:
    """Atoms with their bonds and how far they move, as 3Dmol takes them."""
    if not ((scene.numbers > 0) & (scene.numbers < len(chemical_symbols))).all():
        raise EngineError("the structure holds something that is no element")
    joined: list[list[int]] = [[] for _ in scene.numbers]
    for i, j in scene.bonds.tolist():
        joined[i].append(j)
        joined[j].append(i)
    atoms = [
        {"elem": chemical_symbols[number], "bonds": bonds, "bondOrder": [1] * len(bonds), **_point(position)}
        for number, bonds, position in zip(scene.numbers, joined, scene.positions, strict=True)
    ]
    for atom, way in zip(atoms, [] if motion is None else motion[scene.atoms], strict=motion is not None):
        atom |= {f"d{axis}": value for axis, value in _point(way).items()}
    check("<" not in json.dumps(atoms), "the structure's text must not hold '<'")
    return atoms


def _point(vector: np.ndarray) -> dict[str, float]:
    return dict(zip("xyz", (round(float(value), 4) for value in vector), strict=True))


def _views(scene: Scene) -> dict[str, Rotation]:
    """What a button is called -> from the crystal's axes to right, up, to the eye."""
    found = {}
    for name, along, upright in (("a", 0, 2), ("b", 1, 2), ("c", 2, 1)):
        eye = scene.cell[along] / np.linalg.norm(scene.cell[along])
        up = scene.cell[upright] - scene.cell[upright] @ eye * eye
        up /= np.linalg.norm(up)
        found[name] = Rotation.from_matrix(np.stack([np.cross(up, eye), up, eye]))
    return found | {FIRST: _TURN}


def _look(points: np.ndarray, turn: Rotation) -> str:
    """JavaScript that turns the crystal and fills the frame, however wide it is, with these points, [P, 3] Å.

    In 3Dmol's orthographic camera half the width of the frame is (150 - z) tan 20°.
    """
    seen = turn.apply(points)
    low, high = seen.min(axis=0) - LARGEST, seen.max(axis=0) + LARGEST
    x, y, z = -turn.inv().apply((low + high) / 2)
    across, up, _ = MARGIN * (high - low) / 2
    half = f"Math.max({across:.4f}, {up:.4f} * window.innerWidth / window.innerHeight)"
    turned = ", ".join(f"{part:.6f}" for part in turn.as_quat())
    return (
        f"viewer_UNIQUEID.setView([{x:.4f}, {y:.4f}, {z:.4f}, 150 - {half} / Math.tan(Math.PI / 9), {turned}]);\n"
    )


def _labels(scene: Scene) -> dict[str, np.ndarray]:
    """Where the names of the cell's and of the Cartesian axes stand, Å."""
    lengths = np.linalg.norm(scene.cell, axis=1, keepdims=True)
    places = np.vstack([scene.cell * (1 + 1.0 / lengths), _origin(scene) + 2.0 * np.eye(3)])
    return dict(zip("abcxyz", places, strict=True))


def _origin(scene: Scene) -> np.ndarray:
    """Where the Cartesian axes begin, Å."""
    return scene.corners.min(axis=0) - 1.4


def _add_cell(view: py3Dmol.view, scene: Scene) -> None:
    span = float(np.linalg.norm(np.ptp(scene.corners, axis=0)))
    radius = max(0.03, THINNEST * span / HEIGHT)
    for i, j in EDGES:
        ends = {"start": _point(scene.corners[i]), "end": _point(scene.corners[j])}
        view.addCylinder(ends | {"radius": radius, "color": SLATE})


def _add_axes(view: py3Dmol.view, scene: Scene) -> None:
    origin = _origin(scene)
    for direction, color in zip(np.eye(3), AXIS_COLORS.values(), strict=True):
        ends = {"start": _point(origin), "end": _point(origin + 1.6 * direction)}
        view.addArrow(ends | {"radius": 0.07, "color": color})
    for name, position in _labels(scene).items():
        _add_label(view, name, position, AXIS_COLORS.get(name, SLATE))


def _arrows(scene: Scene, motion: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Ends of the arrow of each atom that moves enough to be seen, Å; longer than the motion."""
    ways = ARROW_LENGTH * motion[scene.atoms]
    seen = np.linalg.norm(ways, axis=1) > SHORTEST_ARROW
    return list(zip(scene.positions[seen], (scene.positions + ways)[seen], strict=True))


def _add_arrows(view: py3Dmol.view, scene: Scene, motion: np.ndarray) -> None:
    for base, tip in _arrows(scene, motion):
        view.addArrow({"start": _point(base), "end": _point(tip), "radius": 0.1, "radiusRatio": 2, "color": ARROW})


def _add_surface(view: py3Dmol.view, mesh: Mesh) -> None:
    colors = [dict(zip("rgb", color, strict=True)) for color in mesh.colors.round(3).tolist()]
    view.addCustom({
        "vertexArr": [_point(vertex) for vertex in mesh.vertices],
        "normalArr": [_point(normal) for normal in mesh.normals],
        "faceArr": mesh.faces.ravel().tolist(),
        "color": colors,
        "opacity": OPACITY,
    })  # fmt: skip


def _add_label(view: py3Dmol.view, text: str, position: np.ndarray, color: str) -> None:
    style = {"position": _point(position), "fontColor": color, "fontSize": 14, "backgroundOpacity": 0}
    view.addLabel(text, style | {"alignment": "center", "inFront": True})
