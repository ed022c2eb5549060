"""Cells and atoms that cannot be, or that a careless program takes for something else."""

import json

import numpy as np

from tests.hostile.case import Case, cif, crystal_json, poscar, shares, xyz

FLAT = "4 0 0\n0 4 0\n4 4 1e-9"
NEEDLES = "300 0 0\n299.9 0.2 0\n0 0 20"


def cells() -> list[Case]:
    """Lattices."""
    return [
        Case(
            about="a cell of zeros",
            file="POSCAR",
            content=poscar(cell="0 0 0\n0 0 0\n0 0 0"),
            reason="small|volume",
        ),
        Case(
            about="a length of zero",
            file="a.cif",
            content=cif("Na 0 0 0", cell="0 4 4"),
            reason="cell|small|lattice",
        ),
        Case(
            about="a negative length", file="a.cif", content=cif("Na 0 0 0", cell="-4 4 4"), reason="cell|length"
        ),
        Case(
            about="a length that is NaN",
            file="a.cif",
            content=cif("Na 0 0 0", cell="nan 4 4"),
            reason="cell|lattice",
        ),
        Case(
            about="NaN in a lattice", file="POSCAR", content=poscar(cell="nan 0 0\n0 4 0\n0 0 4"), reason="finite"
        ),
        Case(
            about="infinity in a lattice",
            file="POSCAR",
            content=poscar(cell="inf 0 0\n0 4 0\n0 0 4"),
            reason="finite",
        ),
        Case(
            about="1e308 Å",
            file="POSCAR",
            content=poscar(cell="1e308 0 0\n0 1e308 0\n0 0 1e308"),
            reason="finite|at most 500",
        ),
        Case(about="a megametre", file="a.cif", content=cif("Na 0 0 0", cell="1e16 4 4"), reason="at most 500"),
        Case(
            about="lengths in nm",
            file="POSCAR",
            content=poscar(cell="0.4 0 0\n0 0.4 0\n0 0 0.4"),
            reason="too small",
        ),
        Case(
            about="an angle of zero",
            file="a.cif",
            content=cif("Na 0 0 0").replace(b"alpha 90", b"alpha 0"),
            reason="cell|angle|finite|small",
        ),
        Case(
            about="angles that add up to more than a circle",
            file="a.cif",
            content=cif("Na 0 0 0").replace(b" 90", b" 150"),
            reason="cell|angle|finite|small",
        ),
        Case(about="all but flat", file="POSCAR", content=poscar(cell=FLAT), reason="too small"),
        Case(
            about="two lattice vectors all but parallel",
            file="POSCAR",
            content=poscar(cell=NEEDLES),
            reason="on one place",
        ),
        Case(about="left-handed", file="POSCAR", content=poscar(cell="0 4 0\n4 0 0\n0 0 4")),
        Case(about="skewed a hundredfold", file="POSCAR", content=poscar(cell="4 0 0\n400 4 0\n-80 400 4")),
        Case(about="a scale of zero", file="POSCAR", content=poscar(scale="0"), reason="scale"),
        Case(about="a scale of NaN", file="POSCAR", content=poscar(scale="nan"), reason="scale"),
        Case(about="a volume of 1e300", file="POSCAR", content=poscar(scale="-1e300"), reason="at most 500"),
        Case(
            about="not periodic",
            file="a.xyz",
            content=xyz(head='Lattice="4 0 0 0 4 0 0 0 4" pbc="T F T"'),
            reason="periodic",
        ),
        Case(
            about="a lattice of eight numbers",
            file="a.xyz",
            content=xyz(head='Lattice="4 0 0 0 4 0 0 4"'),
            reason="XYZ|lattice",
        ),
        Case(
            about="a lattice that is a text",
            file="a.json",
            content=crystal_json().replace(b"[[3.5, 0.0, 0.0], [0.0, 3.5, 0.0], [0.0, 0.0, 3.5]]", b'"cubic"'),
            reason="JSON|must be|lattice",
        ),
        Case(
            about="a lattice in four dimensions",
            file="a.json",
            content=crystal_json(lattice={"matrix": np.eye(4).tolist()}),
            reason="3 numbers",
        ),
        Case(
            about="complex numbers",
            file="POSCAR",
            content=poscar(cell="4j 0 0\n0 4 0\n0 0 4"),
            reason="lattice vector",
        ),
        Case(
            about="numbers of another script",
            file="POSCAR",
            content=poscar(cell="\u0664 0 0\n0 \u0664 0\n0 0 \u0664"),
        ),
        Case(
            about="hexadecimal numbers",
            file="POSCAR",
            content=poscar(cell="0x4 0 0\n0 4 0\n0 0 4"),
            reason="lattice",
        ),
        Case(
            about="underscores within numbers",
            file="POSCAR",
            content=poscar(cell="4_0 0 0\n0 4 0\n0 0 4"),
            reason="lattice vector",
        ),
    ]


