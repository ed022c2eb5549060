"""Modes are paired by symmetry and order, transverse ones with their longitudinal partners."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from engine.data.dft_modes import DftModes
from engine.vibrations.modes import modes_of
from engine.vibrations.pairing import keys, longitudinal_partner, places
from tests.engine import ions

RUTILE = Structure.from_spacegroup(136, Lattice.tetragonal(4.6, 2.96), ["Ti", "O"], [[0, 0, 0], [0.305, 0.305, 0]])
SALT = Structure(Lattice(2.82 * (np.ones((3, 3)) - np.eye(3))), ["Na", "Cl"], [[0, 0, 0], [0.5] * 3])


@pytest.fixture(scope="module")
def modes():
    return modes_of(ions.drawn(RUTILE), np.arange(6), np.diag([60.0, 60.0, 90.0]), np.diag([6.0, 6.0, 7.0]))


def known(labels):
    return DftModes(labels=tuple(labels), wavenumbers=np.arange(len(labels)), strengths=np.zeros(len(labels)))


def test_the_kth_softest_of_a_representation_is_paired_with_the_kth_softest(modes):
    labels = [label for label, _ in keys(modes)]
    assert places(modes, known(labels)) == list(range(len(labels)))
    swapped = [*labels[::-1]]
    found = places(modes, known(swapped))
    assert [swapped[place] for place in found] == labels
    for label in set(labels):
        own = [place for place, one in zip(found, labels, strict=True) if one == label]
        assert own == sorted(own)


def test_modes_of_other_representations_are_not_paired(modes):
    labels = [label for label, _ in keys(modes)]
    assert places(modes, known(labels[1:])) is None
    assert places(modes, known(["T1u", *labels[1:]])) is None


def test_a_longitudinal_partner_lies_above_its_mode_and_light_sees_both_or_none(modes):
    for multiplet, (first, *_) in enumerate(modes.sets):
        partner = longitudinal_partner(modes, multiplet)
        if modes.infrared[first]:
            assert partner > modes.wavenumbers[first]
        else:
            assert np.isnan(partner)


def test_in_a_cubic_salt_the_partner_obeys_lyddane_sachs_and_teller():
    found = modes_of(ions.drawn(SALT), np.arange(2), 3.5 * np.eye(3), 2.4 * np.eye(3))
    assert (longitudinal_partner(found, 0) / found.wavenumbers[0]) ** 2 == pytest.approx((2.4 + 3.5) / 2.4)
