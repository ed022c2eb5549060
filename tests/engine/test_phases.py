"""Names of polymorphs are told from each other, in samples before titles."""

import pytest
from pymatgen.core import Composition

from engine.phases import OF_A_FORMULA, named_phases


def names(formula: str, *entries: tuple[str, str]) -> list[str]:
    return [phase.name for phase in named_phases(formula, *entries)]


@pytest.mark.parametrize("phase", OF_A_FORMULA, ids=lambda phase: f"{phase.formula} {phase.name}")
def test_formulas_are_written_as_crystals_write_them(phase):
    assert Composition(phase.formula).reduced_formula == phase.formula


def test_a_title_about_two_crystals_names_the_one_of_this_formula():
    assert names("TiO2", ("ordinary ray", "Refractive indices of rutile and sphalerite")) == ["rutile"]
    assert names("CaCO3", ("", "Birefringence of calcite and quartz")) == ["calcite"]


def test_the_sample_counts_before_the_title():
    assert names("CdSe", ("Hexagonal CdSe", "Optical properties of cubic and hexagonal CdSe")) == ["hexagonal"]


def test_a_title_with_two_names_that_fit_any_formula_says_nothing():
    assert names("CdSe", ("room temperature", "Optical properties of cubic and hexagonal CdSe")) == []


def test_rays_that_name_different_polymorphs_contradict_each_other():
    found = named_phases("TiO2", ("rutile", ""), ("anatase", ""))
    assert not any(all(phase.fits(group, 6) for phase in found) for group in range(1, 231))


def test_a_polytype_is_told_from_another_of_its_space_group_by_the_number_of_atoms():
    (four,) = named_phases("SiC", ("4H-SiC (hexagonal crystal structure)", ""))
    assert four.fits(186, 8)
    assert not four.fits(186, 12)