def positions() -> list[Case]:
    """Where atoms lie."""
    far, near = "0 0 0\n0.5 0.5 900.5", "0 0 0\n0.001 0 0"
    away = json.loads(crystal_json())
    away["sites"].append({"species": [{"element": "Cl", "occu": 1}], "abc": [0.5, 0.5, 1e300]})
    return [
        Case(
            about="a coordinate that is NaN",
            file="POSCAR",
            content=poscar(positions="0 0 nan\n0.5 0.5 0.5"),
            reason="finite",
        ),
        Case(
            about="an infinite coordinate",
            file="a.json",
            content=crystal_json().replace(b"[0, 0, 0]", b"[0,0,1e999]"),
            reason="finite",
        ),
        Case(about="900 cells away", file="POSCAR", content=poscar(positions=far)),
        Case(
            about="1e300 cells away", file="a.json", content=json.dumps(away).encode(), reason="1000 cells|finite"
        ),
        Case(about="overlapping atoms", file="POSCAR", content=poscar(positions=near), reason="on one place"),
        Case(
            about="the same atom twice",
            file="POSCAR",
            content=poscar(positions="0 0 0\n1 1 1"),
            reason="on one place",
        ),
        Case(
            about="the same atom twice in a CIF", file="a.cif", content=cif("Na 0 0 0\nCl 0 0 0"), reason="nearer"
        ),
        Case(
            about="atoms nearer than any bond",
            file="POSCAR",
            content=poscar("Cs", "2", "9 0 0\n0 9 0\n0 0 9", "0 0 0\n0.2 0 0"),
            reason="covalent",
        ),
        Case(
            about="a coordinate left out",
            file="a.cif",
            content=cif("Na 0 0 0\nCl ? 0.5 0.5"),
            reason="coordinates",
        ),
        Case(
            about="coordinates that are words", file="a.cif", content=cif("Na a b c"), reason="coordinates|number"
        ),
        Case(
            about="two numbers a position",
            file="POSCAR",
            content=poscar(positions="0 0\n0.5 0.5"),
            reason="position",
        ),
        Case(
            about="ragged positions",
            file="a.json",
            content=crystal_json().replace(b"[0, 0, 0]", b"[0, 0]"),
            reason="3 numbers|JSON|must be",
        ),
        Case(
            about="positions within positions",
            file="a.json",
            content=crystal_json().replace(b"[0, 0, 0]", b"[[0], [0], [0]]"),
            reason="3 numbers|JSON|must be",
        ),
        Case(about="no atoms", file="a.cif", content=b"data_x\n_cell_length_a 3\n", reason="no atoms"),
        Case(about="an empty list of sites", file="a.json", content=crystal_json(sites=[]), reason="no atoms"),
    ]


def elements() -> list[Case]:
    """What atoms are."""
    half = "Na Na 0 0 0 0.5\nCl Cl 0.5 0.5 0.5 1"
    return [
        Case(about="half an atom", file="a.cif", content=shares(half), reason="disordered"),
        Case(
            about="a site shared by two",
            file="a.cif",
            content=shares("Na Na 0 0 0 0.5\nK K 0 0 0 0.5\nCl Cl 0.5 0.5 0.5 1"),
            reason="disordered",
        ),
        Case(
            about="occupancies over one",
            file="a.cif",
            content=shares("Na Na 0 0 0 0.9\nK K 0 0 0 0.9\nCl Cl 0.5 0.5 0.5 1"),
            reason="occup|more than|disordered",
        ),
        Case(
            about="an occupancy of 1e9", file="a.cif", content=shares("Na Na 0 0 0 1e9"), reason="occup|more than"
        ),
        Case(about="a negative occupancy", file="a.cif", content=shares("Na Na 0 0 0 -1"), reason="occup"),
        Case(
            about="an occupancy of NaN",
            file="a.json",
            content=crystal_json(occupancy=float("nan")),
            reason="occup|finite",
        ),
        Case(
            about="an occupancy of zero",
            file="a.json",
            content=crystal_json(occupancy=0.0),
            reason="nothing|occup",
        ),
        Case(about="deuterium", file="a.cif", content=cif("Li 0 0 0\nD 0.5 0.5 0.5", cell="4.1 4.1 4.1")),
        Case(about="deuterium in JSON", file="a.json", content=crystal_json("D", "D")),
        Case(about="a dummy atom", file="a.cif", content=cif("Na 0 0 0\nX1 0.5 0.5 0.5"), reason="element"),
        Case(about="a dummy atom in JSON", file="a.json", content=crystal_json("X"), reason="element"),
        Case(about="a dummy atom in an XYZ", file="a.xyz", content=xyz("X 0 0 0\nCl 2 2 2"), reason="element"),
        Case(about="oganesson", file="POSCAR", content=poscar("Og", "1", positions="0 0 0")),
        Case(about="an unknown label", file="a.cif", content=cif("Qq 0 0 0"), reason="element"),
        Case(
            about="element 119",
            file="a.json",
            content=b'{"1": {"numbers": [119], "positions": [[0,0,0]], "cell": [[4,0,0],[0,4,0],[0,0,4]],'
            b' "pbc": [true,true,true]}, "ids": [1]}',
            reason="element",
        ),
        Case(
            about="a negative element",
            file="a.json",
            content=b'{"1": {"numbers": [-1], "positions": [[0,0,0]], "cell": [[4,0,0],[0,4,0],[0,0,4]],'
            b' "pbc": [true,true,true]}, "ids": [1]}',
            reason="element",
        ),
        Case(about="a charge of 1e300", file="a.cif", content=cif("Na+" + "9" * 300 + " 0 0 0")),
        Case(
            about="an element that is a list",
            file="a.json",
            content=crystal_json().replace(b'"element": "Na"', b'"element": ["Na"]'),
            reason="element|must be",
        ),
    ]


def crystals() -> list[Case]:
    """All of them."""
    return [*cells(), *positions(), *elements()]
