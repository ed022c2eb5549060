"""Valid files in every format that is read, small, the same on every run."""

import io
import json
import zipfile
from functools import cache
from pathlib import Path

import ase.io
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pymatgen.core import Lattice, Structure
from pymatgen.io.ase import AseAtomsAdaptor
from pymatgen.io.cif import CifWriter

File = tuple[str, bytes]  # name and content
RUTILE = Path(__file__).parents[1] / "files" / "rutile.cif"
FIXED = (1980, 1, 1, 0, 0, 0)  # what archives say of the time
CRYSTALS = {
    "rutile": Structure.from_spacegroup(
        136, Lattice.tetragonal(4.594, 2.959), ["Ti", "O"], [[0, 0, 0], [0.305, 0.305, 0]]
    ),
    "salt": Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]),
    "skewed": Structure(
        Lattice([[3.1, 0.2, -0.4], [1.3, 4.2, 0.1], [-0.7, 1.9, 5.3]]),
        ["Ga", "As", "N"],
        [[0, 0, 0], [0.31, 0.42, 0.23], [0.66, 0.12, 0.71]],
    ),
    "quartz": Structure.from_spacegroup(
        "P3_221", Lattice.hexagonal(4.913, 5.405), ["Si", "O"], [[0.4697, 0, 2 / 3], [0.4135, 0.2669, 0.7858]]
    ),
}
DISORDERED = Structure(
    Lattice.cubic(3.9),
    [{"Ba": 0.5, "Sr": 0.5}, "Ti", "O", "O", "O"],
    [[0, 0, 0], [0.5, 0.5, 0.5], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]],
)


def rows(structure: Structure) -> str:
    """Cartesian positions, a line each."""
    return "\n".join(f"{one.specie.symbol} {one.x:.8f} {one.y:.8f} {one.z:.8f}" for one in structure)


def vectors(structure: Structure) -> str:
    """Lattice vectors, a line each."""
    return "\n".join(" ".join(f"{x:.8f}" for x in row) for row in structure.lattice.matrix)


def espresso(structure: Structure) -> str:
    """An input of pw.x."""
    kinds = sorted({one.specie.symbol for one in structure})
    species = "\n".join(f"{kind} 1.0 {kind}.upf" for kind in kinds)
    return (
        f"&control\n calculation='scf'\n/\n&system\n ibrav=0, nat={len(structure)}, ntyp={len(kinds)}\n/\n"
        f"&electrons\n/\nATOMIC_SPECIES\n{species}\nCELL_PARAMETERS angstrom\n{vectors(structure)}\n"
        f"ATOMIC_POSITIONS angstrom\n{rows(structure)}\n"
    )


def castep(structure: Structure) -> str:
    """A cell file."""
    return (
        f"%BLOCK LATTICE_CART\n{vectors(structure)}\n%ENDBLOCK LATTICE_CART\n"
        f"%BLOCK POSITIONS_ABS\n{rows(structure)}\n%ENDBLOCK POSITIONS_ABS\n"
    )


def xsf(structure: Structure) -> str:
    """A crystal of XCrySDen."""
    return f"CRYSTAL\nPRIMVEC\n{vectors(structure)}\nPRIMCOORD\n{len(structure)} 1\n{rows(structure)}\n"


def phonopy(structure: Structure) -> str:
    """What phonopy writes of a unit cell."""
    lattice = "\n".join(f"  - [ {', '.join(f'{x:.8f}' for x in row)} ]" for row in structure.lattice.matrix)
    points = "\n".join(
        f"  - symbol: {one.specie.symbol}\n    coordinates: [ {', '.join(f'{x:.8f}' for x in one.frac_coords)} ]"
        for one in structure
    )
    return f"unit_cell:\n  lattice:\n{lattice}\n  points:\n{points}\n"


def vasprun(structure: Structure) -> str:
    """The part of a run's XML that is read."""

    def varray(name: str, values: np.ndarray) -> str:
        lines = "".join(f"<v> {' '.join(f'{x:.8f}' for x in row)} </v>\n" for row in values)
        return f'<varray name="{name}" >\n{lines}</varray>\n'

    atoms = "".join(f"<rc><c>{one.specie.symbol:2}</c><c>   1</c></rc>\n" for one in structure)
    return (
        '<?xml version="1.0" encoding="ISO-8859-1"?>\n<modeling>\n<atominfo><array name="atoms" ><set>\n'
        f'{atoms}</set></array></atominfo>\n<structure name="finalpos" ><crystal>\n'
        f"{varray('basis', structure.lattice.matrix)}</crystal>\n{varray('positions', structure.frac_coords)}"
        f"</structure>\n<calculation>{varray('epsilon', 6.0 * np.eye(3))}</calculation>\n</modeling>\n"
    )


def extxyz(structure: Structure) -> str:
    """A frame, as ASE writes it."""
    text = io.StringIO()
    ase.io.write(text, AseAtomsAdaptor.get_atoms(structure, msonable=False), format="extxyz")
    return text.getvalue()


def ase_json(structure: Structure) -> str:
    """ASE's own JSON, by hand: the same on every run."""
    entry = {
        "numbers": list(structure.atomic_numbers),
        "positions": structure.cart_coords.tolist(),
        "cell": {"array": structure.lattice.matrix.tolist()},
        "pbc": [True] * 3,
    }
    return json.dumps({"1": entry, "ids": [1], "nextid": 2})


def optimade(structure: Structure) -> str:
    """An answer of OPTIMADE."""
    attributes = {
        "lattice_vectors": structure.lattice.matrix.tolist(),
        "cartesian_site_positions": structure.cart_coords.tolist(),
        "species_at_sites": [one.specie.symbol for one in structure],
        "dimension_types": [1, 1, 1],
    }
    return json.dumps({"data": [{"attributes": attributes}]})


def parquet(structures: list[Structure]) -> bytes:
    """A table that a screening takes."""
    columns = {
        "cell": [one.lattice.matrix.ravel().tolist() for one in structures],
        "atomic_numbers": [list(one.atomic_numbers) for one in structures],
        "frac_coords": [one.frac_coords.ravel().tolist() for one in structures],
    }
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def archive(files: list[File], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP of files, of a fixed date."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", method) as held:
        for name, content in files:
            held.writestr(zipfile.ZipInfo(name, FIXED), content, method)
    return sink.getvalue()


@cache
def valid_files() -> tuple[File, ...]:
    """Of every format one or more; each is read."""
    writers = {
        ".vasp": lambda one: one.to(fmt="poscar"),
        ".json": lambda one: json.dumps(one.as_dict()),
        "-ase.json": ase_json,
        "-optimade.json": optimade,
        ".extxyz": extxyz,
        ".xsf": xsf,
        ".yaml": phonopy,
        ".in": espresso,
        ".cell": castep,
        ".xml": vasprun,
        ".cif": lambda one: str(CifWriter(one)),
        "-symmetry.cif": lambda one: str(CifWriter(one, symprec=0.01)),
    }
    made = [(name + end, write(one).encode()) for name, one in CRYSTALS.items() for end, write in writers.items()]
    mixed = [("mixed.cif", str(CifWriter(DISORDERED)).encode()), ("mixed.json", DISORDERED.to_json().encode())]
    return (*made, *mixed, ("rutile.cif", RUTILE.read_bytes()))
