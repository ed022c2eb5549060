"""Seven crystals of the embedded data that show what a dielectric tensor can be, each with a reason."""

from dataclasses import dataclass

import numpy as np

from engine.crystals.material import Material
from engine.errors import EngineError
from engine.prediction.prediction import Prediction
from engine.tensors import tensors

STAY = 12  # seconds at each crystal
CLOSE = 5.0  # percent; a prediction nearer than this is called so


@dataclass(frozen=True, kw_only=True)
class Stop:
    """One crystal of the tour.

    Attributes:
        material_id: its ID in the embedded data.
        target: the tensor that it is shown for.
        title: what it shows.
        why: a sentence or two, with fields for `dft_figures`.
        spectrum: whether its infrared spectrum is shown in the place of the tensor.
    """

    material_id: str
    target: str
    title: str
    why: str
    spectrum: bool = False


STOPS = (
    Stop(
        material_id="mp-1818",
        target="electronic",
        title="Isotropic, and hardly anything to polarise",
        why="None of the embedded tensors is smaller: n is only {n:.2f}. The crystal is cubic, so its tensor is a "
        "multiple of the unit matrix. Nobody taught the network that; it follows from equivariance.",
    ),
    Stop(
        material_id="mp-352",
        target="total",
        title="Ions that do most of the work",
        why="Hafnia insulates the gates of transistors, where a large static constant is wanted: {total:.1f}, of "
        "which the moving ions bring {ionic_share:.0f} %. It is monoclinic: all three principal values differ.",
    ),
    Stop(
        material_id="mp-2815",
        target="electronic",
        title="Layers that light can tell",
        why="Within its layers the electronic constant is {electronic_ratio:.1f} times that across them. The "
        "bonds of molybdenum and sulfur are hardly polar, and the ions add only {ionic:.2f} to the mean.",
    ),
    Stop(
        material_id="mp-1186",
        target="total",
        title="Layers again, with polar bonds",
        why="Built of layers as MoS₂ is, but here the moving ions bring {ionic_share:.0f} % of the static "
        "constant, and bring it within the layers: it is {total_ratio:.0f} times as large there as across them.",
    ),
    Stop(
        material_id="mp-614013",
        target="total",
        title="A soft vibration makes it huge",
        why="The electrons alone give {electronic:.1f}, as in many semiconductors. The ions give {ionic:.0f}, "
        "since a soft polar vibration lets them move far in a field. How soft it is, is hard to foresee.",
    ),
    Stop(
        material_id="mp-830",
        target="total",
        title="A mirror in the infrared",
        why="Gallium and nitrogen bear opposite charges and move against each other: a vibration that light sees. "
        "Between its transverse and its longitudinal frequency almost all light is reflected; its share of the "
        "static constant is all that the ions bring, {ionic:.1f} of {total:.1f}.",
        spectrum=True,
    ),
    Stop(
        material_id="mp-10667",
        target="electronic",
        title="The most anisotropic: almost a metal",
        why="No embedded electronic tensor is more anisotropic: its largest principal value is "
        "{electronic_ratio:.0f} times the smallest. With a gap of only {band_gap:.2f} eV the DFT figure is itself "
        "uncertain, and the data hold few crystals like it to learn from.",
    ),
)


def dft_figures(material: Material) -> dict[str, float]:
    """What the reasons of `STOPS` quote, of a material with both tensors: means, ratios, share of the ions."""
    facts = {"n": material.n, "band_gap": material.band_gap}
    found = {name: value for name, value in facts.items() if value is not None}
    for part in ("electronic", "ionic", "total"):
        found[part] = tensors.mean(getattr(material, part))
    for part in ("electronic", "total"):
        found[f"{part}_ratio"] = tensors.anisotropy_ratio(getattr(material, part))
    return found | {"ionic_share": 100 * found["ionic"] / found["total"]}


def reason(stop: Stop, material: Material) -> str:
    """Why the crystal is shown, with the figures of its DFT tensors."""
    return _unbroken(stop.why.format(**dft_figures(material)))


def verdict(prediction: Prediction, material: Material, target: str) -> str:
    """How the predicted mean of a tensor compares with DFT, and whether the 90 % interval holds it."""
    dft, predicted = (tensors.mean(getattr(source, target)) for source in (material, prediction))
    error = 100 * (predicted / dft - 1)
    judged = "too high" if error > 0 else "too low"
    distance = f"within {CLOSE:.0f} %" if abs(error) < CLOSE else f"{abs(error):.0f} % {judged}"
    text = f"The predicted {target} mean is {predicted:.2f}, DFT gives {dft:.2f}: {distance}."
    try:
        low, high = prediction.interval(target)
    except EngineError:  # a model without intervals
        return _unbroken(text)
    return _unbroken(f"{text} The 90 % interval, {low:.2f} to {high:.2f}, {_held(low, dft, high)}.")


def _unbroken(text: str) -> str:
    """Percent signs stay on the line of their number."""
    return text.replace(" %", "\u00a0%")


def _held(low: float, value: float, high: float) -> str:
    return "holds the DFT value" if np.clip(value, low, high) == value else "misses the DFT value"
