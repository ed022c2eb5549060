"""Units of frequencies; everything inside is in cm^-1."""

from collections.abc import Callable
from typing import Literal

import numpy as np
from phonopy.physical_units import get_physical_units

from engine.errors import check

Unit = Literal["cm^-1", "THz", "meV", "µm"]
UNITS: tuple[Unit, ...] = ("cm^-1", "THz", "meV", "µm")
_PHYSICAL = get_physical_units()
PER_THZ = float(_PHYSICAL.THzToCm)  # cm^-1
PER_MEV = PER_THZ / (1000 * float(_PHYSICAL.THzToEv))  # cm^-1
PER_ROOT_CURVATURE = float(_PHYSICAL.DefaultToTHz) * PER_THZ  # cm^-1 of a curvature of 1 eV/Å^2/u
_MICROMETRE = 1e4  # µm in a cm

_FROM: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "cm^-1": lambda value: value,
    "THz": lambda value: value * PER_THZ,
    "meV": lambda value: value * PER_MEV,
    "µm": lambda value: _MICROMETRE / value,
}
_TO: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "cm^-1": lambda value: value,
    "THz": lambda value: value / PER_THZ,
    "meV": lambda value: value / PER_MEV,
    "µm": lambda value: _MICROMETRE / value,
}


def to_wavenumber(value: np.ndarray | float, unit: str) -> np.ndarray:
    """cm^-1 of frequencies in one of `UNITS`, wavelengths in vacuum among them; raises EngineError for another."""
    check(unit in UNITS, f"the unit of a frequency must be one of {', '.join(UNITS)}, got {unit!r}")
    return _FROM[unit](np.asarray(value, dtype=float))


def from_wavenumber(value: np.ndarray | float, unit: str) -> np.ndarray:
    """What `to_wavenumber` undoes."""
    check(unit in UNITS, f"the unit of a frequency must be one of {', '.join(UNITS)}, got {unit!r}")
    return _TO[unit](np.asarray(value, dtype=float))
