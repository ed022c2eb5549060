"""The script that reads one untrusted structure file, in a process that can be killed.

    python engine/crystals/reader_process.py cif|poscar|xyz|json < FILE

`engine.crystals.reader` starts it. It writes one line of JSON: `{"structures": [...]}`, each with `cell`
(3x3, Å, rows are lattice vectors), `atomic_numbers` (N) and `frac_coords` (Nx3), or `{"refused": reason}`.
Only numbers leave it: labels, comments and properties of the file stay behind. It imports what its format
needs and nothing of `engine`, so that it starts in a fraction of a second.
"""

import contextlib
import importlib.util
import io
import json
import re
import resource
import sys
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any, TypedDict

import numpy as np

CPU_SECONDS = 9
MEMORY = 2 * 1024**3  # bytes
MAX_LISTED = 200  # sites that a CIF lists, before its symmetry makes more
MAX_SITES = 500
MAX_STRUCTURES = 1000
MAX_OPERATIONS = 192  # of Fm-3m, the largest space group in its conventional cell
MIN_DISTANCE = 0.5  # Å, between two atoms; H2 has 0.74
MAX_LENGTH = 500.0  # Å, of a lattice vector

Crystal = tuple[np.ndarray, np.ndarray, np.ndarray]  # cell [3, 3], atomic numbers [N], fractional [N, 3]


class Parsed(TypedDict):
    """One structure as it is written."""

    cell: list[list[float]]
    atomic_numbers: list[int]
    frac_coords: list[list[float]]


class Answer(TypedDict, total=False):
    """All that is written: structures, or why there are none."""

    structures: list[Parsed]
    refused: str


_OPERATION = re.compile(r"[-+0-9a-zA-Z/.,;?_ ]{0,100}")
_OPERATION_TAGS = ("symop", "equiv_pos", "transform")


class Refused(ValueError):
    """The file will not be read; the message says why, in a scientist's words."""


def check(condition: bool, reason: str) -> None:
    """Refuse the file unless `condition` holds."""
    if not condition:
        raise Refused(reason)


def _pass_over(package: str) -> None:
    """Import modules of a package without what its `__init__` imports: a second of scipy that no file needs."""
    found = importlib.util.find_spec(package)
    if found and package not in sys.modules:
        sys.modules[package] = ModuleType(package)
        sys.modules[package].__path__ = list(found.submodule_search_locations or ())


def check_count(sites: int) -> None:
    """Refuse a cell with no atom or more than `MAX_SITES`."""
    check(sites > 0, "it holds no atoms")
    check(sites <= MAX_SITES, f"a cell may hold at most {MAX_SITES} atoms, got {sites}; give the primitive cell")


def read_cif(text: str) -> list[Crystal]:
    """Every structure of a CIF, its symmetry expanded.

    Raises:
        Refused: no cell or atoms, disorder, too many sites, operations or symbols that cannot be understood.
    """
    _pass_over("scipy.cluster")
    from pymatgen.io.cif import CifParser

    parser: Any = CifParser.from_str(text, occupancy_tolerance=MAX_LISTED, check_cif=False)
    blocks = [block for block in parser.as_dict().values() if "_atom_site_label" in block]
    check(bool(blocks), "it lists no atoms (no _atom_site_label); export the CIF with its atom sites")
    for block in blocks:
        _check_cif_block(block)
        _check_expansion(parser, block)
    structures = parser.parse_structures(primitive=False, on_error="ignore")
    check(len(structures) == len(blocks), "one of its data blocks could not be read; give each crystal a file")
    check(
        "implicit hydrogens" not in " ".join(parser.warnings),
        "it counts hydrogen atoms that have no position; add their positions",
    )
    if len(parser.as_dict()) == 1 and "from PMG structure" in (parser.check(structures[0]) or ""):
        raise Refused("its formula names an element that no site holds; add the missing atoms, often hydrogen")
    return [_from_structure(structure) for structure in structures]


def _check_cif_block(block: dict[str, Any]) -> None:
    """Refuse what pymatgen would take long over, or would read as another crystal than is meant."""
    from pymatgen.core import Element

    check("_cell_length_a" in block, "it has no lattice (no _cell_length_a): only periodic crystals can be read")
    labels = block["_atom_site_label"]
    check(isinstance(labels, list), "its atom sites must stand in a loop_")
    check(len(labels) <= MAX_LISTED, f"a CIF may list at most {MAX_LISTED} sites, got {len(labels)}")
    for tag, value in block.items():
        if any(part in tag for part in _OPERATION_TAGS):
            values = value if isinstance(value, list) else [value]
            check(
                len(values) <= 2 * MAX_OPERATIONS,
                f"{len(values)} symmetry operations are more than any group has",
            )
            check(all(_OPERATION.fullmatch(v) for v in values), "a symmetry operation must read like -x,y+1/2,z")
    for symbol in block.get("_atom_site_type_symbol", labels):
        letters = re.split(r"[^A-Za-z]", symbol[:2])[0].title()
        known = any(Element.is_valid_symbol(letters[:length]) for length in (2, 1))
        check(known, "a site's symbol is no element; each atom needs one, such as Si or O2-")
    for occupancy in block.get("_atom_site_occupancy", []):
        share = 1.0 if occupancy in "?." else float(re.sub(r"\(\d*\)", "", occupancy))
        check(share >= 0.999, "it is disordered (a site is partly occupied); give an ordered cell")


