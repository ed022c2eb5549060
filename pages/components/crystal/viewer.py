"""A crystal on a page: in three dimensions or flat, with its legend and what a visitor can choose."""

import numpy as np
import streamlit as st
from ase.data import chemical_symbols
from pymatgen.core import Structure

from engine.crystals.conventional import conventional
from pages.components.colours import AXIS_COLORS
from pages.components.crystal.charges import NEGATIVE, POSITIVE
from pages.components.crystal.flat import flat_drawing
from pages.components.crystal.frame import HEIGHT, SCRIPT, color_of, frame_html
from pages.components.crystal.overlay import HIGH, LOW, MIDDLE, Overlay
from pages.components.crystal.scene import make_scene
from pages.components.widgets import PLOT, number

MAX_ATOMS = 1500  # more than this draws slowly
CONVENTIONAL, BEYOND = "conventional cell", "bonds over the border"


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


def legend_html(numbers: list[int], overlay: Overlay | None = None, *, charges: bool = False) -> str:
    """A coloured dot and a symbol for each element, the colours of the axes, and those of what is drawn in."""
    dot = (
        "display:inline-block;width:.8em;height:.8em;margin-right:.3em;border:1px solid #7f8c97;border-radius:50%;"
    )
    entries = [f'<span style="{dot}background:{color_of(n)}"></span>{chemical_symbols[n]}' for n in numbers]
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
