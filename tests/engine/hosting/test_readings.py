"""Files of visitors, read in processes of their own."""

import io
import pickle
import time

import pytest
from ase.build import bulk
from ase.io import write
from pymatgen.core import Lattice, Structure

from engine.crystals.reader import Disordered, SettingNeeded
from engine.hosting import readings
from engine.hosting.pool import STOPPED, is_final
from engine.hosting.readings import ask_to_read, what_was_read
from tests.engine.runs.test_run import wait_until

SHARED = """data_shared
_cell_length_a 4.2
_cell_length_b 4.2
_cell_length_c 4.2
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P 1'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Mg1 Mg 0 0 0 0.5
Ca1 Ca 0 0 0 0.5
O1 O 0.5 0.5 0.5 1
"""


@pytest.fixture(scope="module", autouse=True)
def _end():
    yield
    readings.POOL.end()


def test_a_file_is_read_as_the_library_reads_it():
    structures, reason = what_was_read(ask_to_read("POSCAR", _poscar(1)))
    assert reason is None
    assert [one.composition.reduced_formula for one in structures] == ["MgO"]


def test_what_a_file_leaves_open_is_told_whole():
    _, reason = what_was_read(ask_to_read("shared.cif", SHARED.encode()))
    assert isinstance(reason, Disordered)
    assert reason.structure.composition["Mg"] == 0.5
    ordered, reason = what_was_read(ask_to_read("shared.cif", SHARED.encode(), orderings=True))
    assert reason is None
    assert all(one.is_ordered for one in ordered)
    assert ordered


def test_a_choice_of_settings_comes_with_its_crystals():
    open_one = SettingNeeded("x.cif: two settings", {"1": _structure(), "2": _structure()})
    again = pickle.loads(pickle.dumps(open_one))
    assert again.choices.keys() == {"1", "2"}
    assert str(again) == str(open_one)


def test_a_refusal_says_why_and_is_final():
    asked = ask_to_read("empty.cif", b"data_none")
    structures, reason = what_was_read(asked)
    assert not structures
    assert "it lists no atoms" in str(reason)
    assert is_final(asked)


def test_reading_can_be_stopped():
    content = _many()
    asked = [ask_to_read("many.xyz", content) for _ in range(4)]
    wait_until(asked[0].running)
    since = time.monotonic()
    for one in asked:
        one.cancel()
    assert str(what_was_read(asked[-1])[1]) == STOPPED
    assert not is_final(asked[-1])
    assert time.monotonic() - since < 5
    assert what_was_read(ask_to_read("POSCAR", _poscar(1)))[1] is None


def _structure(repeat=1):
    cell = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.2), ["Mg", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    return cell * (repeat, 1, 1)


def _many():
    """A file that takes seconds: a thousand crystals of 16 atoms."""
    text = io.StringIO()
    cell = bulk("MgO", "rocksalt", 4.2, cubic=True).repeat((2, 1, 1))
    for number in range(1000):
        cell.rattle(0.01, seed=number)
        write(text, cell, format="extxyz")
    return text.getvalue().encode()


def _poscar(repeat):
    return _structure(repeat).to(fmt="poscar").encode()
