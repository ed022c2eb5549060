"""A disordered crystal is refused, and offered as ordered ones: few, distinct, the most symmetric."""

import json

import numpy as np
import pytest
from pymatgen.analysis.ewald import EwaldSummation
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Composition, Lattice, Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from engine import EngineError, ordered_approximations
from engine.crystals.inputs import as_structure
from engine.crystals.reader import Disordered, SettingNeeded, read_structures
from engine.crystals.supercells import superlattices, symmetry_of
from tests.disordered import ALLOY, PEROVSKITE, SALT, SHARED, disordered_cif

MATCHER = StructureMatcher(ltol=0.01, stol=0.01, angle_tol=0.5, scale=False)
ORDERED = "Si Si 0 0 0 1"
SPINEL = ("F d -3 m:1", 8.34)


def refused(text: str) -> Disordered:
    with pytest.raises(Disordered, match="it is disordered") as found:
        read_structures("a.cif", text.encode())
    return found.value


def offered(group: str, length: float, sites: str) -> list[Structure]:
    return ordered_approximations(refused(disordered_cif(group, length, sites)).structure)


def groups(structures: list[Structure]) -> list[str]:
    return [SpacegroupAnalyzer(one, 0.01).get_space_group_symbol() for one in structures]


def test_a_half_and_half_perovskite_orders_in_layers_along_each_axis_of_the_cube():
    """Rock salt of the two cations, and layers along a face or an edge: all that two cells allow."""
    found = offered(*PEROVSKITE, ALLOY)
    assert [one.composition for one in found] == 3 * [Composition("BaSrTi2O6")]
    assert groups(found) == ["Fm-3m", "P4/mmm", "P4/mmm"]


def test_an_alloy_of_fcc_sites_orders_as_the_known_superstructures():
    """L1_0 and L1_1 of AB; of AB3, one in each of the seven superlattices, among them L1_2 and D0_22."""
    assert groups(offered(*SALT, SHARED)) == ["P4/mmm", "R-3m"]
    quarter = offered(*SALT, SHARED.replace("0 0.5\nK", "0 0.25\nK").replace("0 0.5\nCl", "0 0.75\nCl"))
    assert len(quarter) == 7
    assert groups(quarter)[:3] == ["Pm-3m", "P4/mmm", "I4/mmm"]


@pytest.mark.parametrize(
    ("cell", "known"),
    [
        (Lattice.cubic(4), [1, 3, 3, 9, 5, 13, 7, 24]),
        (Lattice([[0, 2, 2], [2, 0, 2], [2, 2, 0]]), [1, 2, 3, 7, 5, 10, 7, 20]),
    ],
)
def test_superlattices_are_as_many_as_published(cell, known):
    """Hart and Forcade, Phys. Rev. B 77, 224115 (2008), of simple and of face-centred cubic lattices."""
    rotations = symmetry_of(cell.matrix, np.zeros((1, 3)), [0]).rotations
    assert [len(superlattices(index, rotations)) for index in range(1, 9)] == known


HALIDE = ("P m -3 m", 6.1, "Cs Cs 0 0 0 1\nPb Pb .5 .5 .5 1\nBr Br .5 .5 0 0.5\nI I .5 .5 0 0.5")
LAYERED = ("F m -3 m", 5.14, "Zr Zr 0 0 0 0.6667\nY Y 0 0 0 0.3333\nO O 0.25 0.25 0.25 0.9167")
VACANT = (*SPINEL, "A Fe 0 0 0 1\nB Fe 0.625 0.625 0.625 0.8333\nO O 0.38 0.38 0.38 1")
MANY = {
    "a halide alloy": (HALIDE, "Cs2Pb2Br3I3"),
    "a defect fluorite": (LAYERED, "Zr4Y2O11"),
    "a spinel with vacancies": (VACANT, "Fe16O24"),
}


