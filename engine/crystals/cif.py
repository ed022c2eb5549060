"""Crystals of a CIF: what the file says, and nothing that it does not say.

gemmi reads the grammar and knows the settings of the space groups. Where a file leaves open which setting or which
element it means, every reading is tried, and those that contradict the rest of the file (formula, formula units,
density, multiplicities, distances between atoms) fall out. If none or several different ones are left, the file is
refused and says what would decide. pymatgen's reading is no second opinion: benchmarks/README.md has the counts.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import gemmi
import numpy as np

from engine.crystals.assumed import taken
from engine.crystals.cif_symmetry import UNKNOWN, Setting, settings
from engine.crystals.disorder import ADVICE, FULL, ROUNDED, Mixed, MixedCrystal, places
from engine.crystals.refusal import IMPOSSIBLE, MAX_LENGTH, Refused, check, check_count

ONE_PLACE = 0.1  # Å; images of an atom nearer than this are one atom on a special position
TOO_NEAR = 0.55  # of the sum of two covalent radii: of several settings, none that puts atoms as near as that
SAME_SHARE = 0.02  # of an element's share in a formula
DENSITY = 0.15  # relative difference between two statements of it
GRAMS = 1.66054  # g/cm^3 of 1 amu/Å^3
MOST_ASSIGNMENTS = 64
MODULATED = (
    "_cell_modulation",
    "_space_group_ssg",
    "_atom_site_fourier",
    "_atom_site_displace",
    "_cell_wave_vector",
)
_MULTIPLICITIES = ("_atom_site_symmetry_multiplicity", "_atom_site_site_symmetry_multiplicity")
_OF_THE_CRYSTAL = ("_cell", "_atom_site", "_symmetry", "_space_group", "_chemical_formula", "_exptl_crystal")
_CHARGE = re.compile(r"[A-Za-z]{1,2}(?:[1-9][+-]|[+-][1-9]?)")  # O2-, Na+, Ti+4
_CELL = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")

Tags = Mapping[str, Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class Site:
    """One line of the list of atoms; `readings` are the elements that its symbol may mean, likeliest first."""

    label: str
    readings: tuple[str, ...]
    position: np.ndarray
    occupancy: float
    multiplicity: int | None


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A crystal that the file may mean.

    Attributes:
        cell: [3, 3] Å.
        numbers, positions: [N] atomic numbers and [N, 3] fractional coordinates.
        occupancies: [N]; atoms that share a place stand apart here.
        setting: of the space group.
        notes: what was assumed or left out, a sentence each.
    """

    cell: np.ndarray
    numbers: np.ndarray
    positions: np.ndarray
    occupancies: np.ndarray
    setting: Setting
    notes: tuple[str, ...] = field(default=())

    @property
    def counts(self) -> dict[str, float]:
        """Number of atoms of each element in the cell, in the order of the periodic table."""
        numbers = sorted(set(self.numbers.tolist()))
        return {gemmi.Element(z).name: float(self.occupancies[self.numbers == z].sum()) for z in numbers}

    @property
    def formula(self) -> str:
        """Elements and their numbers in the cell."""
        return "".join(f"{name}{count:g}" for name, count in self.counts.items())


class Undecided(Refused):
    """The file fits several settings of its space group, and each gives another crystal: `readings`."""

    def __init__(self, readings: Sequence[Reading]) -> None:
        self.readings = tuple(readings)
        named = ", or ".join(f"{one.formula} as {one.setting.name}" for one in readings)
        super().__init__(
            f"its space group has several settings, and the file fits more than one: {named}; write the setting "
            "behind the symbol, or the symmetry operations"
        )


