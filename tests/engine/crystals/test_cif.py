"""A CIF is read as what it says; where it leaves a choice open, the rest of it decides, or it is refused."""

import random
import re

import gemmi
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure
from pymatgen.io.cif import CifWriter

from engine.crystals.cif import Reading, read_cif
from engine.crystals.refusal import Refused
from engine.data.datasets import load_dataset

SAME = StructureMatcher(ltol=0.05, stol=0.05, angle_tol=1, primitive_cell=True)
DRAWN = load_dataset("petousis-2017")[::70]


def written(cell: str, symmetry: str, sites: str, more: str = "") -> str:
    names = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    values = "".join(f"_cell_{name} {value}\n" for name, value in zip(names, cell.split(), strict=True))
    loop = "loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n"
    return f"data_x\n{values}{symmetry}\n{more}{loop}{sites}\n"


def structure(reading: Reading) -> Structure:
    return Structure(Lattice(reading.cell), reading.numbers, reading.positions)


def without_operations(text: str) -> str:
    return re.sub(r"loop_\n _symmetry_equiv_pos_site_id\n _symmetry_equiv_pos_as_xyz\n(.*\n)*?(?=loop_)", "", text)


@pytest.mark.parametrize("material", DRAWN, ids=lambda material: material.material_id)
def test_crystals_survive_by_operations_by_symbol_and_with_all_atoms_listed(material):
    full = str(CifWriter(material.structure, symprec=0.01))
    bare = without_operations(full)
    assert "_as_xyz" not in bare
    silent = re.sub(r"_chemical_formula_sum.*\n|_cell_formula_units_Z.*\n", "", bare)
    for text in (full, bare, silent, str(CifWriter(material.structure))):
        (found,) = read_cif(text)
        assert SAME.fit(structure(found), material.structure)


SILICON = "5.431 5.431 5.431 90 90 90"
DIAMOND = "_symmetry_space_group_name_H-M 'F d -3 m{}'"


def test_a_choice_of_origin_that_nothing_decides_is_refused_and_both_crystals_are_named():
    with pytest.raises(Refused, match=r"Si16 as F d -3 m:1, or Si8 as F d -3 m:2; write the setting"):
        read_cif(written(SILICON, DIAMOND.format(""), "Si 0.125 0.125 0.125"))


@pytest.mark.parametrize(("said", "atoms"), [(":1", 16), (":2", 8), (" S", 16), (" Z", 8)])
def test_a_choice_of_origin_that_the_file_makes_is_taken(said, atoms):
    (found,) = read_cif(written(SILICON, DIAMOND.format(said), "Si 0.125 0.125 0.125"))
    assert len(found.numbers) == atoms
    assert found.notes == ()


@pytest.mark.parametrize(
    "more", ["_exptl_crystal_density_diffrn 2.33\n", "_chemical_formula_sum Si\n_cell_formula_units_Z 8\n"]
)
def test_what_else_the_file_says_decides_and_the_choice_is_told(more):
    (found,) = read_cif(written(SILICON, DIAMOND.format(""), "Si 0.125 0.125 0.125", more))
    assert len(found.numbers) == 8
    assert found.notes == ("The setting F d -3 m:2 is assumed: no other fits the rest of the file.",)


SALT = "5.64 5.64 5.64 90 90 90"
ROCK = "_symmetry_space_group_name_H-M 'F m -3 m'"
NACL = "Na 0 0 0\nCl 0.5 0.5 0.5"
AGAINST_ITSELF = {
    "formula": (SALT, ROCK, NACL, "_chemical_formula_sum 'Na Cl2'\n", "its formula is Cl2 Na1"),
    "no chlorine": (SALT, ROCK, "Na 0 0 0", "_chemical_formula_sum 'Na Cl'\n", "names Cl, which no site holds"),
    "units": (SALT, ROCK, NACL, "_chemical_formula_sum 'Na Cl'\n_cell_formula_units_Z 2\n", r"Z = 2"),
    "density": (SALT, ROCK, NACL, "_exptl_crystal_density_diffrn 4.2\n", "the file says 4.2 g/cm³"),
    "symbol and number": (SALT, ROCK + "\n_symmetry_Int_Tables_number 227", NACL, "", "space group 227"),
    "symbol and cell": ("5 6 7 90 90 90", ROCK, NACL, "", "has not the symmetry of its space group"),
    "symbol and operations": (
        SALT,
        ROCK,
        NACL,
        "loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n-x,-y,-z\n",
        "operations are those of space group 2",
    ),
    "no symmetry at all": (SALT, "_symmetry_cell_setting cubic", NACL, "", "it is cubic, and gives neither"),
}


