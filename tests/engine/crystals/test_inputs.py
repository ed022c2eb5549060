"""What a user may give as a crystal."""

import pytest
from pymatgen.io.ase import AseAtomsAdaptor

from engine.crystals.inputs import as_crystal, as_structure
from engine.data.datasets import load_dataset


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