def read_cif(text: str) -> list[Reading]:
    """Every crystal of a CIF, its symmetry expanded.

    Raises:
        Undecided: it leaves a choice that only its author can make.
        Mixed: its one crystal is disordered, and nothing else is wrong with it.
        Refused: no cell or atoms, too many sites, a file that contradicts itself, disorder beside any of these.
    """
    without_text = re.sub(r"^;.*?^;", "", text, flags=re.MULTILINE | re.DOTALL)
    if not re.search(r"^[ \t]*data_", without_text, re.MULTILINE | re.IGNORECASE):
        text = "data_\n" + text
    try:
        document = gemmi.cif.read_string(text, check_level=0)  # a tag may stand twice, see _tags
    except (ValueError, RuntimeError) as error:
        hint = re.sub(r"[^\w .,:=/+()-]", " ", str(error))[:120].strip()
        raise Refused(f"it is not a readable CIF ({hint})") from error
    for name, count in Counter(block.name.lower() for block in document).items():
        check(count == 1, f"two of its data blocks have one name ({_plain(name)}); give each its own")
    blocks = [tags for tags in map(_tags, document) if _lists_atoms(tags)]
    check(bool(blocks), "it lists no atoms (no _atom_site_fract_x); export the CIF with its atom sites")
    return [_read_block(tags, len(blocks) == 1) for tags in blocks]


def _tags(block: Any) -> dict[str, list[str]]:
    """Values by name: lower case, and with the dots of mmCIF as underscores.

    Raises:
        Refused: a name of what is read here stands twice with different values.
    """
    found: dict[str, list[str]] = {}
    for tag, raw in _columns(block):
        name, values = _name(tag), [gemmi.cif.as_string(value) for value in raw]
        known = [one for one in (found.get(name, []), values) if any(value not in UNKNOWN for value in one)]
        one = known[1:] in ([], known[:1]) or not name.startswith(_OF_THE_CRYSTAL)
        check(one, f"it gives {name[:40]} twice, with different values")
        found[name] = known[0] if known else values
    return found


def _columns(block: Any) -> Iterator[tuple[str, Sequence[str]]]:
    for item in block:
        if item.pair is not None:
            yield item.pair[0], [item.pair[1]]
        elif item.loop is not None:
            width = item.loop.width()
            for column, tag in enumerate(item.loop.tags):
                yield tag, item.loop.values[column::width]


def _name(tag: str) -> str:
    return tag.lower().replace(".", "_")


def _lists_atoms(tags: Tags) -> bool:
    return any(name in tags for name in ("_atom_site_label", "_atom_site_type_symbol", "_atom_site_fract_x"))


def _read_block(tags: Tags, alone: bool) -> Reading:
    check(
        not any(name.startswith(MODULATED) for name in tags),
        "its structure is modulated: it has no cell that repeats",
    )
    cell = _cell(tags)
    sites, notes = _sites(tags)
    partial = [_plain(site.label) for site in sites if site.occupancy < FULL]
    if not partial:
        return _decided(tags, cell, sites, notes)
    disorder = f"it is disordered (a site is partly occupied: {', '.join(partial[:6])})"
    try:
        reading = _decided(tags, cell, sites, notes)
        held = places(reading.numbers, reading.occupancies, _distances(cell, reading.positions) < ONE_PLACE)
    except Refused as other:
        raise Refused(f"{disorder}; {ADVICE}; besides, {other}") from other
    positions, shares = reading.positions[[first for first, _ in held]], tuple(share for _, share in held)
    crystal = MixedCrystal(cell=cell, positions=positions, shares=shares, notes=reading.notes)
    if not crystal.is_ordered:
        raise Mixed(f"{disorder}; {ADVICE}", crystal) if alone else Refused(f"{disorder}; {ADVICE}")
    note = f"Lines that share a place hold one element, and are taken as one atom: {', '.join(partial[:6])}."
    whole = np.ones(len(positions))
    return replace(
        reading, numbers=crystal.numbers, positions=positions, occupancies=whole, notes=(*reading.notes, note)
    )


def _decided(tags: Tags, cell: np.ndarray, sites: Sequence[Site], notes: tuple[str, ...]) -> Reading:
    """The one reading that the file fits."""
    found, reasons = [], []
    for setting in settings(tags, cell):
        images = [_images(site.position, setting, cell) for site in sites]
        check_count(sum(map(len, images)))
        for elements in _assignments(sites):
            reading = _reading(cell, setting, elements, images, sites, notes)
            reason = _contradiction(reading, tags, sites, images)
            if reason:
                reasons.append(reason)
            else:
                found.append(reading)
                break
    check(bool(found), reasons[0] if reasons else "")
    different = [one for index, one in enumerate(found) if not any(_same(one, other) for other in found[:index])]
    if len(different) > 1:
        different = [one for one in different if _nearest(one) >= TOO_NEAR] or different
    if len(different) > 1:
        raise Undecided(different)
    _check_distances(different[0])
    return _with_assumption(different[0], len(reasons) + len(found))


