"""What the report on a model says, on crystals made by hand and on the shipped models."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from engine import EngineError, Material, load_dataset
from engine.evaluation.report import (
    ALL,
    calibration_curve,
    coverage,
    error_by_element,
    judge,
    model_card,
    read_learning_curve,
    spread,
)
from engine.files import MODELS_FOLDER
from engine.model.out_of_fold import OutOfFold, read_out_of_fold
from engine.model.shipped_models import available_models

ELECTRONIC = np.array([[4.0, 0.1, 0.2], [0.1, 5.0, 0.3], [0.2, 0.3, 6.0]])
IONIC = np.diag([1.0, 2.0, 3.0])


def material(number: int, atoms: list[int], space_group: int = 225, **changes: object) -> Material:
    return Material(
        **{
            "material_id": f"mp-{number}",
            "cell": 4.0 * np.eye(3),
            "atomic_numbers": np.array(atoms),
            "frac_coords": np.zeros((len(atoms), 3)),
            "electronic": ELECTRONIC,
            "ionic": IONIC,
            "n": 5**0.5,
            "space_group_number": space_group,
            "space_group_symbol": "",
            "source": "test",
        }
        | changes
    )


def predictions(materials: list[Material], factor: float = 1.0) -> OutOfFold:
    """Every tensor `factor` times the one of DFT, with intervals of 10 % around its mean."""
    tensors = {
        target: factor * np.array([getattr(m, target) for m in materials])
        for target in ("electronic", "ionic", "total")
    }
    means = {target: np.trace(t, axis1=1, axis2=2) / 3 for target, t in tensors.items()}
    return OutOfFold(
        material_id=tuple(m.material_id for m in materials),
        fold=np.zeros(len(materials), dtype=int),
        tensors=tensors,
        interval={target: np.stack([0.9 * mean, 1.1 * mean], axis=1) for target, mean in means.items()},
        level={target: np.linspace(0, 1, len(materials)) for target in tensors},
    )


ROCK_SALT, RUTILE, ANATASE = material(1, [12, 8]), material(2, [22, 8, 8], 136), material(3, [22, 8, 8], 141)
CRYSTALS = [ROCK_SALT, RUTILE, ANATASE]


def test_a_perfect_prediction_has_no_error_anywhere():
    for judged in judge(predictions(CRYSTALS), CRYSTALS).values():
        assert (judged.metrics.fnorm, judged.metrics.mae, judged.metrics.mard) == (0, 0, 0)
        assert judged.metrics.ewt5 == 100
        assert (judged.by_element["error"] == 0).all()
        for table in (judged.by_crystal_system, judged.by_index):
            assert (table.drop(columns="crystals") == 0).all(axis=None)
        assert (judged.coverage["inside"] == 100).all()
        for parity in judged.parity.values():
            assert (parity.points["dft"] == parity.points["predicted"]).all()
            assert parity.furthest["error"].isin([0, 1]).all()


def test_ten_percent_too_much_is_an_error_of_ten_percent_everywhere():
    for judged in judge(predictions(CRYSTALS, 1.1), CRYSTALS).values():
        assert judged.metrics.mard == pytest.approx(10)
        np.testing.assert_allclose(judged.by_element["error"], 10)
        np.testing.assert_allclose(judged.by_crystal_system.drop(columns="crystals"), 10)


def test_only_sound_tensors_count_and_the_total_needs_both_parts():
    flagged = replace(ROCK_SALT, flags=("total breaks the point group",))
    unknown = replace(RUTILE, ionic=None)
    judged = judge(predictions(CRYSTALS), [flagged, unknown, ANATASE])
    assert {target: len(j.crystals) for target, j in judged.items()} == {"electronic": 3, "ionic": 1, "total": 1}


def test_crystals_that_the_data_do_not_hold_are_left_out():
    judged = judge(predictions(CRYSTALS), [ANATASE, replace(ROCK_SALT, material_id=None)])
    assert judged["total"].crystals["material_id"].tolist() == ["mp-3"]


def test_a_model_of_one_target_is_judged_on_that_target():
    both = predictions(CRYSTALS)
    one = replace(both, tensors={"ionic": both.tensors["ionic"]})
    assert list(judge(one, CRYSTALS)) == ["ionic"]


def test_an_element_counts_each_crystal_that_holds_it_once_and_polymorphs_apart():
    judged = judge(predictions(CRYSTALS), CRYSTALS)["electronic"]
    assert judged.by_element["crystals"].to_dict() == {"Mg": 1, "O": 3, "Ti": 2}


def test_the_error_of_an_element_is_the_median_over_its_crystals():
    crystals = pd.DataFrame({"elements": [("O",), ("O", "Ti"), ("O", "Ti")], "error": [1.0, 2.0, 30.0]})
    assert error_by_element(crystals)["error"].to_dict() == {"O": 2, "Ti": 16}


def test_groups_come_in_order_with_their_count_and_empty_ones_are_left_out():
    crystals = pd.DataFrame({"error": [1.0, 2.0, 3.0, 10.0]})
    table = spread(crystals, pd.Series(["b", "b", "b", "a"]), ("c", "b", "a"))
    assert table["crystals"].to_dict() == {"b": 3, "a": 1}
    assert list(table.index) == ["b", "a"]
    assert table[0.5].to_dict() == {"b": 2, "a": 10}


def test_a_mean_near_zero_has_no_relative_error_but_is_counted():
    soft = replace(ROCK_SALT, ionic=np.zeros((3, 3)))
    judged = judge(predictions([soft, RUTILE], 2.0), [soft, RUTILE])["ionic"]
    assert judged.by_element.loc["O", "crystals"] == 2
    assert judged.by_element.loc["O", "error"] == pytest.approx(100)
    assert np.isnan(judged.by_element.loc["Mg", "error"])


def test_levels_as_ranks_among_999_scores_have_them_are_perfectly_calibrated():
    curve = calibration_curve(pd.Series(np.arange(1000) / 1000).astype(np.float32))
    np.testing.assert_allclose(curve["observed"], curve["nominal"], atol=1e-9)
    assert curve["nominal"].iloc[[0, -1]].tolist() == [0, 100]


def test_intervals_that_are_too_wide_lie_above_the_diagonal():
    curve = calibration_curve(pd.Series([0.1, 0.2, 0.3, np.nan]))
    assert curve.set_index("nominal")["observed"][[25.0, 35.0]].tolist() == pytest.approx([200 / 3, 100])


def test_coverage_is_the_share_inside_over_all_in_each_crystal_system_and_in_each_hard_group():
    crystals = pd.DataFrame(
        {
            "crystal_system": ["cubic", "cubic", "triclinic", "cubic"],
            "inside": [True, False, True, True],
            "band_gap": [0.3, 0.2, 3.0, np.nan],
            "electronic": [25.0, 5.0, 5.0, 5.0],
            "ionic": [1.0, 1.0, 1.0, 1.0],
        }
    )
    table = coverage(crystals)
    sizes = {ALL: 4, "cubic": 3, "triclinic": 1, "DFT gap under 0.5 eV": 2, "predicted electronic over 20": 1}
    assert table["crystals"].to_dict() == sizes
    assert table["inside"].to_list() == pytest.approx([75, 200 / 3, 100, 50, 100])


@pytest.mark.parametrize("name", available_models())
def test_the_report_on_a_shipped_model_agrees_with_its_published_figures(name):
    published = MODELS_FOLDER.parent / "benchmarks" / "results" / f"{name}.json"
    judged = judge(read_out_of_fold(MODELS_FOLDER / name), load_dataset("petousis-2017"))
    for metrics in json.loads(published.read_text())["metrics_in_range"]:
        found = judged[metrics["target"]].metrics
        assert found.count == metrics["count"]
        assert (found.fnorm, found.mard) == pytest.approx((metrics["fnorm"], metrics["mard"]), rel=1e-3)


def test_a_learning_curve_is_read_in_order_of_the_crystals(tmp_path):
    path = tmp_path / "curve.json"
    assert read_learning_curve(path) is None
    curves = [
        {"backbone": "scratch", "share": s, "crystals": n, "metrics_in_range": [{"target": "ionic", "mard": 1.0}]}
        for s, n in ((1.0, 844), (0.1, 84))
    ]
    path.write_text(json.dumps({"about": {}, "curves": curves}))
    assert read_learning_curve(path)["crystals"].tolist() == [84, 844]


@pytest.mark.parametrize("content", ["{}", '{"curves": [1]}', '{"curves": []}', "no JSON"])
def test_a_damaged_learning_curve_is_named(tmp_path, content):
    path = tmp_path / "curve.json"
    path.write_text(content)
    with pytest.raises(EngineError, match=r"curve\.json: is damaged"):
        read_learning_curve(path)


def test_the_card_comes_without_its_title(tmp_path):
    assert model_card(tmp_path) == ""
    (tmp_path / "card.md").write_text("# name\n\nFive readouts.\n")
    assert model_card(tmp_path) == "Five readouts."
