"""The data that ships with the engine, and the files and folds made of data."""

import numpy as np
import pytest

from engine.crystals.material import CRYSTAL_SYSTEMS
from engine.data.datasets import (
    LARGEST_INDEX_CELL,
    dataset_hash,
    index_materials,
    label,
    labelled,
    load_dataset,
    reserved_formulas,
)
from engine.data.folds import formula_folds, formulas_of_folds, holdout_split
from engine.data.parquet import read_materials, write_materials
from engine.data.search import find_materials, suggestions
from engine.errors import EngineError
from engine.tensors.axes import neumann_residual


@pytest.fixture(scope="module")
def petousis():
    return load_dataset("petousis-2017")


@pytest.fixture(scope="module")
def matbench():
    return load_dataset("matbench-dielectric")


def test_embedded_sets_have_as_many_crystals_as_was_published(petousis, matbench):
    assert len(petousis) == 1056
    assert len(matbench) == 4764


def test_every_crystal_of_petousis_has_its_own_id_and_both_tensors(petousis):
    assert len({m.material_id for m in petousis}) == 1056
    assert all(m.material_id.startswith("mp-") for m in petousis)
    for m in petousis:
        assert m.electronic.shape == m.ionic.shape == (3, 3)
        np.testing.assert_array_equal(m.electronic, m.electronic.T)
        np.testing.assert_array_equal(m.total, m.electronic + m.ionic)


def test_every_crystal_of_matbench_has_an_index_and_no_tensor(matbench):
    assert all(m.n >= 1 and m.electronic is None and m.total is None for m in matbench)


def test_n_is_the_root_of_the_electronic_mean(petousis):
    by_tensor = np.array([np.sqrt(np.trace(m.electronic) / 3) for m in petousis])
    np.testing.assert_allclose([m.n for m in petousis], by_tensor, atol=0.011)  # published with two decimals


def test_tensors_are_in_the_axes_of_their_cells(petousis):
    sound = [m for m in petousis if not m.flags]
    assert len(sound) > 1000
    for m in sound[::5]:
        assert neumann_residual(m.electronic, m.structure) < 0.02, m.material_id


def test_sound_rows_are_physical(petousis):
    for m in petousis:
        if not m.flags:
            assert np.linalg.eigvalsh(m.electronic)[0] >= 1, m.material_id


def test_tensors_that_failed_the_data_check_are_kept_out_of_training(petousis):
    flagged = [m for m in petousis if m.flags]
    assert flagged
    for m in flagged:  # none of them in the electronic tensor
        assert label(m, "electronic") is m.electronic
        assert label(m, "ionic") is None
    assert len(labelled(petousis, ("ionic",))) == len(petousis) - len(flagged)
    assert len(labelled(petousis, ("electronic", "ionic"))) == len(petousis)


def test_space_group_names_the_crystal_system(petousis):
    (nitride,) = find_materials(petousis, "mp-830")
    assert (nitride.formula, nitride.space_group_number, nitride.crystal_system) == ("GaN", 216, "cubic")
    assert {m.crystal_system for m in petousis} == set(CRYSTAL_SYSTEMS)


@pytest.mark.parametrize("folds", [2, 5, 10])
def test_folds_share_no_formula_and_hold_every_crystal_once(petousis, folds):
    parts = formula_folds(petousis, folds, seed=3)
    assert sorted(np.concatenate(parts)) == list(range(len(petousis)))
    formulas = [{petousis[i].formula for i in part} for part in parts]
    assert sum(map(len, formulas)) == len(set.union(*formulas))
    sizes = [len(part) for part in parts]
    assert max(sizes) - min(sizes) <= 3


def test_folds_depend_on_nothing_but_the_seed(petousis):
    same = zip(formula_folds(petousis, 5, 1), formula_folds(petousis, 5, 1), strict=True)
    assert all(np.array_equal(a, b) for a, b in same)
    other = zip(formula_folds(petousis, 5, 1), formula_folds(petousis, 5, 2), strict=True)
    assert not all(np.array_equal(a, b) for a, b in other)


def test_what_teaches_beside_a_data_set_is_left_out_once_too(petousis):
    parts = formula_folds(petousis, 5)
    known, others = {m.formula for m in petousis}, {f"Xe{count}F" for count in range(2, 44)}
    left_out = formulas_of_folds(petousis, parts, {*others, petousis[0].formula})
    for formulas, part in zip(left_out, parts, strict=True):
        assert formulas & known == {petousis[i].formula for i in part}
    assert sorted(formula for formulas in left_out for formula in formulas - known) == sorted(others)
    assert sorted(len(formulas - known) for formulas in left_out) == [8, 8, 8, 9, 9]


