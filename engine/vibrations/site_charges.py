"""Born charges of the distinct atoms of a crystal, beside the oxidation states that chemistry books name."""

from dataclasses import dataclass

import numpy as np
from pymatgen.core import Composition, Element

from engine.vibrations.ions import Ions


@dataclass(frozen=True, kw_only=True, eq=False)
class SiteCharge:
    """Atoms that symmetry makes of one another.

    Attributes:
        element: symbol.
        times: how many there are in the primitive cell.
        charge: [3, 3] e of the first of them, first index the field, second the displacement.
        oxidation: a common oxidation state that balances the formula, the mean where an element has several; None
            where none does.
    """

    element: str
    times: int
    charge: np.ndarray
    oxidation: float | None


def site_charges(ions: Ions) -> list[SiteCharge]:
    """One entry for each set of equivalent atoms, in the order of the primitive cell."""
    first = np.min([_origin(op.permutation) for op in ions.operations], axis=0)
    charges = ions.symmetric.charges
    symbols = [Element.from_Z(int(z)).symbol for z in ions.atomic_numbers]
    states = _oxidation_states(Composition(dict(zip(*np.unique(symbols, return_counts=True), strict=True))))
    return [
        SiteCharge(
            element=symbols[atom],
            times=int((first == atom).sum()),
            charge=charges[atom],
            oxidation=states.get(symbols[atom]),
        )
        for atom in np.unique(first).tolist()
    ]


def _origin(permutation: np.ndarray) -> np.ndarray:
    """[n] which atom an operation puts in the place of each."""
    found = np.empty_like(permutation)
    found[permutation] = np.arange(len(permutation))
    return found


def _oxidation_states(composition: Composition) -> dict[str, float]:
    guesses = composition.reduced_composition.oxi_state_guesses()
    return dict(guesses[0]) if guesses else {}