def _check_expansion(parser: Any, block: dict[str, Any]) -> None:
    """Refuse, before the symmetry is expanded, what it would expand to too many sites."""
    from pymatgen.io.cif import CifBlock, str2float

    wrapped = CifBlock(block, [], "")
    operations = (parser.get_magsymops if parser.feature_flags["magcif"] else parser.get_symops)(wrapped)
    check(
        _is_p1(block) or "Defaulting to P1" not in "".join(parser.warnings[-1:]),
        "its space group is not known here; write its symmetry operations (_space_group_symop_operation_xyz)",
    )
    columns = [block.get(f"_atom_site_fract_{axis}", []) for axis in "xyz"]
    check(
        len({len(column) for column in columns} | {len(block["_atom_site_label"])}) == 1,
        "each atom site needs fractional coordinates x, y and z",
    )
    sites = np.array([[str2float(value) for value in column] for column in columns]).T  # [S, 3]
    check(bool(np.isfinite(sites).all()), "a coordinate is not a finite number")
    matrices = np.array([operation.affine_matrix for operation in operations])  # [K, 4, 4]
    images = np.einsum("kij,sj->ski", matrices[:, :3, :3], sites) + matrices[:, :3, 3]  # [S, K, 3]
    # On a grid of 1/100, its lines away from the simple fractions on which special positions lie.
    check_count(len(np.unique(np.floor(100 * images.reshape(-1, 3) + 0.08) % 100, axis=0)))


def _is_p1(block: dict[str, Any]) -> bool:
    names = [
        value
        for tag, value in block.items()
        if "space_group_name" in tag or "IT_number" in tag or "Int_Tables_number" in tag
    ]
    return all(re.sub(r"[\s_]", "", str(name)).upper() in ("P1", "1", "?", ".", "") for name in names)


def read_poscar(text: str) -> list[Crystal]:
    """The structure of a POSCAR or CONTCAR.

    Raises:
        Refused: the elements are not named, or there are too many atoms.
    """
    _pass_over("pymatgen.io.vasp")
    from pymatgen.io.vasp.inputs import Poscar

    lines = text.splitlines()
    counts = next((line.split() for line in lines[5:16] if re.fullmatch(r"\s*\d+(\s+\d+)*\s*", line)), [])
    check(bool(counts), "it does not say how many atoms there are (line 6 or 7 of a POSCAR)")
    check_count(sum(map(int, counts)))
    negative = lines[1].strip().startswith("-")
    cartesian = any(re.match(r"\s*[cCkK][a-zA-Z]*\s*$", line) for line in lines[6:18])
    check(
        not (negative and cartesian),
        "a volume as scale (line 2) with Cartesian positions is not read; use scale 1",
    )
    poscar = Poscar.from_str(text, read_velocities=False)
    check(poscar.true_names, "it does not name its elements; add a line with their symbols before the counts")
    return [_from_structure(poscar.structure)]


def read_xyz(text: str) -> list[Crystal]:
    """Every frame of an extended XYZ.

    Raises:
        Refused: a frame has no lattice, is not periodic along all three, or has too many atoms.
    """
    _pass_over("ase.dft")
    from ase.io.extxyz import read_xyz as read_frames

    crystals: list[Crystal] = []
    for atoms in read_frames(io.StringIO(text), index=slice(None)):
        check_count(len(atoms))
        check(len(crystals) < MAX_STRUCTURES, f"a file may hold at most {MAX_STRUCTURES} structures; split it")
        check(
            atoms.cell.rank == 3,
            'it has no lattice (Lattice="..." on its second line): only crystals can be read',
        )
        check(bool(atoms.pbc.all()), "it must be periodic along all three lattice vectors (pbc)")
        cell = atoms.cell.array
        crystals.append((cell, atoms.numbers, np.linalg.solve(cell.T, atoms.positions.T).T))
    return crystals


def read_json(text: str) -> list[Crystal]:
    """A pymatgen Structure, or a list of them, as `Structure.as_dict` or `to_json` wrote it.

    Raises:
        Refused: it has another form, or too many atoms; nothing else in it is ever decoded.
    """
    document = json.loads(text)
    documents = document if isinstance(document, list) else [document]
    check(len(documents) <= MAX_STRUCTURES, f"a file may hold at most {MAX_STRUCTURES} structures; split it")
    return [_from_document(item) for item in documents]


