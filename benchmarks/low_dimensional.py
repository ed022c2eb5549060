"""Sheets and molecules in a box, growing vacuum, layers of crystals: python -m benchmarks.low_dimensional

The layers of a crystal have the polarisability that the laws of series and parallel give from its tensor by DFT.
Beside it stands what networks say that were not trained on the formula: of the crystal, of one layer in a box with
vacuum by the same laws, and of the layer itself as the predictor reports it, for which it is stacked first. Errors
are medians over the crystals of petousis-2017 whose bonds, by CrystalNN, run on in two directions. Measured are
static means of the CRC Handbook of Chemistry and Physics, "Atomic and molecular polarizabilities"; molecules have
the geometry of ASE's g2 set.
"""

import time
from collections.abc import Sequence

import numpy as np
from ase import Atoms
from ase.build import molecule
from pymatgen.core import Lattice, Structure
from pymatgen.io.ase import AseAtomsAdaptor

from benchmarks.measure import report
from engine.crystals.material import Material
from engine.crystals.vacuum import InVacuum, in_vacuum
from engine.data.catalogue import catalogued
from engine.data.datasets import EMBEDDED, load_dataset
from engine.data.dimensionality import dimensionality
from engine.network.potential import keep_memory
from engine.prediction.low_dimensional import LowDimensional, low_dimensional
from engine.prediction.predictor import Predictor

COLUMNS = ("case", "electronic along", "electronic across", "static along", "static across", "measured")
BONDED = -0.7  # Å that the van der Waals spheres of bonded atoms overlap by; those of layers do by less
VACUUM = 15.0  # Å
GROWING = (10.0, 15.0, 20.0, 30.0, 40.0)
MEASURED = {
    "H2": 0.804, "N2": 1.740, "O2": 1.581, "Cl2": 4.61, "CO2": 2.911, "H2O": 1.45, "CH4": 2.593, "C2H4": 4.252,
    "Ar": 1.641, "Kr": 2.484, "Xe": 4.044,
}  # fmt: skip
Row = tuple[str | float, ...]


def layer_of(crystal: Material) -> tuple[InVacuum, InVacuum] | None:
    """The layers of a crystal, and one of them in a box; None where it is not made of equal layers."""
    layers = in_vacuum(crystal, BONDED)
    if layers is None or layers.dimensionality != 2 or dimensionality(crystal.structure) != 2:
        return None
    numbers = np.array(layers.structure.atomic_numbers)
    kinds = {tuple(sorted(numbers[layers.piece == one])) for one in set(layers.piece.tolist())}
    pos = layers.structure.cart_coords[layers.piece == 0]
    thick = float(np.ptp(pos @ layers.axes[2]))
    cell = np.vstack([layers.structure.lattice.matrix[:2], (thick + VACUUM) * layers.axes[2]])
    box = in_vacuum(Structure(Lattice(cell), numbers[layers.piece == 0], pos, coords_are_cartesian=True))
    return None if len(kinds) > 1 or box is None or box.dimensionality != 2 else (layers, box)


def values(own: LowDimensional, layers: int = 1) -> np.ndarray:
    """[4] means along and across, electronic then static, of one of several layers."""
    found = []
    for tensor in (own.electronic, own.static):
        found += [np.nan] * 2 if tensor is None else [own.along(tensor).mean(), own.across(tensor).mean()]
    return np.array(found) / layers


