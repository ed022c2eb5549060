"""A prediction's ions and spectrum as files that other programs take."""

from dataclasses import dataclass

import numpy as np

from engine.errors import check, required
from engine.prediction.prediction import NO_MODES, Prediction
from engine.tensors.tensors import along
from engine.vibrations.light import principal_index
from engine.vibrations.modes import NO_ELECTRONIC
from engine.vibrations.phonopy_files import born, phonopy_params
from engine.vibrations.spectrum_files import permittivity_csv, refractive_index_yaml
from engine.vibrations.tensor_files import pydefect_unitcell
from engine.vibrations.units import to_wavenumber

PRINCIPAL = 1e-3  # of the electronic tensor: what may couple a principal axis to the others


FEWEST = 1000  # steps of a spectrum whose number of points was left open


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Frequencies of a spectrum, in a unit of units.py; `damping` too, but in cm^-1 where that is a wavelength.

    Without `points` the step is round: the largest of 1, 2 or 5 times a power of ten that makes `FEWEST` steps.
    """

    start: float = 20.0
    stop: float = 1500.0
    damping: float = 8.0
    unit: str = "cm^-1"
    points: int | None = None

    def __post_init__(self) -> None:
        check(0 < self.start < self.stop, f"a spectrum goes from above 0 to more, got {self.start} to {self.stop}")
        check(self.damping >= 0, f"damping must not be negative, got {self.damping}")
        check(2 <= self.count <= 1_000_000, f"points must be 2 to a million, got {self.points}")

    @property
    def count(self) -> int:
        """Number of frequencies."""
        if self.points is not None:
            return self.points
        span = self.stop - self.start
        power = 10.0 ** np.floor(np.log10(span / FEWEST))
        step = max(one * power for one in (1, 2, 5) if one * power * FEWEST <= span * (1 + 1e-9))
        return round(span / step) + 1

    @property
    def wavenumber(self) -> np.ndarray:
        """[count] cm^-1, even in the unit."""
        return to_wavenumber(np.linspace(self.start, self.stop, self.count), self.unit)

    @property
    def width(self) -> float:
        """Damping in cm^-1."""
        return self.damping if self.unit == "µm" else float(to_wavenumber(self.damping, self.unit))


def born_file(prediction: Prediction) -> str:
    """phonopy's BORN, see `phonopy_files.born`; raises EngineError where a prediction lacks charges or tensor."""
    charges = required(prediction.born_charges, NO_MODES)
    return born(prediction.structure, charges, required(prediction.electronic, NO_ELECTRONIC))


def phonopy_file(prediction: Prediction) -> str:
    """phonopy_params.yaml, see `phonopy_files.phonopy_params`; raises as `born_file`."""
    modes = required(prediction.modes, NO_MODES)
    return phonopy_params(modes.ions, required(prediction.electronic, NO_ELECTRONIC))


def unitcell_file(prediction: Prediction) -> str:
    """pydefect's unitcell.yaml; raises EngineError where one of the tensors was not asked for."""
    electronic = required(prediction.electronic, NO_ELECTRONIC)
    ionic = required(prediction.ionic, "the ionic tensor was not asked for; ask for both targets")
    return pydefect_unitcell(prediction.formula, electronic, ionic)


def spectrum_file(prediction: Prediction, sweep: Sweep) -> str:
    """The permittivity as CSV, see `permittivity_csv`; raises as `Prediction.permittivity`."""
    found = prediction.permittivity(sweep.wavenumber, sweep.width)
    return permittivity_csv(sweep.wavenumber, found, sweep.unit)


def index_file(prediction: Prediction, sweep: Sweep, field: np.ndarray) -> str:
    """n and k for a field along a principal axis [3], as refractiveindex.info has them.

    Raises:
        EngineError: it is none, or the prediction has no modes.
    """
    field = np.asarray(field, dtype=float)
    found = prediction.permittivity(sweep.wavenumber, sweep.width)
    electronic = required(prediction.electronic, NO_ELECTRONIC)
    length = float(np.linalg.norm(field))
    check(length > 0, "the direction of the field must be longer than zero")
    unit = field / length
    aside = np.linalg.norm(electronic @ unit - along(electronic, unit) * unit)
    check(
        bool(aside < PRINCIPAL * np.trace(electronic)),
        "one index describes light only where its field is along a principal axis, got "
        f"{', '.join(f'{x:g}' for x in field)}; choose such an axis, or write the permittivity as CSV",
    )
    comments = (
        f"{prediction.formula}, field along {', '.join(f'{x:.4g}' for x in unit)} in the Cartesian axes of the "
        f"structure. Predicted, not measured: vibrations damped by {sweep.width:g} cm^-1 each on the electronic "
        "permittivity, which is taken as constant, so good below the band gap alone."
    )
    return refractive_index_yaml(sweep.wavenumber, principal_index(found, unit), comments)
