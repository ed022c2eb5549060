"""A prediction for one crystal: tensors, what follows from them, intervals and warnings."""

import math
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from pymatgen.core import Structure

from engine.errors import EngineError, check, required
from engine.model.intervals import (
    Calibration,
    Signs,
    difference_bounds,
    intervals,
    is_useless,
    name_of,
    quantities,
    sum_bounds,
)
from engine.model.metals import LIKELY
from engine.model.neighbourhood import Neighbour
from engine.prediction.low_dimensional import LowDimensional
from engine.tensors import tensors
from engine.tensors.axes import distinct_values, to_ieee
from engine.vibrations.ions import Ions
from engine.vibrations.mode_intervals import ModeCalibration, ModeIntervals
from engine.vibrations.mode_intervals import intervals as intervals_of_modes
from engine.vibrations.modes import Modes, modes_of

Functional = Literal["PBE", "PBEsol"]
PARTS = ("electronic", "ionic")  # of the total
NO_MODES = "there are no modes: the ionic tensor was not asked for, or the model does not make it of vibrations"


@dataclass(frozen=True, kw_only=True, eq=False)
class Prediction:
    """What a model says of one crystal.

    Attributes:
        structure: the crystal.
        electronic, ionic: [3, 3] float64 relative permittivity in the structure's own Cartesian axes; None for a
            target that the model was not trained on.
        ions: Born charges and force constants that the ionic part is made of; None where it is made of none, or
            was not asked for.
        calibration: of each target, see `interval`.
        mode_calibrations: of the modes by `ionic_method`, see `mode_intervals`.
        spread: target -> [4], what the networks disagree by, see `intervals.Signs`.
        distance: to the nearest training crystal, see neighbourhood.py; nan for a model without that.
        gap_nearby: eV, mean DFT gap of the training crystals nearest to it; nan where it is not known.
        metallic: probability that the crystal is a metal, which has no dielectric tensor, see metals.py; nan for a
            model that cannot tell.
        neighbours: the training formulas nearest to it, the nearest first; none for a model without that.
        ionic_method: how the ionic part was found: "full", from Born charges and the potential's force constants;
            "direct", from the network's own alone, where the primitive cell is too large for the potential's;
            "coarse", read off the atoms' features, by a model that has neither; None where it was not asked for.
        functional: of the density functional theory that the tensors stand for.
        doubts: reasons to trust the prediction less, a sentence each; see `warnings` for all of them.
        held_out: True where no network that answered was trained on a crystal of this reduced formula.
        low_dimensional: what belongs to the sheet, chain or molecule itself where the structure is one in a box
            with vacuum: the tensors are then the box's, and change with the vacuum. None for a crystal.
        citation: of what taught the model, in one line; None where it is not known.
        by_pbesol: the answer by PBEsol to the same question, see `vibrating`; None where it was not asked for.
    """

    structure: Structure
    electronic: np.ndarray | None
    ionic: np.ndarray | None
    ions: Ions | None = field(repr=False)
    calibration: dict[str, Calibration] = field(repr=False)
    mode_calibrations: dict[str, ModeCalibration] = field(repr=False)
    spread: dict[str, np.ndarray] = field(repr=False)
    distance: float
    gap_nearby: float
    metallic: float
    neighbours: tuple[Neighbour, ...]
    ionic_method: Literal["full", "direct", "coarse"] | None
    functional: Functional
    doubts: list[str]
    held_out: bool
    low_dimensional: LowDimensional | None = None
    citation: str | None = field(default=None, repr=False)
    by_pbesol: "Prediction | None" = field(default=None, repr=False)

    @property
    def vibrating(self) -> "Prediction":
        """The answer whose vibrations to look at: that of PBEsol, which taught them, where it was asked for."""
        return self.by_pbesol or self

    @property
    def likely_metal(self) -> bool:
        """Whether the tensors stand for nothing, for want of a gap."""
        return self.metallic > LIKELY

    @cached_property
    def useless(self) -> dict[str, tuple[float, float]]:
        """Targets of which the prediction says nothing worth having, and their intervals: wider than `USELESS`."""
        found = {}
        for target in (*PARTS, "total"):
            with suppress(EngineError):  # a model without this target, or never calibrated
                found[target] = self.interval(target)
        return {target: bounds for target, bounds in found.items() if is_useless(target, bounds)}

    @property
    def warnings(self) -> list[str]:
        """Reasons to trust the prediction less, a sentence each."""
        if self.likely_metal:
            return self.doubts
        return [*self.doubts, *_useless(self.useless)]

    @property
    def formula(self) -> str:
        """Reduced formula."""
        return self.structure.composition.reduced_formula

    @property
    def total(self) -> np.ndarray | None:
        """[3, 3] static tensor, electronic + ionic."""
        return None if self.electronic is None or self.ionic is None else self.electronic + self.ionic

    @property
    def electronic_ieee(self) -> np.ndarray | None:
        """[3, 3] electronic tensor in IEEE 1987 axes; raises EngineError where these are not defined."""
        return None if self.electronic is None else to_ieee(self.electronic, self.structure)

    @property
    def n(self) -> float | None:
        """Refractive index sqrt(mean of the electronic diagonal)."""
        return None if self.electronic is None else tensors.refractive_index(self.electronic)

    @cached_property
    def principal_values(self) -> np.ndarray | None:
        """[3] principal values of the electronic tensor, ascending."""
        return None if self.electronic is None else tensors.principal_values(self.electronic)

    @property
    def birefringence(self) -> float | None:
        """Largest minus smallest principal refractive index."""
        return None if self.electronic is None else tensors.birefringence(self.electronic)

    @property
    def optical_class(self) -> tensors.OpticalClass | None:
        """Isotropic, uniaxial positive or negative, or biaxial: as the crystal's symmetry has it."""
        if self.electronic is None:
            return None
        return tensors.optical_class(self.electronic, distinct_values(self.structure))

    @cached_property
    def born_charges(self) -> np.ndarray | None:
        """[N, 3, 3] e, first index the field, second the displacement, in the order and axes of the structure.

        Those of the model's networks in the mean, which DFT charges taught; None as `ions`.
        """
        return None if self.ions is None else self.ions.symmetric.charges[self.ions.images(self.structure)]

    @cached_property
    def modes(self) -> Modes | None:
        """Vibrations at the zone centre of the primitive cell, and what they add to the tensor; None as `ions`."""
        if self.ions is None or self.ionic is None:
            return None
        return modes_of(self.ions, self.ions.images(self.structure), self.ionic, self.electronic)

    def mode_intervals(self, level: float = 0.9) -> ModeIntervals:
        """Of the frequency and strength of each infrared multiplet, calibrated on phonon calculations held out.

        Raises:
            EngineError: there are no modes, the model was not calibrated for them, or it has too little for
                `level`.
        """
        known = self.mode_calibrations.get(self.ionic_method or "")
        calibration = required(known, "the modes of this model were never calibrated")
        return intervals_of_modes(required(self.modes, NO_MODES), calibration, level)

    def permittivity(self, frequency: np.ndarray, damping: np.ndarray | float) -> np.ndarray:
        """[F, 3, 3] complex: the electronic tensor and the modes', from `total` at zero frequency; see `Modes`.

        Args:
            frequency: [F] cm^-1.
            damping: cm^-1, of all modes or of each.

        Raises:
            EngineError: the model gives no modes, or no electronic tensor.
        """
        return required(self.modes, NO_MODES).permittivity(frequency, damping)

    def interval(self, target: str, level: float = 0.9) -> tuple[float, float]:
        """(low, high) of the mean of the diagonal of `target`, calibrated on crystals held out of training.

        Raises:
            EngineError: the model has no such target or no calibration, or too little for `level`.
        """
        return tuple(self._intervals(target, level)[0].tolist())

    def principal_intervals(self, target: str, level: float = 0.9) -> np.ndarray:
        """[3, 2] the same for each principal value, ascending; raises as `interval` does."""
        return self._intervals(target, level)[1:]

    def _calibrated(self, target: str) -> str:
        """Name of the calibration that holds for a target."""
        name = name_of(target, self.ionic_method)
        return name if name in self.calibration else target

    def _intervals(self, target: str, level: float) -> np.ndarray:
        """[4, 2] of `QUANTITIES`; those of the total and of its parts contradict each other nowhere."""
        found = self._own_intervals(target, level)
        if self.total is None or not all(self._calibrated(one) in self.calibration for one in (*PARTS, "total")):
            return found
        electronic, ionic = (self._own_intervals(part, level) for part in PARTS)
        if self.ionic is not None and not self.ionic.any():  # by symmetry
            return np.zeros((4, 2)) if target == "ionic" else electronic
        if target == "electronic":  # the surest of the three
            return found
        total = _at_most(self._own_intervals("total", level), sum_bounds(electronic, ionic))
        total = _at_least(total, electronic, ionic)
        return total if target == "total" else _at_most(found, difference_bounds(total, electronic))

    @cached_property
    def _known_intervals(self) -> dict[tuple[str, float], np.ndarray]:
        return {}

    def _own_intervals(self, target: str, level: float) -> np.ndarray:
        known = self._known_intervals
        if (target, level) not in known:
            known[target, level] = self._found_intervals(target, level)
        return known[target, level]

    def _found_intervals(self, target: str, level: float) -> np.ndarray:
        check(
            target in ("electronic", "ionic", "total"),
            f"target must be electronic, ionic or total, got {target!r}",
        )
        missing = f"this model has no calibrated {target} tensor"
        tensor: np.ndarray = required(getattr(self, target), missing)
        calibration = required(self.calibration.get(self._calibrated(target)), missing)
        signs = Signs(
            values=quantities(tensor)[None],
            spread=self.spread[target][None],
            distance=np.array([self.distance]),
            gap=np.array([self.gap_nearby]),
            electronic=np.array([_mean(self.electronic)]),
            ionic=np.array([_mean(self.ionic)]),
        )
        return intervals(target, calibration, signs, level)[0]