def of_layers(predictor: Predictor) -> list[Row]:
    """Rows of MoS2, and of the errors over all layered crystals."""
    ways = ("crystal, predicted", "layer in a box, laws applied to the box", "layer in a box, its own")
    found, rows = [], []
    for crystal in load_dataset(EMBEDDED[0]):
        pair = layer_of(crystal) if crystal.total is not None else None
        if pair is None:
            continue
        layers, box = pair
        count = layers.piece.max() + 1
        bulk, one = predictor.predict_many([crystal, box.structure], out_of_fold=True)
        answers = [
            values(low_dimensional(layers, crystal.electronic, crystal.total), count),
            values(low_dimensional(layers, bulk.electronic, bulk.total), count),
            values(low_dimensional(box, one.electronic, one.total)),
            values(one.low_dimensional),
        ]
        found.append(answers)
        if crystal.material_id == "mp-2815":
            names = ("crystal, DFT", *ways)
            rows = [(f"MoS2 mp-2815, Å: {n}", *a, "") for n, a in zip(names, answers, strict=True)]
    whole = np.array(found)
    errors = np.median(100 * np.abs(whole[:, 1:] / whole[:, :1] - 1), axis=0)
    rows += [(f"{len(found)} layers, error %: {way}", *one, "") for way, one in zip(ways, errors, strict=True)]
    return rows


def of_growing(predictor: Predictor, name: str, layer: Structure) -> list[Row]:
    """Rows of one sheet with more and more vacuum."""
    rows: list[Row] = []
    thick = float(np.ptp(layer.cart_coords[:, 2]))
    for vacuum in GROWING:
        lattice = Lattice(np.vstack([layer.lattice.matrix[:2], [0, 0, thick + vacuum]]))
        one = predictor.predict(Structure(lattice, layer.species, layer.cart_coords, coords_are_cartesian=True))
        box = one.low_dimensional.box
        laws = values(low_dimensional(box, one.electronic, one.total))
        rows.append((f"{name}, Å: its own, {vacuum:.0f} Å of vacuum", *values(one.low_dimensional), ""))
        rows.append((f"{name}, Å: laws applied to the box, {vacuum:.0f} Å", *laws, ""))
    return rows


def of_molecules(predictor: Predictor) -> list[Row]:
    """Mean polarisability of small molecules and atoms."""
    rows: list[Row] = []
    for name, measured in MEASURED.items():
        atoms = Atoms(name, positions=[[0, 0, 0]]) if name in ("Ar", "Kr", "Xe") else molecule(name)
        atoms.set_cell(np.eye(3) * (np.ptp(atoms.positions) + VACUUM))
        atoms.pbc = True
        one = predictor.predict(AseAtomsAdaptor.get_structure(atoms), targets=["electronic"]).low_dimensional
        rows.append((f"{name}, Å^3, mean", "", float(np.trace(one.electronic)) / 3, "", "", measured))
    return rows


def named(crystals: Sequence[Material]) -> tuple[int, float]:
    """How many crystals are named low-dimensional, and the median time of that, ms."""
    count, times = 0, []
    for crystal in crystals:
        structure, start = crystal.structure, time.perf_counter()
        count += in_vacuum(structure) is not None
        times.append(time.perf_counter() - start)
    return count, 1000 * float(np.median(times))


def sheets() -> dict[str, Structure]:
    """MoS2 with the in-plane constant 3.18 Å and BN with 2.504 Å."""
    low, middle, high = [2 / 3, 1 / 3, 8.435 / 20], [1 / 3, 2 / 3, 0.5], [2 / 3, 1 / 3, 11.565 / 20]
    return {
        "MoS2": Structure(Lattice.hexagonal(3.18, 20), ["Mo", "S", "S"], [middle, low, high]),
        "BN": Structure(Lattice.hexagonal(2.504, 20), ["B", "N"], [middle, [2 / 3, 1 / 3, 0.5]]),
    }


def main() -> None:
    """Measure, print and write the table."""
    keep_memory()
    predictor = Predictor.load(device="cpu")
    known = [m for name in EMBEDDED for m in load_dataset(name)]
    crystals = [*known, *catalogued(known)]
    count, milliseconds = named(crystals)
    rows = of_layers(predictor)
    for name, sheet in sheets().items():
        rows += of_growing(predictor, name, sheet)
    rows += of_molecules(predictor)
    found = {"crystals": len(crystals), "named_low_dimensional": count, "milliseconds": round(milliseconds, 2)}
    report("low_dimensional", COLUMNS, rows, model=predictor.name, **found)


if __name__ == "__main__":
    main()
