"""The table of measured infrared modes: each with its source, physical, and of modes that the crystal can have."""

import re

import numpy as np
import pytest
from pymatgen.core import Composition

from engine.crystals.material import structure_of
from engine.crystals.primitive import primitive
from engine.optics.measured_crystals import TABLE, measured_crystals
from engine.vibrations.mode_symmetry import multiplets
from tests.engine.ions import drawn

CRYSTALS = measured_crystals()
PHASES = list({one.phase: one for one in CRYSTALS}.values())
HARD = ("SrTiO3", "TiO2", "SiO2", "Al2O3", "BN", "SiC", "CaF2", "MgO", "GaAs")


def name(crystal):
    return f"{crystal.formula} {crystal.phase}"


def test_the_table_has_textbook_crystals_each_once():
    names = [name(one) for one in CRYSTALS]
    assert len(names) == len(set(names)) >= 40
    assert set(HARD) <= {one.formula for one in CRYSTALS}


def test_every_crystal_names_a_publication_for_its_modes_and_one_for_its_structure():
    for one in CRYSTALS:
        assert re.search(r"\b(18|19|20)\d\d\b|doi:10\.\d{4}", one.source), name(one)
        assert re.search(r"\b(18|19|20)\d\d\b", one.structure_source), name(one)
        assert one.modes, name(one)


def test_every_longitudinal_mode_lies_above_its_transverse_one_and_below_the_next():
    for one in CRYSTALS:
        for label in {mode.label for mode in one.modes}:
            modes = [mode for mode in one.modes if mode.label == label]
            ladder = [x for mode in modes for x in (mode.transverse, mode.longitudinal) if x is not None]
            assert ladder == sorted(ladder), f"{name(one)} {label}"
            assert ladder[0] > 20
            assert ladder[-1] < 2000


@pytest.mark.parametrize("crystal", CRYSTALS, ids=name)
def test_the_structure_has_the_symmetry_that_the_table_names_and_no_atoms_on_top_of_each_other(crystal):
    assert crystal.structure.composition.reduced_composition == Composition(crystal.formula).reduced_composition
    (group,) = re.findall(
        rf'formula = "{crystal.formula}"\nphase = "{crystal.phase}"\nspace_group = (\d+)', TABLE.read_text()
    )
    assert crystal.structure.get_space_group_info(1e-4)[1] == int(group)
    apart = crystal.structure.distance_matrix + 9 * np.eye(len(crystal.structure))
    assert apart.min() > 1.2


@pytest.mark.parametrize("crystal", PHASES, ids=name)
def test_the_modes_are_infrared_ones_of_the_crystal_and_not_more_than_it_has(crystal):
    ions = drawn(structure_of(primitive(crystal.structure)))
    infrared = [one.label for one in multiplets(ions) if one.infrared]
    for mode in crystal.modes:
        assert mode.order < infrared.count(mode.label), mode
