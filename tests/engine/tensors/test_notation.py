"""What is copied is the tensor."""

import re

import numpy as np
import pytest

from engine.tensors.notation import FORMS, VOIGT, written

TENSOR = np.array([[2.1, -0.3, 1e-17], [-0.3, 10 / 3, 0.125], [-1e-17, 0.125, 12.0]])


def test_numpy_reads_back_every_digit():
    found = eval(written(TENSOR, "NumPy"), {"np": np})  # noqa: S307, our own text
    np.testing.assert_array_equal(found, TENSOR)


def test_text_is_a_table_that_numpy_reads():
    found = np.array([line.split() for line in written(TENSOR, "text").splitlines()], dtype=float)
    np.testing.assert_array_equal(found, TENSOR)


def test_latex_has_a_row_a_line():
    text = written(TENSOR, "LaTeX", 2)
    assert text.splitlines() == [
        r"\begin{pmatrix}",
        r"    2.10 & -0.30 & 0.00 \\",
        r"    -0.30 & 3.33 & 0.12 \\",
        r"    0.00 & 0.12 & 12.00",
        r"\end{pmatrix}",
    ]


def test_voigt_names_its_six_components_in_the_usual_order():
    names, values = (line.split() for line in written(TENSOR, "Voigt", 3).splitlines())
    assert names == ["xx", "yy", "zz", "yz", "xz", "xy"] == list(VOIGT)
    assert [float(value) for value in values] == pytest.approx([2.1, 3.333, 12, 0.125, 0, -0.3])


@pytest.mark.parametrize("form", FORMS)
def test_a_zero_has_no_sign(form):
    assert not re.search(r"-0\.0*\b(?![1-9])", written(TENSOR, form, 4).replace("-0.3", ""))
