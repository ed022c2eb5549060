"""CIFs of disordered crystals."""

ALLOY = "Ba1 Ba 0 0 0 0.5\nSr1 Sr 0 0 0 0.5\nTi1 Ti 0.5 0.5 0.5 1\nO1 O 0.5 0.5 0 1"
PEROVSKITE = ("P m -3 m", 3.95)
SHARED = "Na1 Na 0 0 0 0.5\nK1 K 0 0 0 0.5\nCl1 Cl 0.5 0.5 0.5 1"
SALT = ("F m -3 m", 6.0)


def disordered_cif(group: str, length: float, sites: str, more: str = "") -> str:
    """A cubic one; each site as label, symbol, x, y, z and occupancy."""
    cell = "".join(f"_cell_length_{name} {length}\n" for name in "abc")
    cell += "".join(f"_cell_angle_{name} 90\n" for name in ("alpha", "beta", "gamma"))
    names = ("label", "type_symbol", "fract_x", "fract_y", "fract_z", "occupancy")
    loop = "loop_\n" + "".join(f"_atom_site_{name}\n" for name in names)
    return f"data_x\n{cell}_symmetry_space_group_name_H-M '{group}'\n{more}{loop}{sites}\n"
