"""One structure of an input, read or refused."""

from dataclasses import dataclass

from pymatgen.core import Structure

from engine.crystals.inputs import as_structure
from engine.crystals.material import Crystal
from engine.errors import EngineError

AT_ONCE = 64  # structures that are read together


@dataclass(frozen=True, kw_only=True)
class Item:
    """One structure of an input.

    Attributes:
        source: file and number, ID, or data set and number.
        crystal: or why there is none.
        material_id: of Materials Project, where it is known.
        band_gap: eV, known beside the structure, or None.
    """

    source: str
    crystal: Crystal | str
    material_id: str | None = None
    band_gap: float | None = None


def checked(structure: Structure) -> Structure | str:
    """A structure that was read, or why it cannot be computed."""
    try:
        return as_structure(structure)
    except EngineError as error:
        return str(error)
