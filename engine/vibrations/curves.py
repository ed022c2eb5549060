"""Spectra along the principal axes of a crystal, and the marks that name their features."""

from dataclasses import dataclass

import numpy as np

from engine.tensors.principal_axes import PrincipalAxis, principal_axes
from engine.vibrations.light import absorption, isotropic_reflectivity, loss, principal_index
from engine.vibrations.modes import Modes

STRONG = 0.01  # of the ionic value along an axis: a mode with less gets no mark
EVENLY = 800  # frequencies, about one a pixel
AROUND = np.array([-1.0, -0.4, 0.0, 0.4, 1.0])  # widths of a mode, where its peak is drawn closer


@dataclass(frozen=True, kw_only=True, eq=False)
class Mark:
    """A multiplet that shows in a spectrum.

    Attributes:
        multiplet: its index in `Modes.sets`.
        transverse, longitudinal: cm^-1; of an unstable one those at which it is held, which are made up.
        share: of the ionic value along the axis.
        unstable: whether its true frequency is imaginary.
    """

    multiplet: int
    transverse: float
    longitudinal: float
    share: float
    unstable: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Curve:
    """What a field along one principal axis meets at F frequencies.

    Attributes:
        axis: of the total tensor; where several directions are alike, one stands for all.
        field: [3] unit vector along it.
        permittivity: [F] complex.
        reflectivity: [F] at normal incidence.
        absorption: [F] cm^-1.
        loss: [F].
        static, fast: permittivity at zero frequency, and the electronic one.
        marks: multiplets that are strong along this axis.
    """

    axis: PrincipalAxis
    field: np.ndarray
    permittivity: np.ndarray
    reflectivity: np.ndarray
    absorption: np.ndarray
    loss: np.ndarray
    static: float
    fast: float
    marks: tuple[Mark, ...]


def curves(modes: Modes, cell: np.ndarray, wavenumber: np.ndarray, damping: float) -> list[Curve]:
    """One curve for each distinct principal value of the total tensor, ascending.

    Where symmetry leaves the axes free to turn with the frequency, in monoclinic and triclinic crystals, these are
    the static ones, and what couples them is not shown.

    Args:
        modes: of a prediction that has both tensors.
        cell: [3, 3] Å of the conventional cell, to name directions by.
        wavenumber: [F] cm^-1, above zero.
        damping: cm^-1.
    """
    static = modes.permittivity(np.zeros(1), 0.0)[0].real
    found = modes.permittivity(wavenumber, damping)
    return [_curve(modes, axis, static, wavenumber, found) for axis in principal_axes(static, cell)]


def orientation_mean(modes: Modes, wavenumber: np.ndarray, damping: float) -> np.ndarray:
    """[F] complex permittivity at [F] cm^-1 in the mean over all directions of the field: a third of the trace."""
    return np.trace(modes.permittivity(wavenumber, damping), axis1=1, axis2=2) / 3


def _curve(
    modes: Modes, axis: PrincipalAxis, static: np.ndarray, wavenumber: np.ndarray, found: np.ndarray
) -> Curve:
    field = _field(axis)
    index = principal_index(found, field)
    at_rest = float(field @ static @ field)
    ionic = float(np.einsum("mab,a,b->", modes.strengths, field, field))
    return Curve(
        axis=axis,
        field=field,
        permittivity=np.einsum("fab,a,b->f", found, field, field),
        reflectivity=isotropic_reflectivity(index),
        absorption=absorption(wavenumber, index),
        loss=loss(found, field),
        static=at_rest,
        fast=at_rest - ionic,
        marks=_marks(modes, field, ionic),
    )


def _marks(modes: Modes, field: np.ndarray, ionic: float) -> tuple[Mark, ...]:
    along = np.einsum("mab,a,b->m", modes.strengths, field, field)
    found = [
        Mark(
            multiplet=multiplet,
            transverse=float(modes.held_wavenumbers[modes.sets[multiplet][0]]),
            longitudinal=longitudinal,
            share=float(along[list(modes.sets[multiplet])].sum() / max(ionic, 1e-9)),
            unstable=bool(modes.unstable[modes.sets[multiplet][0]]),
        )
        for multiplet, longitudinal in modes.longitudinal_pairs(field).items()
    ]
    return tuple(one for one in found if one.share > STRONG)


def _field(axis: PrincipalAxis) -> np.ndarray:
    """A direction that has the principal value: the axis, or one across it where all such are alike."""
    if axis.times != 2:
        return axis.axis if axis.times == 1 else np.eye(3)[0]
    across = np.cross(axis.axis, np.eye(3)[np.abs(axis.axis).argmin()])
    return across / np.linalg.norm(across)


def shown_range(modes: Modes) -> tuple[float, float]:
    """cm^-1 between which all that light sees of the modes happens, with room on both sides."""
    seen = np.abs(modes.wavenumbers[modes.infrared])
    if not len(seen):
        return 20.0, 1000.0
    highest = max(float(modes.longitudinal(axis)[-1]) for axis in np.eye(3))
    return max(5.0, 0.5 * float(seen.min())), 1.2 * highest


def shown_frequencies(modes: Modes, damping: float) -> np.ndarray:
    """[F] cm^-1 that `shown_range` is drawn at: evenly, and closer around every peak, however sharp."""
    low, high = shown_range(modes)
    transverse = modes.held_wavenumbers[modes.infrared]
    longitudinal = [one for axis in np.eye(3) for one in modes.longitudinal_pairs(axis).values()]
    peaks = np.unique(np.round([*transverse, *longitudinal], 2))[:, None] + damping * AROUND
    return np.unique([*np.linspace(low, high, EVENLY), *np.clip(peaks, low, high).ravel()])
