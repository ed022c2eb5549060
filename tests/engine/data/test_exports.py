"""What leaves the dashboard as a file is what went in, in axes that fit."""

import io

import ase.io
import numpy as np
import pandas as pd
import pytest
from pymatgen.core import Lattice, Structure

from engine.cli import main
from engine.crystals.reader import read_structures
from engine.data.datasets import load_dataset
from engine.data.exports import to_csv, to_extxyz, to_parquet
from engine.data.parquet import read_about
from engine.tensors.axes import neumann_residual
from tests.engine.small import materials
from tests.engine.test_cli import SMALL


@pytest.fixture(scope="module")
def some():
    """Crystals with tensors, and one with an index alone."""
    return [*load_dataset("petousis-2017")[:40], load_dataset("matbench-dielectric")[0]]


def test_parquet_is_read_as_a_data_set_that_holds_the_same_crystals(some, tmp_path):
    path = tmp_path / "materials.parquet"
    path.write_bytes(to_parquet(some))
    for before, after in zip(some, load_dataset(str(path)), strict=True):
        for name in ("material_id", "formula", "n", "source"):
            assert getattr(before, name) == getattr(after, name)
        np.testing.assert_array_equal(before.cell, after.cell)
        np.testing.assert_array_equal(before.electronic, after.electronic)


def test_a_network_can_be_trained_on_the_parquet_file(tmp_path):
    path = tmp_path / "materials.parquet"
    path.write_bytes(to_parquet(materials()))
    assert main(["train", "--data", str(path), "--run", str(tmp_path / "run"), *SMALL]) == 0


def test_extxyz_keeps_each_crystal_and_its_tensors_in_the_axes_of_its_frame(some):
    frames = ase.io.read(io.StringIO(to_extxyz(some)), index=":", format="extxyz")
    for material, frame in zip(some[:-1], frames[:-1], strict=True):
        assert frame.info["material_id"] == material.material_id
        np.testing.assert_allclose(frame.cell.array, material.cell, atol=1e-8)
        for name in ("electronic", "ionic", "total"):
            np.testing.assert_allclose(frame.info[name].reshape(3, 3), getattr(material, name), rtol=1e-6)
    assert frames[-1].info["n"] == pytest.approx(some[-1].n)
    assert "electronic" not in frames[-1].info


def test_a_tensor_in_extxyz_obeys_the_symmetry_of_the_crystal_beside_it(some):
    frames = ase.io.read(io.StringIO(to_extxyz(some[:20])), index=":", format="extxyz")
    for frame in frames:
        structure = Structure(Lattice(frame.cell.array), frame.numbers, frame.get_scaled_positions())
        assert neumann_residual(frame.info["electronic"].reshape(3, 3), structure) < 0.02


def test_extxyz_can_be_uploaded_again(some):
    structures = read_structures("materials.extxyz", to_extxyz(some[:3]).encode())
    assert [s.composition.reduced_formula for s in structures] == [m.formula for m in some[:3]]


def test_csv_holds_the_facts_and_every_component_of_the_tensors(some):
    facts = pd.DataFrame({"formula": [m.formula for m in some]}, index=range(7, 7 + len(some)))
    table = pd.read_csv(io.StringIO(to_csv(facts, some)))
    assert list(table["formula"]) == [m.formula for m in some]
    np.testing.assert_allclose(table["ionic_yz"][:-1], [m.ionic[1, 2] for m in some[:-1]])
    assert np.isnan(table["total_zz"].iloc[-1])


def test_csv_fixes_the_axes_of_its_tensors_and_says_what_to_cite(some):
    facts = pd.DataFrame({"source": [material.source for material in some]})
    rows = pd.read_csv(io.StringIO(to_csv(facts, some)))
    names = [f"lattice_{v}{a}" for v in "abc" for a in "xyz"]
    for material, (_, row) in zip(some, rows.iterrows(), strict=True):
        np.testing.assert_allclose(row[names].to_numpy(float).reshape(3, 3), material.cell)
    assert set(rows["frame"]) == {"structure"}
    assert "10.1038/sdata.2016.134" in rows["citation"].iloc[0]
    assert "10.1038/s41524-020-00406-3" in rows["citation"].iloc[-1]


def test_parquet_and_extxyz_say_what_to_cite(some, tmp_path):
    path = tmp_path / "materials.parquet"
    path.write_bytes(to_parquet(some))
    assert "10.1038/sdata.2016.134" in read_about(path)["citation of petousis-2017"]
    assert "10.1038/sdata.2016.134" in to_extxyz(some[:1])
