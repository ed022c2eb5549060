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
    "Quantum ESPRESSO": by_ase("espresso-in", pseudopotentials={"Ti": "Ti.upf", "O": "O.upf"}),
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
    "Quantum ESPRESSO without a cell": ("&control\n/\n&system\nibrav=0\n/\n", "not a readable ESPRESSO file"),
    "CASTEP": ("%BLOCK lattice_cart\n1 0 0\n", "a CASTEP cell, which is not read here"),
    "vasprun": ('<?xml version="1.0"?>\n<modeling>\n', "an output of VASP"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_read_is_refused_with_what_to_do(name):
    text, reason = REFUSED[name]
    with pytest.raises(EngineError, match=reason):
        read_structures("", text.encode())


def test_three_scale_factors_stretch_each_axis():
    (found,) = read_structures("POSCAR", POSCAR.replace("\n1.0\n", "\n1.0 1.1 1.2\n").encode())
    assert found.lattice.matrix == pytest.approx(CRYSTAL.lattice.matrix * [1.0, 1.1, 1.2])
    assert found.frac_coords == pytest.approx(CRYSTAL.frac_coords)
