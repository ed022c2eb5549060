"""What is drawn of predictions against DFT: places, crowding, and the crystals that are furthest off."""

import numpy as np
import pandas as pd
import pytest

from engine import load_dataset
from engine.evaluation.parity import ANISOTROPY, COMPONENTS, MEAN, RADIUS, Parity, compare, crowding
from engine.evaluation.report import judge
from engine.files import MODELS_FOLDER
from engine.model.out_of_fold import read_out_of_fold
from engine.model.shipped_models import available_models
from engine.tensors.metrics import SMALLEST_MEAN

LISTED = 10


def facts(count: int) -> pd.DataFrame:
    names = [f"mp-{number}" for number in range(count)]
    return pd.DataFrame({"material_id": names, "formula": "MgO", "crystal_system": "cubic"})


def compared(target: str, dft: list, predicted: list) -> dict[str, Parity]:
    return compare(target, facts(len(dft)), np.array(dft, dtype=float), np.array(predicted, dtype=float))


@pytest.fixture(scope="module")
def shipped():
    """DFT and predicted tensors by material and target, and the report, of the default model."""
    predictions = read_out_of_fold(MODELS_FOLDER / available_models()[0])
    materials = load_dataset("petousis-2017")
    dft = {m.material_id: {"electronic": m.electronic, "ionic": m.ionic, "total": m.total} for m in materials}
    predicted = {
        name: {target: tensors[row] for target, tensors in predictions.tensors.items()}
        for row, name in enumerate(predictions.material_id)
    }
    return dft, predicted, judge(predictions, materials)


def test_a_component_keeps_its_place_in_the_tensor():
    tensor = [[4.0, 0.1, 0.2], [0.1, 5.0, 0.3], [0.2, 0.3, 6.0]]
    points = compared("electronic", [tensor], [np.eye(3)])[COMPONENTS].points
    assert dict(zip(points["component"], points["dft"], strict=True)) == {
        "xx": 4.0, "yy": 5.0, "zz": 6.0, "yz": 0.3, "xz": 0.2, "xy": 0.1,
    }  # fmt: skip


@pytest.mark.parametrize("target", ["electronic", "total"])
def test_anisotropy_is_the_ratio_of_the_outer_principal_values(shipped, target):
    dft, predicted, judged = shipped
    points = judged[target].parity[ANISOTROPY].points
    assert len(points) == len(judged[target].crystals)
    for column, tensors in (("dft", dft), ("predicted", predicted)):
        values = np.linalg.eigvalsh([tensors[name][target] for name in points["material_id"]])
        np.testing.assert_allclose(points[column], values.max(axis=1) / values.min(axis=1), rtol=1e-6)
    assert (points["dft"] >= 1).all()


def test_the_ratio_does_not_depend_on_the_axes():
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    tensor = np.diag([2.0, 3.0, 8.0])
    points = compared("total", [tensor], [turn @ tensor @ turn.T])[ANISOTROPY].points
    assert points[["dft", "predicted"]].iloc[0].tolist() == pytest.approx([4, 4])


def test_the_ionic_part_has_no_ratio():
    assert list(compared("ionic", [np.eye(3)], [np.eye(3)])) == [MEAN, COMPONENTS]


def test_a_mean_of_zero_has_no_place_on_logarithmic_axes_and_is_counted():
    means = compared("ionic", [np.zeros((3, 3)), np.eye(3)], [np.eye(3), np.eye(3)])[MEAN]
    assert means.points["material_id"].tolist() == ["mp-1"]
    assert means.undrawn == 1


def test_twice_and_half_are_equally_far_off():
    means = compared("electronic", [2 * np.eye(3)] * 3, [4 * np.eye(3), np.eye(3), 2.2 * np.eye(3)])[MEAN]
    assert means.furthest["error"].tolist() == pytest.approx([2, 2, 1.1])
    assert means.furthest["material_id"].iloc[2] == "mp-2"


def test_a_tensor_near_zero_is_drawn_but_not_among_the_furthest():
    soft = 0.5 * SMALLEST_MEAN * np.eye(3)
    for parity in compared("ionic", [soft, np.eye(3)], [np.eye(3), 1.1 * np.eye(3)]).values():
        assert set(parity.points["material_id"]) == {"mp-0", "mp-1"}
        assert parity.furthest["material_id"].tolist() == ["mp-1"]


@pytest.mark.parametrize("target", ["electronic", "ionic", "total"])
def test_the_listed_crystals_have_the_largest_errors(shipped, target):
    dft, predicted, judged = shipped
    for quantity, parity in judged[target].parity.items():
        listed = parity.furthest.head(LISTED)
        assert listed["material_id"].is_unique
        errors = {}
        for name in judged[target].crystals["material_id"]:
            true, found = dft[name][target], predicted[name][target]
            if np.trace(true) / 3 > SMALLEST_MEAN:
                errors[name] = error(quantity, true, found)
        largest = sorted(errors.values(), reverse=True)[:LISTED]
        np.testing.assert_allclose(listed["error"], largest, rtol=1e-6)
        np.testing.assert_allclose([errors[name] for name in listed["material_id"]], largest, rtol=1e-6)


def error(quantity: str, dft: np.ndarray, predicted: np.ndarray) -> float:
    if quantity == COMPONENTS:
        return 100 * np.sqrt(((predicted - dft) ** 2).sum() / (dft**2).sum())
    measure = np.trace if quantity == MEAN else np.linalg.cond
    factor = measure(predicted) / measure(dft)
    return max(factor, 1 / factor)


def test_the_marked_component_is_the_one_that_is_furthest_off():
    found = np.diag([2.0, 9.0, 4.0])
    row = compared("total", [np.diag([2.0, 3.0, 4.0])], [found])[COMPONENTS].furthest.iloc[0]
    assert (row["component"], row["dft"], row["predicted"]) == ("yy", 3.0, 9.0)


def test_crowding_counts_every_point_within_the_radius_and_each_pair_both_ways():
    points = np.random.default_rng(1).normal(size=(300, 2))
    radius = RADIUS * (points.max() - points.min())
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)
    counts = crowding(points)
    np.testing.assert_array_equal(counts, (apart <= radius).sum(axis=1))
    assert (counts.sum() - len(points)) % 2 == 0


def test_points_on_one_place_all_count_and_a_lone_one_counts_itself():
    assert crowding(np.array([[1.0, 1.0]] * 4 + [[3.0, 2.0]])).tolist() == [4, 4, 4, 4, 1]
    assert crowding(np.ones((2, 2))).tolist() == [2, 2]
    assert crowding(np.zeros((0, 2))).tolist() == []
