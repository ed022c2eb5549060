"""Files of other programs give the crystal that these programs hold, or a sentence that says what to export."""

import gzip
import io
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from ase.io import write
from phonopy import Phonopy
from phonopy.structure.atoms import PhonopyAtoms
from pymatgen.core import Lattice, Structure
from pymatgen.io.ase import AseAtomsAdaptor

from engine.crystals.read_as import read_as
from engine.crystals.reader import read_structures
from engine.errors import EngineError

CRYSTAL = Structure(
    Lattice([[0.1, 4.6, 0.2], [0.3, 0.2, 5.1], [3.9, 0.4, -0.2]]),
    ["Ti", "O", "O"],
    [[0, 0, 0], [0.3, 0.3, 0.1], [0.7, 0.6, 0.5]],
)
ROWS = CRYSTAL.lattice.matrix.tolist()
POSCAR = "\n".join(
    ["Ti O", "1.0", *(" ".join(map(str, row)) for row in ROWS), "Ti O", "1 2", "Direct"]
    + [" ".join(map(str, site)) for site in CRYSTAL.frac_coords.tolist()]
)


def by_ase(kind: str, **settings: object) -> bytes:
    text = io.StringIO()
    write(text, AseAtomsAdaptor.get_atoms(CRYSTAL), format=kind, **settings)
    return text.getvalue().encode()


def optimade(**changes: object) -> bytes:
    attributes = {
        "lattice_vectors": ROWS,
        "cartesian_site_positions": CRYSTAL.cart_coords.tolist(),
        "species_at_sites": ["Ti", "O", "O"],
        "species": [{"name": name, "chemical_symbols": [name], "concentration": [1.0]} for name in ("Ti", "O")],
        "dimension_types": [1, 1, 1],
    }
    return json.dumps({"data": {"id": "1", "type": "structures", "attributes": attributes | changes}}).encode()


def by_phonopy() -> bytes:
    cell = PhonopyAtoms(symbols=["Ti", "O", "O"], cell=ROWS, scaled_positions=CRYSTAL.frac_coords)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "phonopy.yaml"
        Phonopy(cell, np.eye(3, dtype=int), log_level=0).save(path)
        return path.read_bytes()


def castep(**blocks: str) -> bytes:
    return "\n".join(f"%BLOCK {name}\n{rows}\n%ENDBLOCK {name}" for name, rows in blocks.items()).encode()


def rows_of(table: np.ndarray, *names: str) -> str:
    words = [" ".join(f"{x:.8f}" for x in row) for row in np.array(table)]
    return "\n".join(f"{name} {row}" for name, row in zip(names or [""] * len(words), words, strict=True))