@pytest.mark.parametrize("name", MANY)
def test_of_many_orderings_ten_are_offered_all_different_and_of_the_exact_composition(name):
    given, formula = MANY[name]
    found = offered(*given)
    assert len(found) == 10
    assert {one.composition for one in found} == {Composition(formula)}
    assert len(MATCHER.group_structures(found)) == 10
    assert all("rounded" not in " ".join(one.properties["notes"]) for one in found)
    order = [len(SpacegroupAnalyzer(one, 0.01).get_point_group_operations()) for one in found]
    assert order == sorted(order, reverse=True)


def test_every_atom_stays_on_a_site_of_the_disordered_crystal_as_that_lies_in_space():
    parent = refused(disordered_cif(*VACANT)).structure
    for one in ordered_approximations(parent):
        places = parent.lattice.get_fractional_coords(one.cart_coords)
        assert parent.lattice.get_all_distances(places, parent.frac_coords).min(1).max() < 1e-6
        assert one.volume / parent.volume * parent.composition.num_atoms == pytest.approx(len(one), rel=1e-3)


def test_equally_symmetric_orderings_come_by_their_electrostatic_energy():
    found = offered(*LAYERED)
    order = [len(SpacegroupAnalyzer(one, 0.01).get_point_group_operations()) for one in found]
    charged = [one.copy().add_oxidation_state_by_element({"Zr": 4, "Y": 3, "O": -2}) for one in found]
    energies = [EwaldSummation(one).total_energy / len(one) for one in charged]
    ranked = sorted(zip([-symmetric for symmetric in order], np.round(energies, 4), strict=True))
    assert list(zip([-symmetric for symmetric in order], np.round(energies, 4), strict=True)) == ranked
    assert len(set(ranked)) > 2


def test_what_is_rounded_is_said():
    found = offered("F -4 3 m", 5.9, "Ga Ga 0 0 0 0.47\nIn In 0 0 0 0.53\nAs As 0.25 0.25 0.25 1")
    assert "Its occupancies are rounded: Ga0.47In0.53 is taken as Ga0.455In0.545." in found[0].properties["notes"]
    assert found[0].composition.reduced_composition == Composition("Ga5In6As11")


def test_each_says_what_it_stands_for():
    found = offered(*PEROVSKITE, ALLOY)
    assert [one.properties["approximation"]["number"] for one in found] == [1, 2, 3]
    assert found[1].properties["notes"] == ["This is an ordered approximation of Ba0.5Sr0.5TiO3, 2 of 3."]


def test_places_too_near_to_each_other_are_not_both_filled():
    """Hydrogen on either of two places between two oxygen atoms, as in ice."""
    found = offered("F d -3 m:1", 6.36, "O O 0 0 0 1\nH H 0.0908 0.0908 0.0908 0.5")
    assert found
    for one in found:
        hydrogen = [site.frac_coords for site in one if site.specie.symbol == "H"]
        distances = one.lattice.get_all_distances(hydrogen, hydrogen)
        assert distances[distances > 1e-6].min() > 0.7


def test_split_places_are_told_apart_from_shared_ones():
    found = offered("P m -3 m", 4.2, "Cs Cs 0 0 0 1\nBr Br 0.5 0.5 0.46 0.16667")
    assert {one.composition.reduced_formula for one in found} == {"CsBr"}


