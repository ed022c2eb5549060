"""What a user may give as a crystal."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from pymatgen.io.ase import AseAtomsAdaptor

from engine.crystals.inputs import as_crystal, as_structure
from engine.crystals.reader import read_structures
from engine.crystals.room import check_room
from engine.crystals.vacuum import in_vacuum
from engine.data.datasets import load_dataset
from engine.errors import EngineError


@pytest.mark.parametrize("form", ["structure", "atoms", "material", "path", "name"])
def test_whatever_the_type_input_names_is_taken_as_the_same_crystal(form, tmp_path):
    material = load_dataset("petousis-2017")[0]
    file = tmp_path / "crystal.json"
    file.write_text(material.structure.to_json())
    given = {
        "structure": material.structure,
        "atoms": AseAtomsAdaptor.get_atoms(material.structure),
        "material": material,
        "path": file,
        "name": str(file),
    }[form]
    found = as_structure(given)
    assert found.matches(material.structure)
    assert found.lattice == material.structure.lattice


def test_a_material_stays_one_so_that_its_force_constants_are_found():
    material = load_dataset("petousis-2017")[0]
    assert as_crystal(material) is material


@pytest.mark.parametrize("factors", [(0.5, 0.5, 0.5), (0.5, 1, 1), (1, 1, 0.5)])
def test_a_cell_squeezed_to_half_a_length_is_refused_and_says_what_to_check(factors):
    whole = next(m for m in load_dataset("petousis-2017") if m.material_id == "mp-2998").structure
    squeezed = Structure(
        Lattice(whole.lattice.matrix * np.array(factors)[:, None]), whole.species, whole.frac_coords
    )
    with pytest.raises(EngineError, match=r"BaTiO3: .*check the lengths of the cell"):
        read_structures("POSCAR", squeezed.to(fmt="poscar").encode())


@pytest.mark.parametrize("name", ["petousis-2017", "matbench-dielectric", "catalogue"])
def test_no_embedded_crystal_is_taken_for_a_squeezed_one(name):
    for material in load_dataset(name)[::20]:
        check_room(material.structure, name)


def test_a_lattice_vector_that_is_shorter_than_any_bond_is_refused():
    with pytest.raises(EngineError, match=r"closer than 0\.5 Å"):
        as_structure(Structure(Lattice([[0.3, 0, 0], [0, 9, 0], [0, 0, 9]]), ["Si"], [[0, 0, 0]]))


def test_a_cell_that_no_number_can_hold_is_refused():
    with pytest.raises(EngineError, match="at most 1000 Å"):
        as_structure(Structure(Lattice.cubic(1e9), ["Si"], [[0, 0, 0]]))


@pytest.mark.parametrize("cells", [1000, -99_999])
def test_an_atom_many_cells_away_is_where_it_would_be_in_the_first(cells):
    salt = Structure(Lattice.cubic(4.1), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5 + cells]])
    check_room(as_structure(salt), "salt")
    assert in_vacuum(salt) is None
