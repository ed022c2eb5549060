"""A crystal with what is known of its dielectric response."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from pymatgen.core import Composition, Element, Lattice, Structure

from engine.tensors.axes import allowed_part
from engine.tensors.tensors import DEGENERACY

MAX_Z = 118  # of the last element
_SYSTEM_STARTS = (
    (195, "cubic"),
    (168, "hexagonal"),
    (143, "trigonal"),
    (75, "tetragonal"),
    (16, "orthorhombic"),
    (3, "monoclinic"),
    (1, "triclinic"),
)
CRYSTAL_SYSTEMS = tuple(name for _, name in reversed(_SYSTEM_STARTS))


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """How a material came from Materials Project.

    Attributes:
        route: "task", the calculation's own structure and tensors; "ieee", a tensor turned back from IEEE axes;
            "" where there is no tensor.
        task_id: the calculation, where known.
        residual: Neumann residual in the structure's axes, the larger of electronic and total tensor.
        rejected: why the tensors were left out or flagged; empty for a sound row.
        verifiable: whether a wrong choice of axes would show in the residual.
        energy_above_hull: eV per atom.
        theoretical: whether the crystal is known from calculation only.
        db_version: of the database.
        date: when it was asked, UTC, ISO 8601.
    """

    route: str
    task_id: str | None
    residual: float | None
    rejected: str
    verifiable: bool
    energy_above_hull: float | None
    theoretical: bool | None
    db_version: str
    date: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Material:
    """One crystal, its DFT dielectric tensors where there are any, and where it comes from.

    Tensors are relative permittivities in the Cartesian axes of `cell`.

    Attributes:
        material_id: Materials Project ID, or None.
        cell: [3, 3] Å, rows are lattice vectors.
        atomic_numbers: [N] int.
        frac_coords: [N, 3] fractional coordinates.
        electronic: [3, 3] ion-clamped tensor, or None.
        ionic: [3, 3] lattice contribution, or None.
        n: refractive index sqrt(mean of the diagonal of `electronic`), or None.
        band_gap: eV, or None.
        space_group_number: 1 to 230.
        source: name of the data set.
        flags: what the data check found wrong with the tensors, empty for a sound row.
        doubts: why a value is doubtful although it passes that check, a sentence each; see data/README.md.
        fetched: how it came from Materials Project, None for an embedded material.
    """

    material_id: str | None
    cell: np.ndarray
    atomic_numbers: np.ndarray
    frac_coords: np.ndarray
    electronic: np.ndarray | None = None
    ionic: np.ndarray | None = None
    n: float | None = None
    band_gap: float | None = None
    space_group_number: int
    space_group_symbol: str
    source: str
    flags: tuple[str, ...] = field(default=())
    doubts: tuple[str, ...] = field(default=())
    fetched: Fetched | None = None

    @cached_property
    def structure(self) -> Structure:
        """The crystal as a pymatgen Structure, in the axes of the tensors."""
        return Structure(Lattice(self.cell), self.atomic_numbers.tolist(), self.frac_coords)

    @cached_property
    def formula(self) -> str:
        """Reduced formula."""
        return reduced_formula(self.atomic_numbers)

    @cached_property
    def elements(self) -> tuple[str, ...]:
        """Symbols, in alphabetical order."""
        return tuple(sorted(Element.from_Z(int(z)).symbol for z in np.unique(self.atomic_numbers)))

    @property
    def natoms(self) -> int:
        """Number of atoms in the cell."""
        return len(self.atomic_numbers)

    @property
    def total(self) -> np.ndarray | None:
        """[3, 3] static tensor, electronic + ionic, or None where one part is missing."""
        if self.electronic is None or self.ionic is None:
            return None
        return self.electronic + self.ionic

    @cached_property
    def allowed_electronic(self) -> np.ndarray | None:
        """[3, 3] what symmetry allows of `electronic`, which is all of it but for noise in a few DFT tensors.

        Symmetry is looked for where principal values differ that the space group has equal: that is quick.
        """
        if self.electronic is None:
            return None
        equal = {"cubic": 2, "orthorhombic": 0, "monoclinic": 0, "triclinic": 0}.get(self.crystal_system, 1)
        values = np.linalg.eigvalsh(self.electronic)
        if (np.diff(values) <= DEGENERACY * values[2]).sum() >= equal:
            return self.electronic
        return allowed_part(self.electronic, self.structure)

    @property
    def crystal_system(self) -> str:
        """One of `CRYSTAL_SYSTEMS`, from the space group."""
        return next(name for start, name in _SYSTEM_STARTS if self.space_group_number >= start)


Crystal = Structure | Material  # what is predicted; a material's structure has its tensors' axes


def structure_of(crystal: Crystal) -> Structure:
    """The crystal as a pymatgen Structure."""
    return crystal.structure if isinstance(crystal, Material) else crystal


def reduced_formula(atomic_numbers: np.ndarray) -> str:
    """Reduced formula of [N] atomic numbers, elements ordered by electronegativity."""
    numbers, counts = np.unique(atomic_numbers, return_counts=True)
    return Composition(
        {Element.from_Z(int(z)): int(c) for z, c in zip(numbers, counts, strict=True)}
    ).reduced_formula
