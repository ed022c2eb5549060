"""The colours that charts and drawings share; all hold on a light and on a dark page."""

from engine.crystals.material import CRYSTAL_SYSTEMS

GREY = "#8C8C8C"
COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", GREY)  # Okabe and Ito's, and grey
SYSTEM_COLORS = dict(zip(reversed(CRYSTAL_SYSTEMS), COLORS, strict=True))
# Below zero, zero (which sinks into the page), above zero; on a light and on a dark page.
TENSOR_SCALES = {False: ("#D55E00", "#f1f4f6", "#2a7fb0"), True: ("#c8641b", "#1c262f", "#3787b5")}
CLEAR = "rgba(0,0,0,0)"
SLATE = "#74828d"  # edges, bonds and outlines of drawn crystals
AXIS_COLORS = {"x": "#e0701f", "y": "#1fa37d", "z": "#3d8fd1"}  # Cartesian axes of drawn crystals


def faint_grey(opacity: float) -> str:
    """`GREY` that lets the page through, as CSS writes it."""
    red, green, blue = bytes.fromhex(GREY[1:])
    return f"rgba({red},{green},{blue},{opacity})"
