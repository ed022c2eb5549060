"""One hostile file, what must come of it, and how to write such files."""

import json
from dataclasses import dataclass

import numpy as np

READ = ""
P1 = "_symmetry_space_group_name_H-M 'P 1'\n"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A file by a stranger.

    Attributes:
        about: what is hostile in it; unique.
        file: its name, as the stranger gives it.
        content: bytes.
        reason: pattern in the sentence that refuses it; READ where it is read.
        crystals: how many it holds, where it is read.
        rows: of a screening that has it among its files.
    """

    about: str
    file: str
    content: bytes
    reason: str = READ
    crystals: int = 1
    rows: int = 1


def cif(sites: str, symmetry: str = P1, cell: str = "5.6 5.6 5.6", extra: str = "", block: str = "x") -> bytes:
    """A CIF of sites with label and coordinates; `extra` goes before the loop."""
    lengths = "".join(f"_cell_length_{name} {value}\n" for name, value in zip("abc", cell.split(), strict=True))
    angles = "".join(f"_cell_angle_{name} 90\n" for name in ("alpha", "beta", "gamma"))
    loop = "loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n"
    return f"data_{block}\n{lengths}{angles}{symmetry}{extra}{loop}{sites}\n".encode()


def shares(sites: str, cell: str = "5.6 5.6 5.6") -> bytes:
    """A CIF of sites with label, symbol, coordinates and occupancy."""
    tags = "\n".join(f"_atom_site_{tag}" for tag in ("label", "type_symbol", "fract_x", "fract_y", "fract_z"))
    text = cif("", cell=cell).decode().split("loop_\n")[0]
    return f"{text}loop_\n{tags}\n_atom_site_occupancy\n{sites}\n".encode()


def poscar(
    elements: str = "Na Cl",
    counts: str = "1 1",
    cell: str = "4 0 0\n0 4 0\n0 0 4",
    positions: str = "0 0 0\n0.5 0.5 0.5",
    title: str = "comment",
    scale: str = "1.0",
) -> bytes:
    """A POSCAR in direct coordinates."""
    return f"{title}\n{scale}\n{cell}\n{elements}\n{counts}\nDirect\n{positions}\n".encode()


def xyz(atoms: str = "Na 0 0 0\nCl 2 2 2", head: str = 'Lattice="4 0 0 0 4 0 0 0 4"', count: str = "2") -> bytes:
    """An extended XYZ of one frame."""
    return f"{count}\n{head}\n{atoms}\n".encode()


def crystal_json(element: str = "Na", label: str = "Na", occupancy: float = 1.0, **extra: object) -> bytes:
    """A pymatgen Structure as JSON, one atom in a cube of 3.5 Å."""
    site = {"species": [{"element": element, "occu": occupancy}], "abc": [0, 0, 0], "label": label}
    return json.dumps({"lattice": {"matrix": (3.5 * np.eye(3)).tolist()}, "sites": [site], **extra}).encode()


def scattered(count: int) -> str:
    """So many listed atoms anywhere in a cell."""
    places = np.random.default_rng(0).random((count, 3))
    return "\n".join(f"Si{i} {x:.4f} {y:.4f} {z:.4f}" for i, (x, y, z) in enumerate(places))