def test_fewer_formulas_than_folds_are_refused(petousis):
    with pytest.raises(EngineError, match="3 folds need as many formulas, got 2"):
        formula_folds([petousis[0], petousis[0], petousis[500]], 3)


def test_validation_crystals_share_no_formula_with_training_crystals(petousis):
    train, validation = holdout_split(petousis, 0.1, seed=0)
    assert len(train) + len(validation) == len(petousis)
    assert not {m.formula for m in train} & {m.formula for m in validation}
    assert len(validation) == pytest.approx(106, abs=3)


def test_a_crystal_is_found_by_id_formula_or_chemical_system(petousis):
    assert [m.material_id for m in find_materials(petousis, " MP-830 ")] == ["mp-830"]
    by_formula = find_materials(petousis, "O2Ti")
    assert by_formula
    assert {m.formula for m in by_formula} == {"TiO2"}
    by_system = find_materials(petousis, "o-Ti")
    assert {m.elements for m in by_system} == {("O", "Ti")}
    assert len(by_system) >= len(by_formula)


@pytest.mark.parametrize("query", ["", "mp-0", "mp-830x", "no such thing", "Xx2", "-", "TiO2!"])
def test_what_is_not_there_is_not_found(petousis, query):
    assert find_materials(petousis, query) == []


def test_suggestions_begin_with_what_was_typed(petousis):
    found = suggestions(petousis, "tio", limit=5)
    assert found[0] == "TiO2"
    assert len(found) <= 5
    assert all(one.lower().startswith("tio") for one in found)
    assert all(one.startswith("mp-14") for one in suggestions(petousis, "mp-14"))


def test_a_missing_or_strange_file_is_refused_with_its_name(tmp_path):
    with pytest.raises(EngineError, match=r"nowhere\.parquet: no such data file"):
        load_dataset(str(tmp_path / "nowhere.parquet"))
    strange = tmp_path / "strange.parquet"
    strange.write_text("not Parquet")
    with pytest.raises(EngineError, match=r"strange\.parquet: must be a Parquet file"):
        load_dataset(str(strange))


def test_what_is_written_is_read_back_and_written_the_same(petousis, matbench, tmp_path):
    some = [*petousis[:3], *[m for m in petousis if m.flags][:1], matbench[0]]
    first, second = tmp_path / "first.parquet", tmp_path / "second.parquet"
    write_materials(first, some)
    again = read_materials(first)
    for before, after in zip(some, again, strict=True):
        for name in ("cell", "atomic_numbers", "frac_coords", "electronic", "ionic"):
            np.testing.assert_array_equal(getattr(before, name), getattr(after, name))
        for name in ("material_id", "n", "band_gap", "space_group_number", "source", "flags", "formula"):
            assert getattr(before, name) == getattr(after, name)
    write_materials(second, again)
    assert first.read_bytes() == second.read_bytes()
    assert dataset_hash(str(first)) == dataset_hash(str(second)) != dataset_hash("petousis-2017")


def test_a_changed_file_is_read_anew(petousis, tmp_path):
    path = tmp_path / "mine.parquet"
    write_materials(path, petousis[:2])
    assert len(load_dataset(str(path))) == 2
    write_materials(path, petousis[:5])
    assert len(load_dataset(str(path))) == 5


def test_matbench_is_in_the_order_of_the_official_folds(matbench):
    """Predicting each official fold's training mean gives the leaderboard's dummy error, 0.8088."""
    n = np.array([m.n for m in matbench])
    order = np.arange(len(n))
    # The official folds: scikit-learn's KFold(5, shuffle=True, random_state=18012019).
    np.random.RandomState(18012019).shuffle(order)
    errors = [np.abs(n[fold] - np.delete(n, fold).mean()).mean() for fold in np.array_split(order, 5)]
    assert np.mean(errors) == pytest.approx(0.8088, abs=5e-5)


def test_formulas_kept_for_the_external_test_are_those_of_large_cells_that_teach_nothing():
    name = "matbench-dielectric"
    kept = reserved_formulas(name)
    assert len(kept) > 500
    assert not kept & {m.formula for m in index_materials(name, ())}
    assert kept <= {m.formula for m in load_dataset(name) if m.natoms > LARGEST_INDEX_CELL}
    assert reserved_formulas("") == frozenset()
