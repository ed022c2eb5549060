"""Modes by DFT that ship with the embedded crystals are whole, and their builder takes like crystals alone."""

import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from engine.crystals.material import structure_of
from engine.crystals.primitive import primitive
from engine.data.datasets import load_dataset
from engine.data.dft_modes import SHIPPED, dft_modes_of
from engine.data.phonons import read_phonons
from tests.engine.small import write_phonons

ROOT = Path(__file__).parents[3]
TIMES = {"E": 2, "T": 3}


def test_each_crystal_is_an_embedded_one_and_has_all_its_optical_modes_in_order():
    materials = {one.material_id: one for one in load_dataset("petousis-2017")}
    rows = pq.read_table(SHIPPED).to_pylist()
    assert len(rows) > 600
    for row in rows:
        size = len(structure_of(primitive(materials[row["material_id"]])))
        assert sum(TIMES.get(label[0], 1) for label in row["labels"]) == 3 * size - 3, row["material_id"]
        assert (np.diff(row["wavenumbers"]) >= 0).all()
        assert len(row["labels"]) == len(row["wavenumbers"]) == len(row["strengths"])


def test_an_unstable_crystal_says_so_and_has_no_strengths():
    cubic = dft_modes_of("mp-2998")  # BaTiO3
    assert cubic.unstable
    assert np.isnan(cubic.strengths).all()
    assert not dft_modes_of("mp-830").unstable  # GaN
    assert dft_modes_of("mp-830").strengths.min() > 0


def test_a_crystal_that_the_database_lacks_has_none():
    assert dft_modes_of("mp-0") is None
    assert dft_modes_of(None) is None


@pytest.fixture(scope="module")
def builder():
    return runpy.run_path(str(ROOT / "data" / "dft_modes.py"))


def test_the_builder_leaves_out_another_phase(builder, tmp_path):
    (known,) = read_phonons(write_phonons(tmp_path, {("Na", "Cl"): 1.1}))
    found = builder["row"](known.material, known)
    assert found["labels"] == ["T1u"]
    assert found["wavenumbers"][0] > 0
    strained = replace(known.material, cell=known.material.cell * [1, 1, 1.03])
    assert builder["row"](strained, known) is None