def _check_distances(reading: Reading) -> None:
    """Refuse what no formula or density may speak against, and cannot exist."""
    check(
        _nearest(reading) >= IMPOSSIBLE,
        f"two atoms of its {reading.formula} are nearer than any atoms are; cell, positions or symmetry are wrong",
    )


def _with_assumption(reading: Reading, tried: int) -> Reading:
    """The reading, with a note where the file did not name its setting."""
    setting = reading.setting
    if setting.said or tried == 1:
        return reading
    note = f"The setting {setting.name} is assumed: no other fits the rest of the file."
    return replace(reading, notes=(*reading.notes, note))


def _cell(tags: Tags) -> np.ndarray:
    """[3, 3] Å, in pymatgen's axes: z along c, and a in the plane of x and z."""
    values = [_number((tags.get(f"_cell_{name}") or [""])[0]) for name in _CELL]
    known = all(value is not None for value in values)
    check(known, "it has no lattice (no _cell_length_a): only periodic crystals can be read")
    check(all(value > 0 for value in values if value is not None), "a length or angle of its cell is not positive")
    check(
        max(float(value or 0) for value in values[:3]) <= MAX_LENGTH,
        f"a lattice vector may be at most {MAX_LENGTH:g} Å long",
    )
    lengths, angles = np.array(values[:3], dtype=float), np.radians(np.array(values[3:], dtype=float))
    (alpha, beta, _), cosine = angles, np.cos(angles)
    star = (cosine[0] * cosine[1] - cosine[2]) / (np.sin(alpha) * np.sin(beta))
    check(abs(star) < 1, "its cell has no volume; check lengths and angles")
    across = np.sqrt(1 - star**2)
    return lengths[:, None] * np.array(
        [
            [np.sin(beta), 0, cosine[1]],
            [-np.sin(alpha) * star, np.sin(alpha) * across, cosine[0]],
            [0, 0, 1],
        ]
    )


def _number(text: str) -> float | None:
    """A number without its uncertainty; None where there is none."""
    found = re.fullmatch(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?:\(\d*\))?\s*", text)
    return float(found[1]) if found else None


def _sites(tags: Tags) -> tuple[list[Site], tuple[str, ...]]:
    """The atoms listed, and what of them was left out or taken otherwise."""
    columns = [tags.get(f"_atom_site_fract_{axis}", []) for axis in "xyz"]
    count = len(columns[0])
    symbols, labels = tags.get("_atom_site_type_symbol", []), tags.get("_atom_site_label", [])
    labels = labels or symbols
    check(
        count > 0 and {len(column) for column in (*columns, labels)} == {count},
        "each atom site needs fractional coordinates x, y and z",
    )
    check_count(count)
    unknown = ["?"] * count
    shares = tags.get("_atom_site_occupancy", unknown)
    dummies = tags.get("_atom_site_calc_flag", unknown)
    multiplicities = next((tags[name] for name in _MULTIPLICITIES if name in tags), None)
    found, heavy, charged = [], False, False
    for index, label in enumerate(labels):
        if dummies[index].lower() == "dum":
            continue
        written = symbols[index] if symbols and symbols[index] not in UNKNOWN else label
        readings = _elements(written)
        heavy |= written[:2].rstrip("0123456789+-") == "D"
        charged |= bool(_CHARGE.fullmatch(written))
        check(bool(readings), "a site's symbol is no element; each atom needs one, such as Si or O2-")
        position = [_number(column[index]) for column in columns]
        check(None not in position, f"the site {_plain(label)} has no coordinates; add or remove it")
        of_site = _number(multiplicities[index]) if multiplicities else None
        found.append(
            Site(
                label=label,
                readings=readings,
                position=np.array(position, dtype=float),
                occupancy=_occupancy(shares[index], label),
                multiplicity=round(of_site) if of_site else None,
            )
        )
    check(all(np.abs(one.position).max() <= 1000 for one in found), "a position lies over 1000 cells away")
    return found, taken(deuterium=heavy, oxidation=charged)


