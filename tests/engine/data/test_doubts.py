"""Doubtful values of the embedded sets are known, said wherever they are given, and kept in the figures."""

import pytest

from engine.data.datasets import EMBEDDED, label, load_dataset
from engine.data.doubts import embedded_doubts
from engine.prediction.records import material_record, records_to_csv


@pytest.fixture(scope="module")
def doubted():
    return {(m.formula, m.space_group_symbol): m for name in EMBEDDED for m in load_dataset(name) if m.doubts}


@pytest.mark.parametrize(
    ("formula", "group", "part", "witness"),
    [
        ("ZnO", "P6_3mc", "electronic", "measurement"),  # n = 33
        ("GaN", "P6_3mc", "electronic", "measurement"),
        ("SnSe", "Fm-3m", "ionic", "symmetry"),  # no ionic part at all
        ("BaTiO3", "Pm-3m", "ionic", "model"),  # DFPT at an unstable mode
        ("SrAgP", "P6_3/mmc", "electronic", "model"),  # a gap of 0.1 eV
    ],
)
def test_a_value_that_a_measurement_symmetry_or_the_model_contradicts_is_doubted(
    formula, group, part, witness, doubted
):
    assert any(
        one.startswith(f"{part} part doubtful, against {witness}: ") for one in doubted[formula, group].doubts
    )


def test_few_values_are_doubted_and_those_of_well_known_crystals_are_not(doubted):
    assert len(doubted) < 50
    assert not {"MgO", "NaCl", "Si", "SiO2", "TiO2", "Al2O3"} & {formula for formula, _ in doubted}


def test_a_doubt_belongs_to_the_row_that_it_names_and_leaves_it_in_training():
    for name, rows in embedded_doubts().items():
        materials = load_dataset(name)
        for row, doubts in rows.items():
            assert materials[row].doubts == doubts
            if materials[row].electronic is not None and not materials[row].flags:
                assert label(materials[row], "total") is not None


def test_files_say_what_is_doubtful(doubted):
    record = material_record(doubted["SnSe", "Fm-3m"])
    assert any("ionic part doubtful" in one for one in record["warnings"])
    assert "ionic part doubtful" in records_to_csv([record])
