"""Predictions that ship are those that the model makes."""

import json
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from pymatgen.core import Structure

from data.predictions import kept, source_hash, with_ids
from engine.crystals.material import Material
from engine.errors import EngineError
from engine.files import MODELS_FOLDER
from engine.model.shipped_models import DEFAULT_MODEL
from engine.prediction.prediction import Prediction
from engine.prediction.shipped import FILE, STEP, made_of, read_predictions, row_of, write_predictions
from tests.engine.shipped import predictor

FOLDER = MODELS_FOLDER / DEFAULT_MODEL
COMPARED = (
    "mp-149",
    "mp-22862",
    "mp-2133",
    "mp-8062",
    "mp-2998",
    "mp-3614",
    "mp-549490",
)  # all three sets, with and without shipped springs; KTaO3 is soft, KNb4O5F not quite P4/mmm
SAME = 1e-5  # of a tensor's largest entry, or of 1: in float32 machines round differently
BY_ROUNDING = {"rtol": 1e-3, "atol": 0.05}  # cm^-1 of frequencies, from STEP in the force constants


@pytest.fixture(scope="module")
def crystals() -> dict[str, Material]:
    return {str(material.material_id): material for material in with_ids()}


def same(one: Prediction, other: Prediction) -> None:
    """Both say the same."""
    for name in ("electronic", "ionic"):
        wanted = getattr(other, name)
        np.testing.assert_allclose(getattr(one, name), wanted, rtol=0, atol=SAME * max(1, np.abs(wanted).max()))
    assert one.spread.keys() == other.spread.keys()
    for target, values in one.spread.items():
        np.testing.assert_allclose(values, other.spread[target], rtol=1e-3, atol=1e-5)
        np.testing.assert_allclose(one.interval(target), other.interval(target), rtol=1e-3)
    for name in ("distance", "gap_nearby", "metallic"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-3, atol=1e-6)
    for name in ("ionic_method", "functional", "held_out", "warnings"):
        assert getattr(one, name) == getattr(other, name)
    assert [near.formula for near in one.neighbours] == [near.formula for near in other.neighbours]
    np.testing.assert_allclose(one.born_charges, other.born_charges, atol=2 * STEP)
    np.testing.assert_allclose(one.modes.wavenumbers, other.modes.wavenumbers, **BY_ROUNDING)


@pytest.mark.parametrize("material_id", COMPARED)
def test_what_ships_is_what_the_model_says(crystals: dict[str, Material], material_id: str) -> None:
    material = crystals[material_id]
    shipped = predictor().shipped(material)
    made = predictor().predict(material, out_of_fold=True, also_by_pbesol=True)
    same(shipped, made)
    same(shipped.by_pbesol, made.by_pbesol)
    assert shipped.vibrating is shipped.by_pbesol


def test_what_ships_is_of_the_shipped_weights_and_force_constants() -> None:
    assert made_of(FOLDER / FILE) == source_hash()


def test_no_crystal_is_there_twice() -> None:
    rows = pq.read_table(FOLDER / FILE, columns=["key", "functional"]).to_pylist()
    assert len({(row["key"], row["functional"]) for row in rows}) == len(rows)


def test_every_crystal_that_has_an_id_has_one(crystals: dict[str, Material]) -> None:
    shipped = predictor().shipped
    assert [i for i, material in crystals.items() if shipped(material) is None] == []


def test_a_metal_has_no_ionic_part(crystals: dict[str, Material]) -> None:
    copper = predictor().shipped(crystals["mp-30"])
    assert copper.likely_metal
    assert copper.ionic is None
    assert copper.modes is copper.by_pbesol is None


def test_a_crystal_that_lies_otherwise_has_none(crystals: dict[str, Material]) -> None:
    material = crystals["mp-149"]
    assert predictor().shipped(replace(material, cell=material.cell * 1.01)) is None


def test_a_prediction_survives_its_file(tmp_path, crystals: dict[str, Material]) -> None:
    material = crystals["mp-2998"]
    made = predictor().predict(material, out_of_fold=True)
    write_predictions(tmp_path / FILE, [row_of(material, made)], "source")
    of_modes = {"PBE": made.mode_calibrations}
    found = read_predictions(tmp_path / FILE).prediction(material, made.calibration, of_modes)
    same(found, made)
    np.testing.assert_allclose(found.ions.force_constants, made.ions.force_constants, atol=STEP)


def test_a_run_goes_on_from_what_ships_and_makes_direct_rows_anew(tmp_path, crystals: dict[str, Material]) -> None:
    source = made_of(FOLDER / FILE)
    row = row_of(crystals["mp-149"], predictor().shipped(crystals["mp-149"])) | {"key": "new"}
    (tmp_path / "new.json").write_text(json.dumps([row]))
    every, full = (kept(tmp_path, source, method) for method in ("direct", "full"))
    assert every["new"] == full["new"] == [row]
    assert {one["ionic_method"] for rows in full.values() for one in rows} <= {"full", None}
    direct = {key for key, rows in every.items() if rows[0]["ionic_method"] == "direct"}
    assert set(every) - set(full) == direct
    assert kept(tmp_path, "another source", "direct") == {"new": [row]}


def test_a_damaged_file_is_named(tmp_path) -> None:
    (tmp_path / FILE).write_bytes(b"no Parquet")
    with pytest.raises(EngineError, match=FILE):
        read_predictions(tmp_path / FILE)
    assert read_predictions(tmp_path / "none.parquet") is None


def test_a_structure_of_the_same_numbers_is_the_same_crystal(crystals: dict[str, Material]) -> None:
    structure: Structure = crystals["mp-149"].structure
    assert predictor().shipped(structure) is not None