@pytest.mark.parametrize("name", AGAINST_ITSELF)
def test_a_file_that_contradicts_itself_is_refused(name):
    *parts, reason = AGAINST_ITSELF[name]
    with pytest.raises(Refused, match=reason):
        read_cif(written(*parts))


def test_holmium_is_a_hydrogen_where_the_formula_has_none():
    sites = "Ca 0 0 0\nO1 0.333 0.667 0.23\nHo 0.333 0.667 0.43"
    cell, group = "3.59 3.59 4.9 90 90 120", "_symmetry_space_group_name_H-M 'P -3 m 1'"
    (hydroxide,) = read_cif(written(cell, group, sites, "_chemical_formula_sum 'Ca H2 O2'\n"))
    assert sorted(hydroxide.numbers.tolist()) == [1, 1, 8, 8, 20]
    with pytest.raises(Refused, match="O2Ca1Ho2 are nearer than any atoms are"):
        read_cif(written(cell, group, sites))


@pytest.mark.parametrize(
    ("label", "element"),
    [("Si1", 14), ("SI2A", 14), ("si", 14), ("OW", 8), ("OH1", 8), ("AlT", 13), ("D3", 1), ("CL", 17), ("K", 19)],
)
def test_a_label_names_an_element(label, element):
    (found,) = read_cif(written(SALT, "_symmetry_space_group_name_H-M 'P 1'", f"{label} 0 0 0"))
    assert found.numbers.tolist() == [element]


@pytest.mark.parametrize("label", ["Wat1", "Cat", "T1", "X", "Oh", "M1", "1"])
def test_a_label_that_is_no_element_is_refused(label):
    with pytest.raises(Refused, match="no element"):
        read_cif(written(SALT, "_symmetry_space_group_name_H-M 'P 1'", f"{label} 0 0 0"))


def test_a_partly_occupied_site_is_named():
    text = written(SALT, ROCK, "Na1 0 0 0 0.9\nCl1 0.5 0.5 0.5 1").replace(
        "_atom_site_fract_z\n", "_atom_site_fract_z\n_atom_site_occupancy\n"
    )
    with pytest.raises(Refused, match="partly occupied: Na1"):
        read_cif(text)


def every_setting() -> list[gemmi.SpaceGroup]:
    return [one for one in gemmi.spacegroup_table() if one.number > 2 and ")" not in one.hm][::9]


@pytest.mark.parametrize("group", every_setting(), ids=lambda group: group.xhm().replace(" ", ""))
def test_a_symbol_with_its_setting_means_the_operations_of_that_setting(group):
    """One site in general position, in a cell that the setting allows."""
    rotations = np.array([one.rot for one in group.operations()]) / gemmi.Op.DEN
    metric = (rotations.swapaxes(1, 2) @ np.diag([81.0, 100.0, 121.0]) @ rotations).mean(0)  # any, made symmetric
    lengths = np.sqrt(np.diag(metric))
    angles = [np.degrees(np.arccos(metric[i, j] / lengths[i] / lengths[j])) for i, j in ((1, 2), (0, 2), (0, 1))]
    cell = " ".join(f"{value:.6f}" for value in (*lengths, *angles))
    text = written(cell, f"_space_group_name_H-M_alt '{group.xhm()}'", "H 0.0613 0.1831 0.3421")
    (found,) = read_cif(text)
    assert len(found.numbers) == len(list(group.operations()))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), which=st.integers(0, len(DRAWN) - 1))