def _at_most(bounds: np.ndarray, others: np.ndarray) -> np.ndarray:
    """[4, 2] what lies within both."""
    return np.stack([np.maximum(bounds[:, 0], others[:, 0]), np.minimum(bounds[:, 1], others[:, 1])], 1)


def _at_least(total: np.ndarray, electronic: np.ndarray, ionic: np.ndarray) -> np.ndarray:
    """[4, 2] intervals of the total that leave room for those of the electronic part."""
    smallest, largest = ionic[1, 0], ionic[3, 1]
    low = np.append(electronic[0, 0] + ionic[0, 1], electronic[1:, 0] + largest)
    high = np.append(electronic[0, 1] + ionic[0, 0], electronic[1:, 1] + smallest)
    return np.stack([np.minimum(total[:, 0], low), np.maximum(total[:, 1], high)], 1)


def _useless(found: dict[str, tuple[float, float]]) -> list[str]:
    """One sentence on the first of these targets, on which the total hangs, with the names of the others."""
    if not found:
        return []
    (first, (low, high)), *others = found.items()
    more = "".join(f", nor of the {target} one" for target, _ in others)
    return [
        f"No useful prediction of the {first} tensor: its mean lies between {low:.1f} and {high:,.0f} (90 %)"
        f"{more}."
    ]


def _mean(tensor: np.ndarray | None) -> float:
    return math.nan if tensor is None else tensors.mean(tensor)