def _plain(label: str) -> str:
    return re.sub(r"[^\w+-]", "_", label)[:20]


def _occupancy(text: str, label: str) -> float:
    if text in UNKNOWN:
        return 1.0
    value = _number(text)
    check(value is not None, f"the occupancy of the site {_plain(label)} is no number")
    check(
        value is None or value <= ROUNDED,
        f"the occupancy of the site {_plain(label)} is {value or 0:.3g}; 1 is the most",
    )
    return 1.0 if value is None or value >= FULL else value


def _elements(symbol: str) -> tuple[str, ...]:
    """Elements that a symbol or label may mean, likeliest first: Ho is holmium, or hydrogen of a hydroxyl."""
    letters = (re.match(r"[A-Za-z]*", symbol) or [""])[0]
    if letters in ("D", "d"):
        return ("H",)
    in_lower_case = letters.islower()
    found = []
    if len(letters) > 1 and (in_lower_case or not letters[2:3].islower()):  # not Cat, which is no calcium
        found.append(letters[:2].title())
    if (found and _is_element(found[0])) or in_lower_case or not letters[1:2].islower():  # not Wat, no tungsten
        found.append(letters[:1].upper())
    return tuple(name for name in found if _is_element(name))


def _is_element(name: str) -> bool:
    return gemmi.Element(name).name == name and gemmi.Element(name).atomic_number > 0


def _assignments(sites: Sequence[Site]) -> Iterator[tuple[str, ...]]:
    """An element for each site, the likeliest first."""
    kinds = sorted({site.readings for site in sites})
    for number, chosen in enumerate(product(*kinds)):
        if number == MOST_ASSIGNMENTS:
            return
        meant = dict(zip(kinds, chosen, strict=True))
        yield tuple(meant[site.readings] for site in sites)


def _images(position: np.ndarray, setting: Setting, cell: np.ndarray) -> np.ndarray:
    """[m, 3] fractional positions of a site in the cell; one near a special position is put on it."""
    moved = setting.rotations @ position + setting.translations
    near = moved - position
    near -= near.round()
    here = np.linalg.norm(near @ cell, axis=1) < ONE_PLACE
    if here.any():
        position = position + near[here].mean(0)
    images = (setting.rotations @ position + setting.translations) % 1
    _, first = np.unique(np.round(images * 1e4).astype(int) % 10_000, axis=0, return_index=True)
    return images[np.sort(first)]


def _reading(
    cell: np.ndarray,
    setting: Setting,
    elements: Sequence[str],
    images: Sequence[np.ndarray],
    sites: Sequence[Site],
    notes: tuple[str, ...],
) -> Reading:
    many = [len(own) for own in images]
    numbers = np.repeat([gemmi.Element(name).atomic_number for name in elements], many)
    occupancies = np.repeat([site.occupancy for site in sites], many)
    positions = np.concatenate(images)
    whole = np.minimum(occupancies[:, None], occupancies) == 1
    twins = (_distances(cell, positions) < ONE_PLACE) & (numbers[:, None] == numbers) & whole
    once = ~np.triu(twins, 1).any(0)  # the others are listed twice
    return Reading(
        cell=cell,
        numbers=numbers[once],
        positions=positions[once],
        occupancies=occupancies[once],
        setting=setting,
        notes=notes,
    )


