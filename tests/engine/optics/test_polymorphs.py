"""Names of polymorphs are told from each other, in samples before titles."""

import gzip
import json
from importlib.resources import files

import pytest
from pymatgen.core import Composition, Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from engine.optics.polymorphs import OF_A_FORMULA, OF_ANY_FORMULA, named_phases

# Of the AFLOW library of prototypes, as pymatgen holds it: the label of each -> how the phase is called here.
PROTOTYPES = {
    "A2B_tP6_136_f_a": "rutile",
    "A2B_tI12_141_e_a": "anatase",
    "A2B_oP24_61_2c_c": "brookite",
    "A2B_hP9_152_c_a": "α-quartz",
    "A2B3_hR10_167_c_e": "sapphire",
    "ABC3_hR10_167_a_b_e": "calcite",
    "AB_hP6_154_a_b": "cinnabar",
    "A2BC4_cF56_227_d_a_e": "spinel",
    "A_cF8_227_a": "diamond",
    "A_hP4_194_bc": "graphite",
    "AB_hP8_186_ab_ab": "4H",
    "AB_hP12_186_a2b_a2b": "6H",
    "AB_hP4_186_b_b": "wurtzite",
    "AB_cF8_216_c_a": "zincblende",
    "ABC2_tI16_122_a_b_d": "chalcopyrite",
    "AB2_hP6_194_c_f": "2H",
}


def names(formula: str, *entries: tuple[str, str]) -> list[str]:
    return [phase.name for phase in named_phases(formula, *entries)]


@pytest.mark.parametrize("phase", OF_A_FORMULA, ids=lambda phase: f"{phase.formula} {phase.name}")
def test_formulas_are_written_as_crystals_write_them(phase):
    assert Composition(phase.formula).reduced_formula == phase.formula


@pytest.fixture(scope="module")
def prototypes() -> dict[str, Structure]:
    packed = files("pymatgen.analysis") / "prototypes" / "aflow_prototypes.json.gz"
    library = json.loads(gzip.decompress(packed.read_bytes()))
    labels = {entry["tags"]["aflow"]: entry["snl"] for entry in library}
    return {label: Structure.from_dict(labels[label]) for label in PROTOTYPES}


@pytest.mark.parametrize(("label", "name"), PROTOTYPES.items(), ids=PROTOTYPES.values())
def test_a_phase_has_the_space_group_and_cell_of_its_prototype(label, name, prototypes):
    (phase,) = (phase for phase in OF_A_FORMULA + OF_ANY_FORMULA if phase.name == name)
    structure = prototypes[label]
    primitive = SpacegroupAnalyzer(structure).find_primitive()
    assert phase.formula in (None, structure.composition.reduced_formula)
    assert phase.fits(SpacegroupAnalyzer(structure).get_space_group_number(), len(primitive))


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