REFUSALS = {
    "too dilute": (
        *PEROVSKITE,
        ALLOY.replace("0.5\nSr1", "0.99\nSr1").replace("0 0 0 0.5", "0 0 0 0.01"),
        "40 atoms",
    ),
    "too many ways": ("P n -3 n:1", 12.0, "A Na 0.11 0.17 0.23 0.5\nB K 0.11 0.17 0.23 0.5", "too many ways"),
    "no room": ("P m -3 m", 5.0, "A Cs 0.5 0.5 0.41 0.5\nO O 0 0 0 1", "too near"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_where_no_few_orderings_stand_for_it_the_reason_is_said(name):
    *given, reason = REFUSALS[name]
    with pytest.raises(EngineError, match=reason):
        offered(*given)


def test_lines_of_one_element_that_fill_a_place_together_are_one_atom_and_that_is_said():
    sites = "A Fe2+ 0 0 0 0.5\nB Fe3+ 0 0 0 0.5\nO O2- 0.5 0.5 0.5 1"
    (found,) = read_structures("a.cif", disordered_cif("F m -3 m", 4.3, sites).encode())
    assert found.composition == Composition("Fe4O4")
    charges, together = found.properties["notes"]
    assert "A, B" in together
    assert "Oxidation states" in charges


FORMULA = "_chemical_formula_sum 'Ba0.5 Sr0.5 Ti O{}'\n"
FAULTS = {
    "more than one atom on a place": (ALLOY.replace("0 0 0 0.5\nTi", "0 0 0 0.7\nTi"), "", "add up to 1.2"),
    "no atom on a place": (ALLOY.replace("0 0 0 0.5\nTi", "0 0 0 0\nTi"), "", "Ba1, Sr1.*above 0"),
    "another formula": (ALLOY, FORMULA.format(4), "Ba1, Sr1.*besides.*its formula is"),
    "a second crystal": (
        ALLOY + "\n" + disordered_cif(*PEROVSKITE, ORDERED).replace("data_x", "data_y"),
        "",
        "Ba1",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_file_with_another_fault_is_refused_for_good(name):
    sites, more, reason = FAULTS[name]
    with pytest.raises(EngineError, match=reason) as refusal:
        read_structures("a.cif", disordered_cif(*PEROVSKITE, sites, more).encode())
    assert not isinstance(refusal.value, Disordered)


def test_the_formula_counts_what_is_there_of_each_atom():
    assert refused(disordered_cif(*PEROVSKITE, ALLOY, FORMULA.format(3) + "_cell_formula_units_Z 1\n"))


def test_a_disordered_crystal_is_never_among_the_settings_to_choose_from():
    sites = "Si Si 0.125 0.125 0.125 0.5\nGe Ge 0.125 0.125 0.125 0.5"
    with pytest.raises(EngineError, match=r"Si, Ge.*several settings") as refusal:
        read_structures("a.cif", disordered_cif("F d -3 m", 5.5, sites).encode())
    assert not isinstance(refusal.value, (SettingNeeded, Disordered))


MIXED = Structure(Lattice.cubic(4.2), [{"Na": 0.5, "K": 0.5}, "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
OPTIMADE = {
    "lattice_vectors": MIXED.lattice.matrix.tolist(),
    "cartesian_site_positions": MIXED.cart_coords.tolist(),
    "species_at_sites": ["M", "Cl"],
    "species": [
        {"name": "M", "chemical_symbols": ["Na", "K"], "concentration": [0.5, 0.5]},
        {"name": "Cl", "chemical_symbols": ["Cl", "vacancy"], "concentration": [0.5, 0.5]},
    ],
}


def test_json_hands_over_its_disordered_crystal_too():
    with pytest.raises(Disordered, match=r"shared: K0.5Na0.5|shared: Na0.5K0.5") as refusal:
        read_structures("a.json", MIXED.to_json().encode())
    assert refusal.value.structure.composition == MIXED.composition
    with pytest.raises(Disordered) as refusal:
        read_structures("a.json", json.dumps(OPTIMADE).encode())
    assert refusal.value.structure.composition == Composition("Na0.5K0.5Cl0.5")


def test_several_structures_one_of_them_disordered_are_refused_for_good():
    with pytest.raises(EngineError, match="disordered") as refusal:
        read_structures("a.json", json.dumps([MIXED.as_dict(), MIXED.as_dict()]).encode())
    assert not isinstance(refusal.value, Disordered)


def test_a_disordered_structure_comes_back_with_its_sites_named():
    with pytest.raises(Disordered, match=r"Na:0.5|K:0.5") as refusal:
        as_structure(MIXED)
    assert len(ordered_approximations(refusal.value.structure)) == 3


def test_an_ordered_crystal_needs_no_approximation():
    with pytest.raises(EngineError, match="it is ordered"):
        ordered_approximations(Structure(Lattice.cubic(4.2), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]))
