"""The layout of the records that users script against."""

import io

import pandas as pd

from engine.data.datasets import load_dataset
from engine.prediction.records import Record, material_record, records_to_csv, refusal


def test_a_refused_file_and_a_material_have_the_fields_of_a_record_in_its_order():
    fields = list(Record.__annotations__)
    assert list(refusal("a.cif", "it is empty")) == fields
    assert list(material_record(load_dataset("petousis-2017")[0])) == fields


def test_a_refused_file_leaves_its_columns_empty():
    material = load_dataset("petousis-2017")[0]
    text = records_to_csv([material_record(material), refusal("a.cif", "no atoms")])
    known, refused = pd.read_csv(io.StringIO(text)).to_dict("records")
    assert known["electronic_xy"] == material.electronic[0, 1]
    assert {name for name, value in refused.items() if not pd.isna(value)} == {"source", "error"}
