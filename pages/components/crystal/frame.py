"""A crystal in three dimensions: a page of 3Dmol's for a frame of its own."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import py3Dmol
from ase.data import chemical_symbols, covalent_radii
from ase.data.colors import jmol_colors
from scipy.spatial.transform import Rotation

from engine.errors import EngineError, check
from pages.components.colours import AXIS_COLORS, COLORS, SLATE
from pages.components.crystal.charges import charge_mesh
from pages.components.crystal.controls import BAR, FIRST, view_buttons
from pages.components.crystal.overlay import Mesh, Overlay, make_mesh
from pages.components.crystal.scene import EDGES, Scene

SCRIPT = Path(__file__).resolve().parents[3] / "static" / "3Dmol-min.js"
SCRIPT_ADDRESS = "/app/static/3Dmol-min.js"
POLICY = "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
HEIGHT = 400  # pixels
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
# Its observers tell it of the first size as of a new one.
_AT_FIRST = "viewer_UNIQUEID.zoomTo();"  # of py3Dmol
_HOLD = """viewer_UNIQUEID.getRenderer().render = () => {};
viewer_UNIQUEID.divwatcher?.disconnect();
((viewer, resize) => {
    let known = String([innerWidth, innerHeight]);
    viewer.resize = () => {
        const size = String([innerWidth, innerHeight]);
        if (size !== known || viewer.getRenderer().isLost()) resize.call(viewer);
        known = size;
    };
})(viewer_UNIQUEID, viewer_UNIQUEID.resize);
"""
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
ARROW = COLORS[3]
ARROW_LENGTH, SHORTEST_ARROW = 4.0, 0.25  # of the motion, which itself is small; Å
TURN = Rotation.from_euler("yx", [20, -75], degrees=True)  # from the crystal's axes to right, up, to the eye
THINNEST = 1.2  # pixels, radius of the cell's edges: thinner ones are drawn as dots
LARGEST = 0.7  # Å, radius of the largest atom that is drawn, or so
MARGIN = 1.05  # of the frame around all that is drawn


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
    view = py3Dmol.view(width="100%", height=f"{HEIGHT - BAR}px", js=SCRIPT_ADDRESS)
    view.startjs = view.startjs.replace(_OPTIONS, _SHARP_WHERE_FAST).replace(_AT_FIRST, _HOLD)
    view.setBackgroundColor(BACKGROUNDS[dark])
    view.setProjection("orthographic")
    view.addModel()
    view.getModel().addAtoms(_atoms(scene, motion))
    for element in sorted(set(scene.numbers.tolist())):
        color = color_of(element)
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
    first = _look(points, TURN)
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


def color_of(number: int) -> str:
    """Of an element, by its atomic number."""
    return "#" + "".join(f"{round(255 * channel):02x}" for channel in jmol_colors[number])


def arrows(scene: Scene, motion: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Ends of the arrow of each atom that moves enough to be seen, Å; longer than the motion."""
    ways = ARROW_LENGTH * motion[scene.atoms]
    seen = np.linalg.norm(ways, axis=1) > SHORTEST_ARROW
    return list(zip(scene.positions[seen], (scene.positions + ways)[seen], strict=True))


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
    return found | {FIRST: TURN}


def _look(points: np.ndarray, turn: Rotation) -> str:
    """JavaScript that turns the crystal and fills the frame, however wide it is, with these points, [P, 3] Å.

    In 3Dmol's orthographic camera half the width of the frame is (150 - z) tan 20°.
    """
    seen = turn.apply(points)
    low, high = seen.min(axis=0) - LARGEST, seen.max(axis=0) + LARGEST
    x, y, z = -turn.inv().apply((low + high) / 2)
    across, up, _ = MARGIN * (high - low) / 2
    half = f"Math.max({across:.4f}, {up:.4f} * window.innerWidth / (window.innerHeight - {BAR}))"
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


def _add_arrows(view: py3Dmol.view, scene: Scene, motion: np.ndarray) -> None:
    for base, tip in arrows(scene, motion):
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