def _from_document(document: Any) -> Crystal:
    from pymatgen.core import Element

    try:
        cell = np.array(document["lattice"]["matrix"], dtype=float)
        sites = document["sites"]
        check_count(len(sites))
        species = [site["species"] for site in sites]
        coordinates = np.array([site["abc"] for site in sites], dtype=float)
    except (KeyError, TypeError, IndexError) as error:
        raise Refused("it must be a pymatgen Structure: lattice.matrix, and sites with species and abc") from error
    ordered = all(len(kinds) == 1 and kinds[0].get("occu", 1) == 1 for kinds in species)
    check(ordered, "it is disordered (a site is partly occupied or shared); give an ordered cell")
    symbols = [str(kinds[0].get("element")) for kinds in species]
    check(
        all(map(Element.is_valid_symbol, symbols)),
        "a site's element is not one; each needs a symbol, such as Si",
    )
    return cell, np.array([Element(symbol).Z for symbol in symbols]), coordinates


def _from_structure(structure: Any) -> Crystal:
    check(structure.is_ordered, "it is disordered (a site is partly occupied or shared); give an ordered cell")
    check(all(hasattr(site.specie, "Z") for site in structure), "a site's symbol is no element")
    return structure.lattice.matrix, np.array(structure.atomic_numbers), structure.frac_coords


def check_crystal(crystal: Crystal) -> None:
    """Refuse a crystal that cannot exist.

    Raises:
        Refused: wrong shapes, numbers that are not finite, a flat or huge cell, two atoms on one place.
    """
    from pymatgen.core import Lattice

    cell, numbers, coordinates = crystal
    check_count(len(numbers))
    check(
        cell.shape == (3, 3) and coordinates.shape == (len(numbers), 3),
        "lattice or positions are not 3 numbers each",
    )
    check(bool(np.isfinite(cell).all() and np.isfinite(coordinates).all()), "a number in it is not finite")
    check(bool(((numbers >= 1) & (numbers <= 118)).all()), "an atom's symbol or number is no element")
    longest = float(np.abs(cell).max())
    check(longest <= MAX_LENGTH, f"a lattice vector may be at most {MAX_LENGTH:g} Å long, got {longest:.3g}")
    volume = abs(float(np.linalg.det(cell)))
    check(
        volume >= len(numbers),
        f"its cell is too small: {volume:.3g} Å³ for {len(numbers)} atoms; lengths are in Å",
    )
    check(float(np.abs(coordinates).max()) <= 1000, "a position lies over 1000 cells away")
    lattice = Lattice(cell)
    distances = lattice.get_all_distances(coordinates % 1, coordinates % 1)  # [N, N]
    np.fill_diagonal(distances, min(lattice.get_lll_reduced_lattice().abc))
    first, second = np.unravel_index(distances.argmin(), distances.shape)
    check(
        distances.min() >= MIN_DISTANCE,
        f"atoms {first + 1} and {second + 1} lie on one place, "
        f"{distances.min():.2f} Å apart (at least {MIN_DISTANCE} Å is needed)",
    )


READERS: dict[str, Callable[[str], list[Crystal]]] = {
    "cif": read_cif,
    "poscar": read_poscar,
    "xyz": read_xyz,
    "json": read_json,
}


def answer(kind: str, text: str) -> Answer:
    """What this script prints for a file of that kind."""
    try:
        crystals = READERS[kind](text)
        check(bool(crystals), "it holds no structure")
        for crystal in crystals:
            check_crystal(crystal)
    except Refused as refusal:
        return {"refused": str(refusal)}
    except MemoryError:
        return {"refused": "reading it takes more memory than one file may have"}
    except Exception as error:  # whatever a parser makes of hostile text, the answer is a refusal
        hint = re.sub(r"[^\w .,:=/+-]", " ", str(error))[:120].strip()
        return {"refused": f"it is not a readable {kind.upper()} file ({type(error).__name__}: {hint})"}
    return {"structures": [_parsed(*crystal) for crystal in crystals]}


def _parsed(cell: np.ndarray, atomic_numbers: np.ndarray, frac_coords: np.ndarray) -> Parsed:
    return {
        "cell": cell.tolist(),
        "atomic_numbers": atomic_numbers.tolist(),
        "frac_coords": frac_coords.tolist(),
    }


def main() -> None:
    """Read standard input within the limits and print the answer."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")
    text = sys.stdin.buffer.read().decode("utf-8", errors="replace")
    with contextlib.redirect_stdout(sys.stderr):
        result = answer(sys.argv[1], text)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
