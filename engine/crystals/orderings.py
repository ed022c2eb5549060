"""Ordered crystals that stand for a disordered one: whole atoms on its shared sites, in small supercells.

Every way to fill the smallest supercell that holds the occupancies is counted once, up to the disordered crystal's
symmetry, as enumlib does (Hart and Forcade, Phys. Rev. B 80, 014120 (2009),
https://doi.org/10.1103/PhysRevB.80.014120). pymatgen enumerates through enumlib's program alone, which is no
Python package; its own `OrderDisorderedStructureTransformation` seeks low electrostatic energy, and knows neither
supercells nor symmetry.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice, product

import gemmi
import numpy as np

from engine.crystals.disorder import MixedCrystal, Shares, is_whole, written
from engine.crystals.refusal import Refused, check
from engine.crystals.supercells import (
    Symmetry,
    cells,
    compact,
    cosets,
    permutations,
    smallest_cell,
    superlattices,
    symmetry_of,
)

MOST = 10  # orderings
MOST_ATOMS = 40  # of a supercell
MOST_CELLS = 12
SAID = 0.001  # difference of an occupancy
MOST_WAYS = 1000  # to fill a supercell
DEVIATIONS = (0.005, 0.02, 0.05)  # of an occupancy; a larger one is only tried where no supercell has a smaller
TOO_NEAR = 0.55  # of the sum of two covalent radii: places so near are not both filled
RANKED = 60  # orderings, the most symmetric, whose electrostatic energy is compared

Ordered = tuple[np.ndarray, np.ndarray, np.ndarray, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class Parent:
    """A disordered crystal's primitive cell: its sites, their symmetry, and the shared ones, by symmetry."""

    cell: np.ndarray
    positions: np.ndarray
    shares: tuple[Shares, ...]
    symmetry: Symmetry
    shared: tuple[tuple[int, ...], ...]

    @property
    def atoms(self) -> float:
        """In the cell, on average."""
        return sum(sum(one.values()) for one in self.shares)


@dataclass(frozen=True, kw_only=True)
class Ordering:
    """One way to fill the shared sites of a supercell.

    Attributes:
        form: [3, 3] int, the supercell.
        filling: atomic numbers at its sites in the order of `supercells.permutations`, 0 for none.
        symmetry: number of the crystal's operations that keep it.
    """

    form: np.ndarray
    filling: bytes
    symmetry: int


def order(crystal: MixedCrystal) -> list[Ordered]:
    """Cell, atomic numbers, fractional coordinates and notes of at most ten orderings, the most symmetric first.

    Of equally symmetric ones, those of the smaller cell come first; where there are more than ten, then those of
    the lower electrostatic energy. All lie in space as the disordered crystal does.

    Raises:
        Refused: no small supercell has these occupancies, it can be filled in too many ways, or in none.
    """
    parent = _parent(crystal)
    sizes, counts = [], {}
    for most in DEVIATIONS:
        counts = {n: _rounded(parent, n) for n in range(1, _largest(parent) + 1)}
        counts = {n: found for n, found in counts.items() if _deviation(parent, found) <= most}
        sizes = [n for n, found in counts.items() if _ways(found) <= MOST_WAYS]
        if sizes:
            break
    if not sizes:
        _refuse(parent, counts)
    found: list[Ordering] = []
    for size in sizes:
        if len(found) > 1:
            break
        for form in superlattices(size, parent.symmetry.rotations):
            found += _orderings(parent, form, counts[size])
    check(
        bool(found),
        "its shared sites lie too near to each other to be filled with whole atoms; give an ordered cell",
    )
    return [_written_out(parent, one, crystal.notes) for one in _first(parent, found)]


def _parent(crystal: MixedCrystal) -> Parent:
    kinds: list[Shares] = []
    for one in crystal.shares:
        if one not in kinds:
            kinds.append(one)
    numbers = [kinds.index(one) for one in crystal.shares]
    cell, positions, of_site = smallest_cell(crystal.cell, crystal.positions, numbers)
    symmetry = symmetry_of(cell, positions, of_site)
    shares = tuple(kinds[kind] for kind in of_site)
    sets = {tuple(sorted(set(column.tolist()))) for column in symmetry.images.T}
    shared = sorted(one for one in sets if not is_whole(shares[one[0]]))
    return Parent(cell=cell, positions=positions, shares=shares, symmetry=symmetry, shared=tuple(shared))


