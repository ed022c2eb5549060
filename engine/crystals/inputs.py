"""What a user gives as a crystal, and whether it is one that can be computed."""

from pathlib import Path

import numpy as np
from ase import Atoms
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

from engine.crystals.material import Crystal, Material
from engine.crystals.reader import Disordered, read_path
from engine.crystals.room import distances_of
from engine.errors import EngineError, check

CLOSEST = 0.5  # Å; atoms nearer than this are one atom written twice
LONGEST = 1000.0  # Å, of a lattice vector
FARTHEST = 1e5  # cells that an atom may lie away from the one at the origin

Input = Structure | Atoms | Material | str | Path


def as_crystal(source: Input) -> Crystal:
    """A material as it is, anything else as `as_structure` gives it; raises as that does."""
    return source if isinstance(source, Material) else as_structure(source)


def as_structure(source: Input) -> Structure:
    """An ordered, periodic crystal of what the user gave.

    Raises:
        Disordered: its sites are shared or partly occupied.
        EngineError: the input is something else, or holds no crystal that can be computed.
    """
    if isinstance(source, (str, Path)):
        found = read_path(Path(source))
        check(len(found) == 1, f"{source}: holds {len(found)} structures; predict_many takes them one by one")
        source = found[0]
    if isinstance(source, Material):
        source = source.structure
    if isinstance(source, Atoms):
        check(bool(source.pbc.all()), f"{source.get_chemical_formula()}: must be periodic in three directions")
        source = AseAtomsAdaptor.get_structure(source)
    if not isinstance(source, Structure):
        raise EngineError(
            f"a Material, pymatgen Structure, ASE Atoms or a path is needed, got {type(source).__name__}"
        )
    name = source.composition.reduced_formula if len(source) else "empty structure"
    check(len(source) > 0, "the structure holds no atom")
    if not source.is_ordered:
        shared = ", ".join(sorted({site.species_string for site in source if not site.is_ordered})[:6])
        reason = f"{name}: some sites are shared or partly occupied ({shared}); give an ordered structure"
        raise Disordered(reason, source)
    check(
        bool(np.isfinite(source.lattice.matrix).all() and np.isfinite(source.frac_coords).all()),
        f"{name}: lattice and coordinates must be finite numbers",
    )
    longest = np.abs(source.lattice.matrix).max()
    check(longest <= LONGEST, f"{name}: a lattice vector may be at most {LONGEST:g} Å long, got {longest:.3g}")
    check(source.volume > 1e-3, f"{name}: the cell has no volume; check its lattice vectors")
    farthest = np.abs(source.frac_coords).max()
    check(farthest <= FARTHEST, f"{name}: a position lies over {FARTHEST:g} cells away")
    check(
        distances_of(source).min() >= CLOSEST,
        f"{name}: two atoms are closer than {CLOSEST} Å; one may be listed twice",
    )
    return source