def test_what_does_not_change_the_crystal_does_not_change_the_answer(seed, which):
    """Line ends, comments, blank lines, case of the tags, order and labels of the sites."""
    chance = random.Random(seed)
    text = str(CifWriter(DRAWN[which].structure, symprec=0.01))
    before = structure(read_cif(text)[0])
    head, _, sites = text.rpartition("_atom_site_occupancy\n")
    rows = [line for line in sites.splitlines() if line.strip()]
    chance.shuffle(rows)
    renamed = [re.sub(r"^(\s*\S+\s+)\S+", rf"\g<1>X{number}", row) for number, row in enumerate(rows)]
    lines = [*head.splitlines(), " _atom_site_occupancy", *renamed]
    changed = []
    for line in lines:
        if chance.random() < 0.2:
            changed.append(chance.choice(["", "# data_ of a comment", "   "]))
        tag = re.match(r"\s*_\S+", line)
        upper = tag is not None and chance.random() < 0.5
        changed.append(tag[0].upper() + line[tag.end() :] if tag and upper else line)
    after = structure(read_cif("\n".join(changed))[0])
    assert after.composition == before.composition
    assert SAME.fit(after, before)


CSCL = "4.12 4.12 4.12 90 90 90"
CHLORIDE = "_symmetry_space_group_name_H-M 'P m -3 m'"


def with_numbers(*numbers: int) -> str:
    """Caesium chloride whose sites say a multiplicity."""
    text = written(CSCL, CHLORIDE, "Cs 0 0 0 {}\nCl 0.5 0.5 0.5 {}".format(*numbers))
    return text.replace("_atom_site_fract_z\n", "_atom_site_fract_z\n_atom_site_symmetry_multiplicity\n")


@pytest.mark.parametrize(
    "numbers", [(1, 1), (48, 48), (0, 0)], ids=["multiplicity", "order of the site symmetry, as of SHELXL", "none"]
)
def test_both_meanings_that_the_multiplicity_had_are_understood(numbers):
    (found,) = read_cif(with_numbers(*numbers))
    assert found.formula == "Cl1Cs1"


@pytest.mark.parametrize("numbers", [(1, 48), (8, 8), (3, 1)])
def test_a_multiplicity_of_neither_meaning_is_refused(numbers):
    with pytest.raises(Refused, match="has the multiplicity"):
        read_cif(with_numbers(*numbers))


def test_a_tag_that_stands_twice_is_read_where_one_value_is_empty_or_both_are_equal():
    for again in ("''", "?", "'Cs Cl'"):
        twice = f"_chemical_formula_sum 'Cs Cl'\n_chemical_formula_sum {again}\n"
        (found,) = read_cif(written(CSCL, CHLORIDE, "Cs 0 0 0\nCl 0.5 0.5 0.5", twice))
        assert found.formula == "Cl1Cs1"
    with pytest.raises(Refused, match="gives _cell_length_a twice"):
        read_cif(written(CSCL, CHLORIDE, "Cs 0 0 0\nCl 0.5 0.5 0.5", "_cell_length_a 4.2\n"))


def test_as_many_sites_may_be_listed_as_a_cell_may_hold_atoms():
    places = np.array(np.meshgrid(*3 * [np.arange(7) / 7])).reshape(3, -1).T  # 343
    sites = "\n".join(f"Si {x:.5f} {y:.5f} {z:.5f}" for x, y, z in places)
    (found,) = read_cif(written("18 18 18 90 90 90", "_symmetry_space_group_name_H-M 'P 1'", sites))
    assert len(found.numbers) == 343


def test_atoms_nearer_than_any_bond_are_refused_where_nothing_else_speaks_against_them():
    with pytest.raises(Refused, match="nearer than any atoms are"):
        read_cif(written("9 9 9 90 90 90", "_symmetry_space_group_name_H-M 'P 1'", "Cs 0 0 0\nCs 0 0 0.18"))