BOHR = 0.529177210903  # Å
CASTEP = castep(lattice_cart=rows_of(ROWS), positions_frac=rows_of(CRYSTAL.frac_coords, "Ti", "O", "O")).decode()
ESPRESSO = by_ase("espresso-in", pseudopotentials={"Ti": "Ti.upf", "O": "O.upf"}).decode()
FILES = {
    "POSCAR": POSCAR.encode(),
    "POSCAR, VASP 4": POSCAR.replace("Ti O\n1 2", "1 2").encode(),
    "POSCAR, potentials": POSCAR.replace("Ti O\n1 2", "Ti_pv/1a2b O_s/3c4d\n1 2").encode(),
    "POSCAR, three factors": POSCAR.replace("\n1.0\n", "\n1.0 1.0 1.0\n").encode(),
    "POSCAR, volume": POSCAR.replace("\n1.0\n", f"\n{-CRYSTAL.volume}\n").encode(),
    "POSCAR, comments": POSCAR.replace("\n1.0\n", "\n1.0 ! scale\n").replace("1 2", "1 2 ! atoms").encode(),
    "POSCAR, selective dynamics": POSCAR.replace("Direct", "Selective dynamics\nDirect").encode(),
    "POSCAR, gzip": gzip.compress(POSCAR.encode()),
    "pymatgen": json.dumps(CRYSTAL.as_dict()).encode(),
    "Materials Project": json.dumps({"data": [{"material_id": "mp-1", "structure": CRYSTAL.as_dict()}]}).encode(),
    "OPTIMADE": optimade(),
    "ASE JSON": by_ase("json"),
    "extended XYZ": by_ase("extxyz"),
    "XSF": by_ase("xsf"),
    "Quantum ESPRESSO": ESPRESSO.encode(),
    "Quantum ESPRESSO, small letters": ESPRESSO.lower().encode(),
    "Quantum ESPRESSO, labels": ESPRESSO.replace("O ", "O1 ").replace("Ti ", "Ti_a ").encode(),
    "Quantum ESPRESSO, comments": ESPRESSO.replace("angstrom\n", "angstrom ! not bohr\n# alat\n").encode(),
    "CASTEP": CASTEP.encode(),
    "CASTEP, small letters, comments": CASTEP.lower().replace("%endblock", "! bohr\n\n%endblock").encode(),
    "CASTEP, labels": CASTEP.replace("Ti ", "Ti:up ").replace("O ", "8 ").encode() + b"\nSYMMETRY_GENERATE\n",
    "CASTEP, spins": CASTEP.replace("\nO ", " SPIN= 1.0\nO ").encode(),
    "CASTEP, atomic units": castep(
        lattice_cart="bohr\n" + rows_of(CRYSTAL.lattice.matrix / BOHR),
        positions_abs="nm # not Bohr\n" + rows_of(CRYSTAL.cart_coords / 10, "Ti", "O", "O"),
    ),
    "phonopy.yaml": by_phonopy(),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_of_another_program_gives_its_crystal_in_its_axes(kind):
    (found,) = read_structures("", FILES[kind])  # by its content alone
    assert found.lattice.matrix == pytest.approx(CRYSTAL.lattice.matrix, abs=1e-5)
    assert found.species == CRYSTAL.species
    assert found.cart_coords == pytest.approx(CRYSTAL.cart_coords, abs=1e-5)


HALF = [{"name": name, "chemical_symbols": [name], "concentration": [0.5]} for name in ("Ti", "O")]
REFUSED = {
    "a mark against the elements": (POSCAR + " Ti", "marked Ti"),
    "no elements": (POSCAR.replace("Ti O", "comment", 1).replace("Ti O\n", ""), "name its elements"),
    "no such element": (POSCAR.replace("Ti O\n1", "Ti1 O\n1"), "Ti1 is no element"),
    "too few positions": (POSCAR.replace("1 2", "1 3"), "fewer positions"),
    "two factors": (POSCAR.replace("\n1.0\n", "\n1.0 2.0\n"), "one scale factor, or three"),
    "frames": (
        POSCAR.replace("Direct", "Direct configuration= 1") + "\nDirect configuration= 2\n0 0 0",
        "several frames",
    ),
    "a slab": (optimade(dimension_types=[1, 1, 0]).decode(), "periodic along all three"),
    "half an atom": (optimade(species=HALF).decode(), "disordered"),
    "LAMMPS": ("LAMMPS data\n\n6 atoms\n2 atom types\n", "a LAMMPS data file, which is not read here; export"),
    "Quantum ESPRESSO without a cell": ("&control\n/\n&system\nibrav=0\n/\n", "holds no CELL_PARAMETERS"),
    "Quantum ESPRESSO by ibrav": (
        "&system\nibrav = 2, celldm(1) = 8\n/\n",
        "by ibrav, which is not read here; write",
    ),
    "Quantum ESPRESSO, an atom too many": (
        ESPRESSO.replace("nat              = 3", "nat = 2"),
        "nat is not the number",
    ),
    "Quantum ESPRESSO, a slab": (
        ESPRESSO.replace("ibrav", "assume_isolated = '2D'\nibrav"),
        "periodic along all three",
    ),
    "Quantum ESPRESSO in an unknown unit": (ESPRESSO.replace("POSITIONS angstrom", "POSITIONS alat"), "celldm"),
    "CASTEP, not closed": ("%BLOCK lattice_cart\n1 0 0\n", "not closed"),
    "CASTEP, two lattices": (castep(lattice_abc="3 3 3\n90 90 90").decode() + "\n" + CASTEP, "its lattice twice"),
    "CASTEP, no lattice": (CASTEP.replace("lattice_cart", "lattice_other"), "no lattice"),
    "CASTEP, an unknown unit": (CASTEP.replace("lattice_cart\n", "lattice_cart\nfeet\n", 1), "a unit of length"),
    "CASTEP, a mixture": (CASTEP.replace("\nO ", " MIXTURE:(1 0.5)\nO ", 1), "an atom is a mixture"),
    "CASTEP, no element": (CASTEP.replace("Ti ", "Qq "), "no element"),
    "OUTCAR": (" vasp.6.3.2 27Jun22\n", "an output of VASP, which is not read here"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_read_is_refused_with_what_to_do(name):
    text, reason = REFUSED[name]
    with pytest.raises(EngineError, match=reason):
        read_structures("", text.encode())


def test_castep_s_lengths_and_angles_put_a_along_x_and_b_beside_it():
    """As a b c, alpha beta gamma are turned into vectors by CASTEP itself."""
    lattice = Lattice.from_parameters(3, 4, 5, 80, 95, 110)
    angles = castep(lattice_abc="3 4 5\n80 95 110", positions_frac="Si 0 0 0")
    (found,) = read_structures("x.cell", angles)
    assert found.lattice.parameters == pytest.approx(lattice.parameters)
    assert found.lattice.matrix[[0, 0, 1], [1, 2, 2]] == pytest.approx(0)
    assert np.diag(found.lattice.matrix).min() > 0


def test_three_scale_factors_stretch_each_axis():
    (found,) = read_structures("POSCAR", POSCAR.replace("\n1.0\n", "\n1.0 1.1 1.2\n").encode())
    assert found.lattice.matrix == pytest.approx(CRYSTAL.lattice.matrix * [1.0, 1.1, 1.2])
    assert found.frac_coords == pytest.approx(CRYSTAL.frac_coords)


def test_oxidation_states_and_deuterium_are_left_out_with_a_word(tmp_path):
    ions = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.69), ["Na+", "Cl-"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    hydride = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.06), ["Li", "H"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    heavy = hydride.to(fmt="json").replace('"H"', '"D"')
    for name, text, said in (
        ("salt.json", ions.to(fmt="json"), "Oxidation states are left out."),
        ("salt.cif", ions.to(fmt="cif"), "Oxidation states are left out."),
        ("heavy.json", heavy, "Deuterium is taken as hydrogen."),
    ):
        (found,) = read_structures(name, text.encode())
        assert read_as(found)["assumed"] == [said], name
