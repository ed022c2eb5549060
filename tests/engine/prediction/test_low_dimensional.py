"""What is predicted of a sheet, a chain or a molecule is its own, whatever the vacuum around it."""

import io

import numpy as np
import pandas as pd
import pytest
from pymatgen.core.operations import SymmOp

from engine.crystals.vacuum import in_vacuum
from engine.data.datasets import load_dataset
from engine.prediction.low_dimensional import low_dimensional
from engine.prediction.records import material_record, records_to_csv, to_records
from engine.teaching.equivariance import rotation_about
from engine.tensors.polarisability import polarisability
from tests.engine import shipped
from tests.low_dimensional import disulfide, molecule_in_box, nitride, selenium

VACUUM = (12, 16, 24, 40)  # Å, length of the cell


def predict(structure, **options):
    return shipped.predictor().predict(structure, **options)


def test_a_sheet_has_the_same_polarisability_however_much_vacuum_there_is():
    for sheet in (disulfide, nitride):
        found = [predict(sheet(length)).low_dimensional for length in VACUUM]
        for one in found[1:]:
            np.testing.assert_allclose(one.electronic, found[0].electronic, rtol=1e-3, atol=1e-4)
            np.testing.assert_allclose(one.static, found[0].static, rtol=1e-3, atol=1e-4)


def test_the_electronic_tensor_of_the_box_itself_obeys_the_laws_of_parallel_and_series():
    tensors = [predict(disulfide(length), targets=["electronic"]).electronic for length in VACUUM]
    assert tensors[0][0, 0] > 2 * tensors[-1][0, 0]  # the box's own changes
    found = [polarisability(one, np.array([[0, 0, c]])) for one, c in zip(tensors, VACUUM, strict=True)]
    for one in found[1:]:
        np.testing.assert_allclose(one, found[0], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", ["CO2", "C6H6"])
def test_a_molecule_has_the_same_polarisability_in_a_box_of_any_size_and_shape(name):
    boxes = [(12,), (16,), (20,), (12, 16, 22)]
    found = [predict(molecule_in_box(name, *box), targets=["electronic"]).low_dimensional for box in boxes]
    assert {(one.kind, one.unit) for one in found} == {("molecule", "Å^3")}
    for one in found:
        np.testing.assert_allclose(one.electronic, found[2].electronic, rtol=0.02, atol=0.02)


def test_a_molecule_that_may_turn_in_a_slow_field_has_no_static_polarisability():
    found = predict(molecule_in_box("H2O", 10))
    assert found.total is not None
    assert found.low_dimensional.static is None


def test_a_chain_has_the_same_polarisability_per_length_in_a_wider_box():
    found = [predict(selenium(width), targets=["electronic"]).low_dimensional for width in (10, 14, 20)]
    assert {(one.kind, one.unit) for one in found} == {("chain", "Å^2")}
    for one in found:
        np.testing.assert_allclose(one.along(one.electronic), found[2].along(found[2].electronic), rtol=0.02)
        np.testing.assert_allclose(one.across(one.electronic), found[2].across(found[2].electronic), rtol=0.02)


def test_a_layer_of_bulk_mos2_by_both_laws_answers_as_the_monolayer_does():
    bulk = next(m for m in load_dataset("petousis-2017") if m.material_id == "mp-2815")  # two layers along c
    half = np.array([[0, 0, bulk.cell[2, 2] / 2]])
    layer = polarisability(bulk.electronic, half)
    sheet = predict(disulfide(20), out_of_fold=True, targets=["electronic"]).low_dimensional.electronic
    np.testing.assert_allclose(np.diag(sheet), np.diag(layer), rtol=0.1)


def test_the_polarisability_turns_with_the_sheet_and_knows_no_supercell():
    sheet, rotation = nitride(14), rotation_about("x", 40) @ rotation_about("z", 70)
    turned = sheet.copy()
    turned.apply_operation(SymmOp.from_rotation_and_translation(rotation, [0, 0, 0]))
    own = predict(sheet).low_dimensional.static
    np.testing.assert_allclose(predict(turned).low_dimensional.static, rotation @ own @ rotation.T, atol=2e-3)
    larger = sheet.make_supercell([2, 1, 2], in_place=False)
    np.testing.assert_allclose(predict(larger).low_dimensional.static, own, atol=1e-3)


def test_an_anisotropic_sheet_has_two_values_in_its_plane():
    phosphorene = next(m for m in load_dataset("matbench-dielectric") if m.formula == "P" and in_vacuum(m))
    found = predict(phosphorene, targets=["electronic"]).low_dimensional
    low, high = found.along(found.electronic)
    assert high > 1.1 * low > 1.1 * found.across(found.electronic)[0]


def test_a_crystal_has_no_such_thing(prediction):
    assert prediction.low_dimensional is None
    assert to_records([("", prediction)])[0]["low_dimensional"] is None


def test_the_warning_says_whose_the_tensor_is():
    first = predict(nitride(10), targets=["electronic"]).warnings[0]
    assert first.startswith("This is a sheet in a box with 10.0 Å of vacuum: the tensor is that of the box")


def test_records_hold_the_polarisability_with_its_unit():
    found = predict(disulfide(20))
    records = to_records([("a sheet", found)])
    own = records[0]["low_dimensional"]
    assert (own["kind"], own["unit"], own["dimensionality"]) == ("sheet", "Å", 2)
    assert own["static"] == found.low_dimensional.static.tolist()
    (row,) = pd.read_csv(io.StringIO(records_to_csv(records))).to_dict("records")
    assert row["low_dimensional"] == "sheet"
    assert row["polarisability_electronic_along"] == pytest.approx(np.mean(own["electronic_along"]))
    assert row["polarisability_static_across"] == pytest.approx(own["static_across"][0])


def test_the_dft_tensor_of_a_box_gives_the_polarisability_by_the_same_laws():
    box = in_vacuum(disulfide(20))
    own = low_dimensional(box, np.diag([5.45, 5.45, 1.36]), np.diag([5.6, 5.6, 1.37]))
    assert own.along(own.electronic) == pytest.approx([20 * 4.45 / (4 * np.pi)] * 2)
    assert own.across(own.static) == pytest.approx([20 * (1 - 1 / 1.37) / (4 * np.pi)])
    crystal = load_dataset("petousis-2017")[0]
    assert material_record(crystal)["low_dimensional"] is None
