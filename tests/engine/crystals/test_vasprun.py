"""A run of VASP gives its last structure, and its own tensors where they belong to that structure."""

import gzip
from pathlib import Path

import ase
import numpy as np
import pytest
from pymatgen.core import Structure

from engine.crystals.reader import MAX_RUN, read_structures
from engine.crystals.reader_process import answer
from engine.errors import EngineError

RUN = (Path(ase.__file__).parent / "test/testdata/vasp/vasprun_dfpt.xml").read_text()  # NaCl, LEPSILON
EDGE = 2.72739551  # Å, in the file
EPSILON = 2.69584350
BEFORE_TENSOR, AFTER_TENSOR = RUN.index('<varray name="epsilon" >'), RUN.index("<kpoints>", RUN.index('"epsilon"'))
LAST = RUN.index('<structure name="finalpos" >')
IONIC = np.array([[3.0, 0.1, 0], [0.3, 3.5, 0], [0, 0, 4.0]])


def varray(name: str, rows: np.ndarray) -> str:
    lines = "".join(f"<v> {' '.join(f'{x:.8f}' for x in row)} </v>\n" for row in rows)
    return f'<varray name="{name}" >\n{lines}</varray>\n'


def with_ionic() -> str:
    return RUN[:AFTER_TENSOR] + varray("epsilon_ion", IONIC) + RUN[AFTER_TENSOR:]


def moved(distance: float) -> str:
    """The last structure with an atom moved along the first lattice vector, in Å."""
    return RUN[:LAST] + RUN[LAST:].replace("0.50000000", f"{0.5 + distance / (EDGE * 2**0.5):.8f}", 1)


def read(text: str) -> dict:
    """What the child process answers."""
    return answer("vasprun", text)


def test_a_run_gives_its_last_structure_and_its_tensor_in_their_axes():
    (found,) = read_structures("whatever.txt", RUN.encode())
    assert found.composition.formula == "Na1 Cl1"
    assert found.lattice.matrix == pytest.approx(EDGE * (1 - np.eye(3)))
    assert found.properties["tensors"]["electronic"] == pytest.approx(EPSILON * np.eye(3))
    assert found.properties["notes"] == []


def test_the_ionic_tensor_comes_along_and_is_symmetric():
    (found,) = read(with_ionic())["structures"]
    assert np.array(found["tensors"]["ionic"]) == pytest.approx((IONIC + IONIC.T) / 2)


def test_a_packed_run_gives_the_same():
    (found,) = read_structures("vasprun.xml.gz", gzip.compress(RUN.encode()))
    assert isinstance(found, Structure)
    assert set(found.properties["tensors"]) == {"electronic"}


def test_a_tensor_of_another_structure_than_the_last_is_left_out_with_a_note():
    (found,) = read(moved(0.1))["structures"]
    assert found["tensors"] == {}
    assert "belongs to another structure" in found["notes"][0]


def test_a_step_of_finite_differences_keeps_the_tensor():
    (found,) = read(moved(0.015))["structures"]
    assert set(found["tensors"]) == {"electronic"}


def test_a_tensor_by_the_random_phase_approximation_is_called_that():
    renamed = RUN[:BEFORE_TENSOR] + RUN[BEFORE_TENSOR:].replace('"epsilon"', '"epsilon_rpa"', 1)
    (found,) = read(renamed)["structures"]
    assert np.array(found["tensors"]["electronic"]) == pytest.approx(EPSILON * np.eye(3))
    assert "random-phase" in found["notes"][0]


def test_both_tensors_give_the_one_with_local_fields():
    both = RUN[:BEFORE_TENSOR] + varray("epsilon_rpa", 2 * np.eye(3)) + RUN[BEFORE_TENSOR:]
    (found,) = read(both)["structures"]
    assert np.array(found["tensors"]["electronic"]) == pytest.approx(EPSILON * np.eye(3))
    assert found["notes"] == []


def test_zirconium_whose_symbol_is_cut_short_is_no_error():
    (found,) = read(RUN.replace("<c>Na</c><c>   1", "<c>r </c><c>   1"))["structures"]
    assert found["atomic_numbers"] == [40, 17]


BOMB = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;">]><modeling>&b;</modeling>'
REFUSED = {
    "cut off": (RUN[: len(RUN) // 2], r"breaks off or is damaged at line \d+: did the run end"),
    "entities": (BOMB, "declares a document type"),
    "an entity that is not declared": ("<modeling>&b;</modeling>", "breaks off or is damaged"),
    "no structure": ('<?xml version="1.0"?>\n<modeling>\n</modeling>', "holds no structure"),
    "stars": (
        RUN[:LAST] + RUN[LAST:].replace("0.50000000", "**********", 1),
        "positions is not numbers, 3 a line",
    ),
    "no such element": (RUN.replace("<c>Na</c><c>   1", "<c>Qq</c><c>   1"), "no element"),
    "an atom too few": (RUN.replace("<rc><c>Na</c><c>   1</c></rc>", ""), "not equally many"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_damaged_or_hostile_run_is_refused_with_the_reason(name):
    text, reason = REFUSED[name]
    with pytest.raises(EngineError, match=reason):
        read_structures("vasprun.xml", text.encode())


def test_a_long_run_is_read_and_one_beyond_the_limit_is_not():
    filler = "<r>   -5.1234  1.0000 </r>\n"
    room = 8 * 1024**2 // len(filler)
    (found,) = read_structures("", (RUN[:AFTER_TENSOR] + room * filler + RUN[AFTER_TENSOR:]).encode())
    assert set(found.properties["tensors"]) == {"electronic"}
    with pytest.raises(EngineError, match="larger than 32 MiB"):
        read_structures("", (RUN + " " * MAX_RUN).encode())


def test_the_name_of_a_run_gives_no_other_file_its_room():
    reflections = b"_shelx_hkl_file\n;\n<modeling>\n;\n"
    with pytest.raises(EngineError, match="cif: its XML"):
        read_structures("a.cif", reflections + b"data_x\n" * 300_000)
