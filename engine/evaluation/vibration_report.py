"""What was measured of a shipped model's vibrations: against DFT, and against infrared spectra."""

from dataclasses import dataclass
from typing import Any

from engine.errors import EngineError
from engine.evaluation.mode_errors import ModeErrors
from engine.evaluation.results import results_file
from engine.files import read_json

FAR = 0.2  # of a measured frequency: a prediction farther off should come with a warning
Frequencies = tuple[float | None, float | None]  # cm^-1, transverse and longitudinal; None where not known


@dataclass(frozen=True, kw_only=True)
class ComparedMode:
    """An infrared mode measured and predicted, in the crystal as diffraction finds it.

    Attributes:
        phase: of the crystal.
        label: Mulliken symbol of its representation.
        strongest: whether it adds most to the static tensor, of the crystal's modes.
        measured, predicted, as_pbe, dft: cm^-1; predicted as PBEsol has it, and as PBE; DFT is PBEsol too, in its
            own relaxed cell.
        interval: cm^-1, low and high of the transverse one, for DFT; None for an unstable mode.
        held_out: whether no network that answered knew the formula.
        warned: whether the prediction comes with a doubt.
        source: publication.
    """

    formula: str
    phase: str
    label: str
    strongest: bool
    measured: Frequencies
    predicted: Frequencies
    interval: tuple[float, float] | None
    as_pbe: Frequencies
    dft: Frequencies
    held_out: bool
    warned: bool
    source: str

    @property
    def far(self) -> bool:
        """Whether the transverse frequency is farther off than `FAR`."""
        known, found = self.measured[0], self.predicted[0]
        return known is not None and found is not None and abs(found / known - 1) > FAR


@dataclass(frozen=True, kw_only=True)
class MeasuredErrors:
    """Of one way to predict measured modes.

    Attributes:
        way: name.
        modes: number with a transverse frequency.
        transverse, longitudinal: median error in percent of all.
        transverse_held_out, longitudinal_held_out: of formulas that no network that answered knew.
    """

    way: str
    modes: int
    transverse: float
    longitudinal: float
    transverse_held_out: float
    longitudinal_held_out: float


@dataclass(frozen=True, kw_only=True)
class VibrationReport:
    """Errors by ionic method on formulas left out; measured modes, crystal by crystal, and errors against them."""

    errors: dict[str, ModeErrors]
    measured: tuple[ComparedMode, ...]
    against_measured: tuple[MeasuredErrors, ...]

    @property
    def crystals(self) -> int:
        """Number of measured crystals."""
        return len({(one.formula, one.phase) for one in self.measured})

    @property
    def far(self) -> tuple[ComparedMode, ...]:
        """Modes far off the measured ones."""
        return tuple(one for one in self.measured if one.far)


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
        if spectra.get("model") != name:
            spectra = {"rows": (), "errors": {}}
        return VibrationReport(
            errors=errors,
            measured=tuple(_compared(row) for row in spectra["rows"]),
            against_measured=tuple(_against(way, found) for way, found in spectra["errors"].items()),
        )
    except (KeyError, TypeError) as error:
        command = "python -m benchmarks.modes and python -m benchmarks.measured_modes"
        raise EngineError(
            f"{against_dft} or {against_spectra}: is damaged; measure again with {command}"
        ) from error


def _compared(row: dict[str, Any]) -> ComparedMode:
    low, high = row["TO, low"], row["TO, high"]
    return ComparedMode(
        formula=row["formula"],
        phase=row["phase"],
        label=row["mode"],
        strongest=row["strongest"],
        measured=(row["TO, measured"], row["LO, measured"]),
        predicted=(row["TO"], row["LO"]),
        interval=None if low is None else (low, high),
        as_pbe=(row["TO, PBE"], row["LO, PBE"]),
        dft=(row["TO, DFT"], row["LO, DFT"]),
        held_out=row["held out"],
        warned=row["warned"],
        source=row["source"],
    )


def _against(way: str, found: dict[str, Any]) -> MeasuredErrors:
    return MeasuredErrors(
        way=way,
        modes=found["modes"],
        transverse=found["TO"],
        longitudinal=found["LO"],
        transverse_held_out=found["TO, held out"],
        longitudinal_held_out=found["LO, held out"],
    )
