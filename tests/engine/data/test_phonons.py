"""Phonon files: what is read, what is left out, and what is refused."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.data.phonons import LARGEST_CHARGE, read_phonons
from engine.errors import EngineError
from tests.engine.small import write_phonons


def test_charges_are_read_in_the_order_of_the_atoms_and_add_up_to_zero(tmp_path):
    path = write_phonons(tmp_path, {("Na", "Cl"): 1.1, ("Mg", "O"): 1.9}, drift=0.1)
    salt, magnesia = read_phonons(path)
    assert (salt.material.formula, magnesia.material.formula) == ("NaCl", "MgO")
    assert np.allclose(magnesia.born, 1.9 * np.stack([np.eye(3), -np.eye(3)]))
    assert magnesia.material.electronic.shape == (3, 3)


def test_crystals_with_charges_of_a_metal_are_left_out(tmp_path):
    path = write_phonons(tmp_path, {("Na", "Cl"): 1.1, ("Pb", "Te"): LARGEST_CHARGE + 1})
    assert [one.material.formula for one in read_phonons(path)] == ["NaCl"]


def test_charges_that_do_not_add_up_are_left_out(tmp_path):
    assert read_phonons(write_phonons(tmp_path, {("Na", "Cl"): 1.1}, drift=0.6)) == []


def test_a_missing_file_says_where_the_data_come_from(tmp_path):
    with pytest.raises(EngineError, match=r"data/README\.md"):
        read_phonons(tmp_path / "phonondb.parquet")


@pytest.mark.parametrize("kind", ["text", "another table"])
def test_a_file_of_another_kind_is_refused(tmp_path, kind):
    path = tmp_path / "other.parquet"
    if kind == "text":
        path.write_text("no table")
    else:
        pq.write_table(pa.table({"n": [1.0]}), path)
    with pytest.raises(EngineError, match=r"data/phonons\.py"):
        read_phonons(path)