def _largest(parent: Parent) -> int:
    return min(MOST_CELLS, max(1, math.floor(MOST_ATOMS / parent.atoms + 1e-6)))


Counts = list[dict[int, int]]  # of each set of shared sites: atoms of each element, and of 0, empty sites


def _rounded(parent: Parent, size: int) -> Counts:
    """Whole atoms on the shared sites of a supercell, nearest to the occupancies."""
    found: Counts = []
    for sites in parent.shared:
        shares, places = _with_empty(parent.shares[sites[0]]), size * len(sites)
        counts = {z: math.floor(share * places + 1e-9) for z, share in shares.items()}
        left = sorted(shares, key=lambda z: counts[z] - shares[z] * places)
        for z in left[: places - sum(counts.values())]:
            counts[z] += 1
        found.append(counts)
    return found


def _with_empty(shares: Shares) -> Shares:
    empty = 1 - sum(shares.values())
    return {**shares, 0: empty} if empty > 1e-6 else shares


def _deviation(parent: Parent, counts: Counts) -> float:
    """Largest difference of an occupancy; infinite where an element would be lost."""
    differences = [0.0]
    for sites, found in zip(parent.shared, counts, strict=True):
        places = sum(found.values())
        for z, share in _with_empty(parent.shares[sites[0]]).items():
            differences.append(abs(found[z] / places - share) if found[z] or not z else math.inf)
    return max(differences)


