"""A sheet from a box makes the same layered crystal, however much vacuum there was."""

import numpy as np
import pytest

from engine.crystals.stacking import APART, stacked
from engine.crystals.vacuum import in_vacuum, radii
from tests.low_dimensional import disulfide, nitride, two_disulfides


def spacing(length, shift=0.5):
    return stacked(in_vacuum(disulfide(length, shift))).lattice.c


@pytest.mark.parametrize("box", [disulfide(20), two_disulfides(30, 9.9), two_disulfides(30, -7.5)])
def test_neighbouring_sheets_touch(box):
    crystal = stacked(in_vacuum(box))
    radius = radii()[np.array(crystal.atomic_numbers)]
    src, dst, shift, distance = crystal.get_neighbor_list(6.0)
    between = shift[:, 2] != 0
    room = (distance - radius[src] - radius[dst])[between]
    assert room.min() == pytest.approx(APART, abs=1e-6)


@pytest.mark.parametrize(("length", "shift"), [(10, 0.5), (15, 0.0), (40, 0.93)])
def test_the_stack_does_not_depend_on_the_box(length, shift):
    assert spacing(length, shift) == pytest.approx(spacing(20), abs=1e-6)


def test_a_stack_is_a_crystal_about_as_dense_as_the_real_one():
    assert in_vacuum(stacked(in_vacuum(disulfide(20)))) is None
    assert spacing(20) == pytest.approx(12.294 / 2, rel=0.2)  # 2H MoS2 as measured, two layers
    assert stacked(in_vacuum(nitride(20))).lattice.c == pytest.approx(6.661 / 2, rel=0.35)
