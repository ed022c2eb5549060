"""How far predicted modes are from those of phonon data, on formulas that no network that answers knew."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from engine.data.phonons import Phonons
from engine.network.constants import UNIT
from engine.prediction.prediction import Functional
from engine.prediction.predictor import AskedMethod, Predictor
from engine.vibrations.ions import Ions
from engine.vibrations.mode_intervals import ModeCalibration, calibrate, intervals
from engine.vibrations.modes import Modes, modes_of
from engine.vibrations.pairing import keys, strongest_axis

LEVEL = 0.9
FOLDS = 5


@dataclass(frozen=True, kw_only=True)
class ModeErrors:
    """Medians over crystals, but where it says otherwise.

    Attributes:
        crystals, modes: how many were judged, and infrared multiplets of theirs.
        frequency: cm^-1, absolute error of transverse frequencies, over all multiplets of all crystals.
        infrared_frequency: cm^-1, over the infrared ones.
        splitting: percent, of the longitudinal minus the transverse frequency of DFT's strongest multiplet, along
            the axis of its greatest strength.
        strength: percent, of the strength of that multiplet.
        frequency_coverage, strength_coverage: percent of the DFT values that intervals at `LEVEL` hold,
            calibrated on the crystals of other formulas.
    """

    crystals: int
    modes: int
    frequency: float
    infrared_frequency: float
    splitting: float
    strength: float
    frequency_coverage: float
    strength_coverage: float


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pair:
    """Modes of a crystal, predicted and by DFT, and DFT's in the order of the predicted ones."""

    formula: str
    predicted: Modes
    dft: Modes
    wavenumbers: np.ndarray  # [K]
    strengths: np.ndarray  # [K]
    index: np.ndarray  # [K] of DFT's multiplet


def mode_errors(
    predictor: Predictor,
    known: Sequence[Phonons],
    method: AskedMethod = "full",
    functional: Functional = "PBEsol",
    progress: Callable[[int, int], None] | None = None,
) -> tuple[ModeErrors, ModeCalibration]:
    """Errors against crystals that DFT finds firm, and the calibration that follows from them.

    Multiplets are matched by their irreducible representation, the k-th softest with the k-th softest.
    """
    materials = [one.material for one in known]
    answers = predictor.predict_many(
        materials, progress=progress, out_of_fold=True, ionic_method=method, functional=functional
    )
    both = [_pair(one.modes, phonons) for one, phonons in zip(answers, known, strict=True)]
    pairs = [pair for pair in both if pair]
    held = np.concatenate([_held(pairs, fold) for fold in range(FOLDS)])
    strongest = np.array([_strongest(pair) for pair in pairs])
    every = [pair.predicted.first(pair.predicted.wavenumbers) - pair.wavenumbers for pair in pairs]
    seen = [error[pair.predicted.first(pair.predicted.infrared)] for pair, error in zip(pairs, every, strict=True)]
    return ModeErrors(
        crystals=len(pairs),
        modes=sum(len(one) for one in seen),
        frequency=float(np.median(np.abs(np.concatenate(every)))),
        infrared_frequency=float(np.median(np.abs(np.concatenate(seen)))),
        splitting=float(np.median(strongest[:, 0])),
        strength=float(np.median(strongest[:, 1])),
        frequency_coverage=float(100 * held[:, 0].mean()),
        strength_coverage=float(100 * held[:, 1].mean()),
    ), _calibration(pairs)


def dft_modes(one: Phonons) -> Modes:
    """Modes of a crystal of a phonon data base, nothing held."""
    material = one.material
    ions = Ions(
        cell=material.cell,
        atomic_numbers=material.atomic_numbers,
        pos=material.frac_coords @ material.cell,
        charges=one.born,
        force_constants=one.force_constants.astype(float),
    ).symmetric
    pull = ions.charges.transpose(0, 2, 1).reshape(-1, 3)
    ionic = UNIT / ions.volume * pull.T @ np.linalg.pinv(ions.force_constants, rtol=1e-6, hermitian=True) @ pull
    return modes_of(ions, np.arange(material.natoms), ionic, material.electronic)


def _pair(predicted: Modes | None, one: Phonons) -> _Pair | None:
    """None where the cell is not primitive, or the two do not have the same multiplets."""
    dft = dft_modes(one)
    if predicted is None or len(predicted) != len(dft):
        return None
    own, other = keys(predicted), keys(dft)
    if sorted(own) != sorted(other) or not dft.infrared.any():
        return None
    index = np.array([other.index(key) for key in own])
    return _Pair(
        formula=one.material.formula,
        predicted=predicted,
        dft=dft,
        wavenumbers=dft.first(dft.wavenumbers)[index],
        strengths=dft.set_strengths[index],
        index=index,
    )


def _strongest(pair: _Pair) -> tuple[float, float]:
    """Percent: errors of splitting and strength of DFT's strongest multiplet."""
    place = int(pair.strengths.argmax())
    strength = abs(pair.predicted.set_strengths[place] / pair.strengths[place] - 1)
    wanted = int(pair.index[place])
    axis = strongest_axis(pair.dft, wanted)
    gaps = []
    for modes, multiplet in ((pair.predicted, place), (pair.dft, wanted)):
        longitudinal = modes.longitudinal_pairs(axis)
        gaps.append(longitudinal.get(multiplet, np.nan) - modes.wavenumbers[modes.sets[multiplet][0]])
    return 100 * abs(gaps[0] / gaps[1] - 1), 100 * strength


def _calibration(pairs: Sequence[_Pair]) -> ModeCalibration:
    return calibrate(
        [pair.predicted for pair in pairs],
        [pair.wavenumbers for pair in pairs],
        [pair.strengths for pair in pairs],
    )


def _held(pairs: Sequence[_Pair], fold: int) -> np.ndarray:
    """[k, 2] bool, whether the intervals of a fold's infrared multiplets hold DFT's frequency and strength."""
    formulas = sorted({pair.formula for pair in pairs})
    chosen = [formulas.index(pair.formula) % FOLDS == fold for pair in pairs]
    calibration = _calibration([pair for pair, own in zip(pairs, chosen, strict=True) if not own])
    found = []
    for pair in (pair for pair, own in zip(pairs, chosen, strict=True) if own):
        bounds = intervals(pair.predicted, calibration, LEVEL)
        known = np.isfinite(bounds.wavenumber[:, 0])
        inside = [
            (low[known] <= value[known]) & (value[known] <= high[known])
            for (low, high), value in (
                (bounds.wavenumber.T, pair.wavenumbers),
                (bounds.strength.T, pair.strengths),
            )
        ]
        found.append(np.stack(inside, 1))
    return np.concatenate(found)