def _ways(counts: Counts) -> int:
    """To fill one supercell of a size, before symmetry is looked at."""
    ways = [math.factorial(sum(one.values())) // math.prod(map(math.factorial, one.values())) for one in counts]
    return math.prod(ways)


def _refuse(parent: Parent, counts: dict[int, Counts]) -> None:
    check(
        bool(counts),
        f"no cell of at most {MOST_ATOMS} atoms comes near its occupancies without losing an element; "
        "give an ordered cell",
    )
    ways = _ways(next(iter(counts.values())))
    raise Refused(
        f"its shared sites can be filled in too many ways ({ways:.1e} in the smallest cell that holds its "
        f"occupancies, at most {MOST_WAYS:,} are looked at); give an ordered cell"
    )


def _orderings(parent: Parent, form: np.ndarray, counts: Counts) -> Iterator[Ordering]:
    """The fillings of one supercell that its symmetry tells apart, without those that a smaller cell holds."""
    symmetry, size = permutations(form, parent.symmetry), round(np.linalg.det(form))
    fillings = _fillings(parent, size, counts)
    fillings = fillings[_apart(parent, form, fillings)]
    seen: set[bytes] = set()
    for filling in fillings:
        if filling.tobytes() in seen:
            continue
        moved = filling[symmetry]  # [P, N n]
        images = {one.tobytes() for one in moved}
        seen |= images
        if not (moved[1:size] == filling).all(1).any():
            yield Ordering(form=form, filling=filling.tobytes(), symmetry=len(symmetry) // len(images))


def _fillings(parent: Parent, size: int, counts: Counts) -> np.ndarray:
    """[K, N n] uint8, every filling of a supercell."""
    whole = np.array([max(one, key=one.__getitem__) for one in parent.shares], dtype=np.uint8).repeat(size)
    sets = [[site * size + cell for site in sites for cell in range(size)] for sites in parent.shared]
    ways = product(*(_spread(places, list(found.items())) for places, found in zip(sets, counts, strict=True)))
    fillings = []
    for way in ways:
        one = whole.copy()
        for z, places in (part for group in way for part in group):
            one[list(places)] = z
        fillings.append(one)
    return np.array(fillings)


Part = tuple[int, tuple[int, ...]]


def _spread(places: Sequence[int], counts: list[tuple[int, int]]) -> Iterator[list[Part]]:
    """Every way to choose that many of the places for each."""
    (z, count), rest = counts[0], counts[1:]
    if not rest:
        yield [(z, tuple(places))]
        return
    for chosen in combinations(places, count):
        left = [place for place in places if place not in chosen]
        for others in _spread(left, rest):
            yield [(z, chosen), *others]


def _apart(parent: Parent, form: np.ndarray, fillings: np.ndarray) -> np.ndarray:
    """[K] whether no two atoms, one of them on a shared site, are too near to each other."""
    radius = np.array([0.0] + [gemmi.Element(z).covalent_r for z in range(1, 119)])
    points, size, good = cells(form), round(np.linalg.det(form)), np.ones(len(fillings), dtype=bool)
    for first, second, shift, distance in _close_pairs(parent):
        here = first * size + np.arange(size)
        there = second * size + cosets(form, points + shift)
        one, other = fillings[:, here], fillings[:, there]
        near = distance < TOO_NEAR * (radius[one] + radius[other])
        good &= ~(near & (one > 0) & (other > 0)).any(1)
    return good


def _close_pairs(parent: Parent) -> Iterator[tuple[int, int, np.ndarray, float]]:
    largest = 2 * TOO_NEAR * max(gemmi.Element(z).covalent_r for one in parent.shares for z in one)
    for first in sorted(site for sites in parent.shared for site in sites):
        for shift in map(np.array, product(range(-2, 3), repeat=3)):
            vectors = (parent.positions + shift - parent.positions[first]) @ parent.cell
            distances = np.linalg.norm(vectors, axis=1)
            for second in np.flatnonzero(distances < largest):
                if second != first:
                    yield first, int(second), shift, float(distances[second])


def _first(parent: Parent, found: list[Ordering]) -> list[Ordering]:
    """The orderings to show."""
    ranked = sorted(found, key=lambda one: (-one.symmetry, len(one.filling), one.filling))
    if len(ranked) <= MOST:
        return ranked
    some = ranked[:RANKED]
    energies = _energies([_atoms(parent, one) for one in some])
    places = sorted(range(len(some)), key=lambda i: (-some[i].symmetry, len(some[i].filling), energies[i], i))
    return [some[i] for i in islice(places, MOST)]


def _energies(crystals: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> list[float]:
    """Electrostatic energy of point charges, eV an atom; 0 where no common oxidation states are neutral."""
    from pymatgen.analysis.ewald import EwaldSummation
    from pymatgen.core import Element, Lattice, Species, Structure

    counts = Counter(crystals[0][1].tolist())  # all have one composition
    states = product(*(Element.from_Z(z).common_oxidation_states for z in counts))
    neutral = (one for one in states if sum(np.multiply(one, list(counts.values()))) == 0)
    charges = dict(zip(counts, next(neutral, ()), strict=False))
    if not charges:
        return [0.0] * len(crystals)
    found = []
    for cell, numbers, positions in crystals:
        ions = [Species(Element.from_Z(int(z)).symbol, charges[int(z)]) for z in numbers]
        energy = EwaldSummation(Structure(Lattice(cell), ions, positions)).total_energy
        found.append(round(energy / len(ions), 6))
    return found


def _atoms(parent: Parent, ordering: Ordering) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cell [3, 3] Å, atomic numbers [N] and fractional coordinates [N, 3]."""
    points, filling = cells(ordering.form), np.frombuffer(ordering.filling, dtype=np.uint8)
    cell = compact(ordering.form @ parent.cell)
    places = (parent.positions[:, None] + points).reshape(-1, 3) @ parent.cell @ np.linalg.inv(cell)
    return cell, filling[filling > 0].astype(int), places[filling > 0] % 1


def _written_out(parent: Parent, ordering: Ordering, notes: tuple[str, ...]) -> Ordered:
    filling = np.frombuffer(ordering.filling, dtype=np.uint8).reshape(len(parent.shares), -1)
    changed = []
    for sites in parent.shared:
        shares, held = parent.shares[sites[0]], filling[list(sites)]
        taken = {z: float((held == z).mean()) for z in shares}
        if any(abs(taken[z] - share) > SAID for z, share in shares.items()):
            changed.append(f"Its occupancies are rounded: {written(shares)} is taken as {written(taken)}.")
    return *_atoms(parent, ordering), (*notes, *changed)
