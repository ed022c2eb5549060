"""What a user may give as a crystal."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from pymatgen.io.ase import AseAtomsAdaptor

from engine.crystals.inputs import as_crystal, as_structure
from engine.crystals.reader import read_structures
from engine.crystals.room import check_room
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
