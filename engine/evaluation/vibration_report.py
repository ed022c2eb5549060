"""What was measured of a shipped model's vibrations: against DFT, and against infrared spectra."""

from dataclasses import dataclass
from statistics import median
from typing import Any

from engine.errors import EngineError
from engine.evaluation.mode_errors import ModeErrors
from engine.evaluation.results import results_file
from engine.files import read_json


@dataclass(frozen=True, kw_only=True)
class MeasuredMode:
    """The strongest infrared multiplet of a crystal, predicted out-of-fold and measured.

    Attributes:
        transverse, longitudinal: cm^-1, predicted and measured.
        interval: cm^-1, low and high of the transverse one, for DFT.
        static: mean of the static permittivity, predicted and measured.
        doi: of the measurement.
    """

    formula: str
    transverse: tuple[float, float]
    interval: tuple[float, float]
    longitudinal: tuple[float, float]
    static: tuple[float, float]
    doi: str


@dataclass(frozen=True, kw_only=True)
class VibrationReport:
    """Errors by ionic method on formulas left out, and measured crystals by formula."""

    errors: dict[str, ModeErrors]
    measured: tuple[MeasuredMode, ...]

    @property
    def transverse_bias(self) -> float:
        """Percent by which predicted transverse frequencies are off the measured ones, in the median."""
        return median(100 * (one.transverse[0] / one.transverse[1] - 1) for one in self.measured)


def read_vibrations(name: str) -> VibrationReport | None:
    """The report of a shipped model as it was published, None where none was made.

    Raises:
        EngineError: a file is damaged.
    """
    against_dft, against_spectra = results_file(f"modes-{name}"), results_file("measured_modes")
    if not against_dft.is_file():
        return None
    try:
        errors = {method: ModeErrors(**found) for method, found in read_json(against_dft)["errors"].items()}
        spectra: dict[str, Any] = read_json(against_spectra) if against_spectra.is_file() else {}
        rows = spectra["rows"] if spectra and spectra["model"] == name else []
        return VibrationReport(errors=errors, measured=tuple(_measured(row) for row in rows))
    except (KeyError, TypeError) as error:
        command = "python -m benchmarks.modes and python -m benchmarks.measured_modes"
        raise EngineError(
            f"{against_dft} or {against_spectra}: is damaged; measure again with {command}"
        ) from error


def _measured(row: dict) -> MeasuredMode:
    return MeasuredMode(
        formula=row["formula"],
        transverse=(row["TO"], row["TO, measured"]),
        interval=(row["TO, low"], row["TO, high"]),
        longitudinal=(row["LO"], row["LO, measured"]),
        static=(row["static"], row["static, measured"]),
        doi=row["doi"],
    )
