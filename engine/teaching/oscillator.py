"""One infrared mode on top of the electrons, whose springs can be changed: what the Theory page lets one drag.

    eps(o) = electronic + plasma^2 / (transverse^2 - o^2 - i damping o)

The plasma frequency says how much charge moves and what it weighs. Springs that change leave it as it is.
"""

from dataclasses import dataclass

import numpy as np

from engine.optics.measured_modes import MeasuredModes


@dataclass(frozen=True, kw_only=True)
class Oscillator:
    """Frequencies in cm^-1."""

    transverse: float
    plasma: float
    electronic: float

    @classmethod
    def measured(cls, modes: MeasuredModes, softened: float = 1.0) -> "Oscillator":
        """The mode of a crystal as measured, its frequency multiplied by `softened`."""
        plasma = modes.transverse * (modes.static - modes.electronic) ** 0.5
        return cls(transverse=softened * modes.transverse, plasma=plasma, electronic=modes.electronic)

    @property
    def static(self) -> float:
        """Permittivity at zero frequency: the softer the springs, the larger, as the inverse of the square."""
        return self.electronic + (self.plasma / self.transverse) ** 2

    @property
    def longitudinal(self) -> float:
        """Where the permittivity vanishes."""
        return float(np.sqrt(self.transverse**2 + self.plasma**2 / self.electronic))

    def permittivity(self, wavenumber: np.ndarray, damping: float) -> np.ndarray:
        """[F] complex."""
        below = self.transverse**2 - wavenumber**2 - 1j * damping * wavenumber
        return self.electronic + self.plasma**2 / below
