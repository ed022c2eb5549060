"""Files as data bases and programs write them, after public reports: read as what they say, or refused with why.

`tests/files/as_written/expected.json` has formula and space group of each, or the reason.
"""

import json
from itertools import groupby
from pathlib import Path

import pytest
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure

from engine.crystals.reader import read_structures, text_of
from engine.crystals.reader_process import answer
from engine.errors import EngineError

FOLDER = Path(__file__).parents[2] / "files" / "as_written"
EXPECTED = json.loads((FOLDER / "expected.json").read_text())
SETTINGS = [name for name in EXPECTED if name.startswith(("o2_", "rh_"))]


def crystals_of(name: str) -> list[Structure]:
    """A CIF in this process, for there are a hundred; raises EngineError as `read_structures` does."""
    content = (FOLDER / name).read_bytes()
    if not name.endswith("cif") or b"\0" in content:
        return read_structures(name, content)
    found = answer("cif", text_of(content))
    if "refused" in found:
        raise EngineError(found["refused"])
    return [
        Structure(
            Lattice(one["cell"]), one["atomic_numbers"], one["frac_coords"], properties={"notes": one["notes"]}
        )
        for one in found["structures"]
    ]


@pytest.mark.parametrize("name", EXPECTED)
def test_a_file_is_read_as_what_it_says_or_refused_with_the_reason(name):
    expected = EXPECTED[name]
    if "refused" in expected:
        with pytest.raises(EngineError) as refusal:
            crystals_of(name)
        assert expected["refused"] in str(refusal.value)
        return
    found = crystals_of(name)
    assert [
        (one.composition.formula, one.get_space_group_info(1e-2)[1], one.properties["notes"]) for one in found
    ] == [(one["formula"], one["space_group"], one.get("notes", [])) for one in expected["crystals"]]


@pytest.mark.parametrize(
    "names", [list(group) for _, group in groupby(SETTINGS, lambda name: name.rsplit("_", name.count("_") - 1)[0])]
)
def test_however_the_setting_is_told_it_is_one_crystal(names):
    first, *others = (crystals_of(name)[0] for name in names)
    matcher = StructureMatcher(ltol=0.01, stol=0.01, angle_tol=0.5, primitive_cell=True)
    assert len(others) >= 2
    assert all(matcher.fit(first, other) for other in others)
