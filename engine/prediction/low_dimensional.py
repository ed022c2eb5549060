"""The response that belongs to a sheet, a chain or a molecule itself, whatever the box around it."""

from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from engine.crystals.vacuum import Dimensionality, InVacuum, Kind
from engine.tensors.polarisability import polarisability


@dataclass(frozen=True, kw_only=True, eq=False)
class LowDimensional:
    """Polarisabilities, independent of the vacuum; polarisability.py has the convention.

    Attributes:
        box: what the structure is.
        electronic: [3, 3] Å (a sheet, per area), Å^2 (a chain, per length) or Å^3 (a molecule), in the structure's
            own Cartesian axes, ions standing still; None where the electronic tensor is not known.
        static: [3, 3] the same with what ions add in a slow field; None where the total tensor is not known, and
            for chains and molecules: these may turn in a field, and no tensor of a box says how far.
    """

    box: InVacuum
    electronic: np.ndarray | None
    static: np.ndarray | None

    @property
    def kind(self) -> Kind:
        """Sheet, chain or molecule."""
        return self.box.kind

    @property
    def dimensionality(self) -> Dimensionality:
        """2, 1 or 0."""
        return self.box.dimensionality

    @property
    def vacuum(self) -> float:
        """Å, see `InVacuum`."""
        return self.box.vacuum

    @property
    def unit(self) -> str:
        """ "Å", "Å^2" or "Å^3"."""
        return ("Å^3", "Å^2", "Å")[self.dimensionality]

    def along(self, tensor: np.ndarray) -> np.ndarray:
        """[d] principal values of a polarisability [3, 3] within the sheet or along the chain, ascending."""
        axes = self.box.axes[: self.dimensionality]
        return np.linalg.eigvalsh(axes @ tensor @ axes.T)

    def across(self, tensor: np.ndarray) -> np.ndarray:
        """[3 - d] principal values across, ascending; all three of a molecule."""
        axes = self.box.axes[self.dimensionality :]
        return np.linalg.eigvalsh(axes @ tensor @ axes.T)


def low_dimensional(
    box: InVacuum, electronic: np.ndarray | None, total: np.ndarray | None, repeats: np.ndarray | None = None
) -> LowDimensional:
    """What belongs to that which stands in a box, from relative permittivities [3, 3].

    Args:
        electronic, total: of the box, or of a stack of the sheet, whose `repeats` [1, 3] Å are its spacing.
    """
    lattice = box.repeats if repeats is None else repeats
    slow = total if box.dimensionality == 2 else None
    return LowDimensional(
        box=box,
        electronic=None if electronic is None else polarisability(electronic, lattice),
        static=None if slow is None else polarisability(slow, lattice),
    )


class OwnResponse(TypedDict):
    """`LowDimensional` in a record: `vacuum` in Å, the others in `unit`; principal values along and across."""

    kind: str
    dimensionality: int
    vacuum: float
    unit: str
    electronic: list[list[float]] | None
    electronic_along: list[float] | None
    electronic_across: list[float] | None
    static: list[list[float]] | None
    static_along: list[float] | None
    static_across: list[float] | None


def own_response(own: LowDimensional | None) -> OwnResponse | None:
    """Its entry in a record; None for a crystal."""
    if own is None:
        return None
    electronic, static = own.electronic, own.static
    return {
        "kind": own.kind,
        "dimensionality": own.dimensionality,
        "vacuum": own.vacuum,
        "unit": own.unit,
        "electronic": None if electronic is None else electronic.tolist(),
        "electronic_along": None if electronic is None else own.along(electronic).tolist(),
        "electronic_across": None if electronic is None else own.across(electronic).tolist(),
        "static": None if static is None else static.tolist(),
        "static_along": None if static is None else own.along(static).tolist(),
        "static_across": None if static is None else own.across(static).tolist(),
    }


def flat_response(own: OwnResponse | None) -> dict[str, str | float | None]:
    """The same as columns of a table, with means of what lies along and of what lies across."""

    def mean(values: list[float] | None) -> float | None:
        return sum(values) / len(values) if values else None

    return {
        "low_dimensional": own and own["kind"],
        "vacuum": own and own["vacuum"],
        "polarisability_unit": own and own["unit"],
        "polarisability_electronic_along": own and mean(own["electronic_along"]),
        "polarisability_electronic_across": own and mean(own["electronic_across"]),
        "polarisability_static_along": own and mean(own["static_along"]),
        "polarisability_static_across": own and mean(own["static_across"]),
    }