def _distances(cell: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """[N, N] Å, of the nearest images; infinite on the diagonal."""
    difference = positions[:, None] - positions
    difference -= difference.round()
    found = np.full(difference.shape[:2], np.inf)
    for shift in product((-1, 0, 1), repeat=3):
        found = np.minimum(found, np.linalg.norm((difference + shift) @ cell, axis=-1))
    np.fill_diagonal(found, np.inf)
    return found


def _nearest(reading: Reading) -> float:
    """Smallest distance of two whole atoms, of the sum of their covalent radii."""
    whole = reading.occupancies == 1
    radius = np.array([gemmi.Element(int(z)).covalent_r for z in reading.numbers[whole]])
    distance = _distances(reading.cell, reading.positions[whole])
    return float((distance / (radius[:, None] + radius)).min(initial=np.inf))


def _same(one: Reading, other: Reading) -> bool:
    """Whether two readings put the same atoms on the same places."""
    if one.formula != other.formula:
        return False
    difference = one.positions[:, None] - other.positions
    difference -= difference.round()
    near = np.linalg.norm(difference @ one.cell, axis=-1) < ONE_PLACE
    return bool((near & (one.numbers[:, None] == other.numbers)).any(1).all())


def _contradiction(
    reading: Reading, tags: Tags, sites: Sequence[Site], images: Sequence[np.ndarray]
) -> str | None:
    """What in the file speaks against a reading; None where nothing does."""
    return (
        _against_multiplicities(len(reading.setting.rotations), sites, images)
        or _against_formula(reading, tags)
        or _against_density(reading, tags)
    )


def _against_multiplicities(operations: int, sites: Sequence[Site], images: Sequence[np.ndarray]) -> str | None:
    """The first site whose number of images is another than it says, unless all say the order of their symmetry.

    SHELXL wrote that order under the name of the multiplicity, which the dictionary left open before 2014.
    """
    stated = [
        (site.label, site.multiplicity, len(own))
        for site, own in zip(sites, images, strict=True)
        if site.multiplicity is not None
    ]
    if operations == 1 or all(number * count == operations for _, number, count in stated):
        return None
    for label, number, count in stated:
        if number != count:
            return (
                f"the site {_plain(label)} has the multiplicity {number} in the file, "
                f"and {count} by its symmetry; one of them is wrong"
            )
    return None


def _against_formula(reading: Reading, tags: Tags) -> str | None:
    formula = _formula((tags.get("_chemical_formula_sum") or [""])[0])
    if not formula:
        return None
    counts = reading.counts
    missing = sorted(set(formula) - set(counts))
    if missing == ["H"]:
        return "it counts hydrogen atoms that have no position; add their positions"
    if missing:
        return f"its formula names {', '.join(missing)}, which no site holds; add the missing atoms"
    total, whole = sum(formula.values()), sum(counts.values())
    for element, count in counts.items():
        share = formula.get(element, 0.0) / total
        if abs(count / whole - share) > SAME_SHARE * max(share, 0.02):
            written = " ".join(f"{name}{number:g}" for name, number in sorted(formula.items()))
            return f"its sites make {reading.formula} of the cell, and its formula is {written}; one is wrong"
    units = _number((tags.get("_cell_formula_units_z") or [""])[0])
    of_cell = units and all(abs(count / units - round(count / units)) < 1e-6 for count in formula.values())
    if of_cell and abs(total / whole - 1) <= SAME_SHARE:  # as pymatgen writes it
        return None
    if units and abs(units * total / whole - 1) > SAME_SHARE:
        return (
            f"its sites make {whole:g} atoms in the cell, and by its formula there are {units * total:g} "
            f"(Z = {units:g}); its symmetry operations may be missing"
        )
    return None


def _formula(text: str) -> dict[str, float] | None:
    """Number of each element; None where the text is no formula."""
    parts = text.split()
    found: dict[str, float] = {}
    for part in parts:
        match = re.fullmatch(r"([A-Z][a-z]?)(\d*\.?\d*)(?:\(\d+\))?", part)
        name = match and ("H" if match[1] == "D" else match[1])
        if not match or not name or not _is_element(name):
            return None
        found[name] = found.get(name, 0.0) + float(match[2] or 1)
    return {name: count for name, count in found.items() if count > 0} or None


def _against_density(reading: Reading, tags: Tags) -> str | None:
    stated = _number((tags.get("_exptl_crystal_density_diffrn") or [""])[0])
    if not stated:
        return None
    mass = sum(count * gemmi.Element(name).weight for name, count in reading.counts.items())
    density = GRAMS * mass / abs(np.linalg.det(reading.cell))
    if abs(density / stated - 1) > DENSITY:
        return (
            f"its sites make {reading.formula} of the cell, {density:.2f} g/cm³, and the file says "
            f"{stated:g} g/cm³; one of them is wrong"
        )
    return None
