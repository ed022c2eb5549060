"""What a person types leads to the crystals that are meant, the stablest first."""

import pytest

from engine.data.catalogue import CITED, PHONONDB, catalogued, energy_above_hull, identities, indexed, uncertain
from engine.data.datasets import EMBEDDED, SHIPPED, load_dataset
from engine.data.names import known_names, meaning
from engine.data.search import find_materials, lacks_structure, plain_material_id, suggestions
from engine.data.structure_types import structure_type_of

FAMOUS = [  # that people type first; of forty, those that the embedded sets hold by their ID
    "mp-149",
    "mp-7000",
    "mp-66",
    "mp-22598",
    "mp-6930",
    "mp-1143",
    "mp-1265",
    "mp-22862",
    "mp-2534",
    "mp-804",
    "mp-2133",
    "mp-3731",
    "mp-5229",
    "mp-2741",
    "mp-32",
    "mp-390",
    "mp-2490",
    "mp-10695",
    "mp-1190",
    "mp-20351",
    "mp-8062",
    "mp-661",
    "mp-1639",
    "mp-984",
    "mp-23193",
    "mp-1138",
    "mp-5986",
    "mp-2998",
    "mp-4651",
    "mp-1541",
    "mp-2858",
    "mp-352",
    "mp-1960",
    "mp-2176",
    "mp-406",
    "mp-1672",
    "mp-2172",
]
NAMES = {  # what is typed -> formula and space groups of the first hit
    "quartz": ("SiO2", {152, 154}),
    "rutile": ("TiO2", {136}),
    "anatase": ("TiO2", {141}),
    "sapphire": ("Al2O3", {167}),
    "corundum": ("Al2O3", {167}),
    "silicon": ("Si", {227}),
    "germanium": ("Ge", {227}),
    "diamond": ("C", {227}),
    "table salt": ("NaCl", {225}),
    "halite": ("NaCl", {225}),
    "sodium chloride": ("NaCl", {225}),
    "sylvite": ("KCl", {225}),
    "periclase": ("MgO", {225}),
    "magnesium oxide": ("MgO", {225}),
    "lime": ("CaO", {225}),
    "fluorite": ("CaF2", {225}),
    "calcium fluoride": ("CaF2", {225}),
    "barium titanate": ("BaTiO3", {38, 99, 160, 221}),
    "strontium titanate": ("SrTiO3", {140, 221}),
    "lithium niobate": ("LiNbO3", {161}),
    "lithium tantalate": ("LiTaO3", {161}),
    "h-BN": ("BN", {187, 194}),
    "hexagonal boron nitride": ("BN", {187, 194}),
    "cubic BN": ("BN", {216}),
    "GaAs zinc blende": ("GaAs", {216}),
    "gallium arsenide": ("GaAs", {216}),
    "Gallium Nitride": ("GaN", {186}),
    "indium phosphide": ("InP", {216}),
    "zincite": ("ZnO", {186}),
    "sphalerite": ("ZnS", {216}),
    "wurtzite ZnS": ("ZnS", {186}),
    "greenockite": ("CdS", {186}),
    "cadmium telluride": ("CdTe", {216}),
    "galena": ("PbS", {225}),
    "lead telluride": ("TePb", {225}),
    "cinnabar": ("HgS", {152, 154}),
    "molybdenite": ("MoS2", {194}),
    "pyrite": ("FeS2", {205}),
    "stibnite": ("Sb2S3", {62}),
    "bismuth telluride": ("Bi2Te3", {166}),
    "cassiterite": ("SnO2", {136}),
    "zirconia": ("ZrO2", {14}),
    "hafnia": ("HfO2", {14}),
    "ceria": ("CeO2", {225}),
    "yttria": ("Y2O3", {206}),
    "cuprite": ("Cu2O", {224}),
    "hematite": ("Fe2O3", {167}),
    "spinel": ("MgAl2O4", {227}),
    "zircon": ("ZrSiO4", {141}),
    "calcite": ("CaCO3", {167}),
    "magnesite": ("MgCO3", {167}),
    "forsterite": ("Mg2SiO4", {62}),
    "silicon carbide": ("SiC", {156, 160, 186, 216}),
    "aluminum nitride": ("AlN", {186}),
    "aluminium nitride": ("AlN", {186}),
    "caesium chloride": ("CsCl", None),
    "zinc sulphide": ("ZnS", None),
    "tellurium": ("Te", {152, 154}),
    "selenium": ("Se", {152, 154}),
    "thallium chloride": ("TlCl", {221}),
    "silver chloride": ("AgCl", {225}),
    "thallium bromide": ("TlBr", {221}),
    "copper": ("Cu", {225}),
    "tio2": ("TiO2", None),
    "Ti O 2": ("TiO2", None),
    "TiO₂": ("TiO2", None),
    "NACL": ("NaCl", {225}),
    "LiNb03": ("LiNbO3", {161}),
    "α-quartz": ("SiO2", {152, 154}),
    "β-Ga2O3": ("Ga2O3", {12}),
    "alpha-alumina": ("Al2O3", {167}),
    "water": ("H2O", None),
    "Na": ("Na", {229}),  # not the phase under pressure that is lowest in energy
    "lithium": ("Li", {229}),
    "mp149": ("Si", {227}),
    "MP-149": ("Si", {227}),
    "ba-o-ti": ("BaTiO3", None),
}


@pytest.fixture(scope="module")
def materials():
    known = load_dataset(EMBEDDED[0]) + indexed()
    return known + catalogued(known)


@pytest.mark.parametrize("query", NAMES)
def test_a_name_leads_to_its_crystal(materials, query):
    formula, groups = NAMES[query]
    first = find_materials(materials, query)[0]
    assert first.formula == formula
    assert groups is None or first.space_group_number in groups


def test_famous_ids_are_here(materials):
    assert [i for i in FAMOUS if [m.material_id for m in find_materials(materials, i)] != [i]] == []


def test_every_published_id_leads_to_one_crystal(materials):
    held = [m.material_id for m in materials if m.material_id]
    assert set(held) == set(identities())
    others = {PHONONDB, CITED}
    assert sum(not others & set(identity.sets) for identity in identities().values()) == 6317


def test_no_hit_comes_twice_and_the_usual_structure_comes_before_the_stablest_others(materials):
    hits = find_materials(materials, "SiO2")
    ids = [m.material_id for m in hits if m.material_id]
    assert len(ids) == len(set(ids)) > 20
    usual = [m for m in hits if m.space_group_number in (152, 154)]
    assert hits[: len(usual)] == usual
    energies = [energy for energy in map(energy_above_hull, hits[len(usual) :]) if energy is not None]
    assert energies == sorted(energies)


@pytest.mark.parametrize(
    ("query", "formula"), [("perovskite", "CaTiO3"), ("stishovite", "SiO2"), ("brookite", "TiO2")]
)
def test_a_name_without_its_polymorph_here_leads_to_the_others_of_its_formula_as_others(materials, query, formula):
    found = find_materials(materials, query)
    assert {m.formula for m in found} == {formula}
    assert lacks_structure(query, found)


@pytest.mark.parametrize("query", ["rutile", "GaAs zinc blende", "silica", "barium titanate", "TiO2", "mp-149"])
def test_what_was_named_is_not_called_another(materials, query):
    assert not lacks_structure(query, find_materials(materials, query))


def test_a_greek_letter_that_names_no_known_phase_leads_to_all_of_the_formula(materials):
    assert find_materials(materials, "κ-Al2O3") == find_materials(materials, "Al2O3")


@pytest.mark.parametrize(
    "query",
    ["", "  ", "qqq", "mp-999999999", "Xx2", "((", "0", "the crystal", "oxide", "zn" * 60 + "?", "co" * 500 + "!"],
)
def test_what_means_nothing_finds_nothing(materials, query):
    assert find_materials(materials, query) == []


@pytest.mark.parametrize(
    ("query", "offered"),
    [
        ("rutle", "rutile"),
        ("quarz", "quartz"),
        ("mp-2286", "mp-22862"),
        ("sapp", "sapphire"),
        ("sillicon", "silicon"),
        ("gallium arsenid", "gallium arsenide"),
        ("titanium dioxid", "titanium dioxide"),
    ],
)
def test_what_is_nearly_right_is_suggested(materials, query, offered):
    assert offered in suggestions(materials, query, limit=20)


def test_a_name_whose_crystal_is_not_here_is_not_offered(materials):
    assert find_materials(materials, "thoria") == []
    assert "thoria" not in suggestions(materials, "thoria", limit=20) + suggestions(materials, "thori", limit=20)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("mp149", "mp-149"), (" MP-149 ", "mp-149"), ("mp 149", "mp-149"), ("mvc-12", "mvc-12"), ("Mg", None)],
)
def test_an_id_may_be_written_carelessly(typed, meant):
    assert plain_material_id(typed) == meant


def test_names_mean_what_they_say_whether_or_not_the_crystal_is_here():
    assert known_names()["quartz"].formula == "SiO2"
    assert meaning("lead magnesium niobate").elements == {"Pb", "Mg", "Nb", "O"}
    assert meaning("lead the band") is None


def test_a_crystal_of_the_index_set_has_the_id_of_the_same_structure():
    by_row = {
        identity.row: material_id for material_id, identity in identities().items() if identity.row is not None
    }
    assert len(by_row) > 1900
    published = {m.material_id: m for name in (EMBEDDED[0], SHIPPED[2]) for m in load_dataset(name)}
    for row, material in enumerate(indexed()):
        assert (material.material_id is not None) == (row in by_row)
        same = published.get(by_row.get(row))
        if same:
            assert same.formula == material.formula
            change = identities()[by_row[row]].volume_change
            share = same.structure.density / material.structure.density
            assert share == pytest.approx(1 + (change or 0.0), rel=0.011 if change is None else 1e-3)


def test_where_two_ids_are_one_crystal_that_is_said(materials):
    (doubtful,) = find_materials(materials, "mp-733")
    assert "mp-223" in uncertain(doubtful)
    assert uncertain(find_materials(materials, "mp-149")[0]) == ""


@pytest.mark.parametrize("material_id", ["mp-23251", "mp-361"])
def test_a_crystal_that_was_relaxed_once_more_has_its_index_which_is_said(materials, material_id):
    (found,) = find_materials(materials, material_id)
    assert found.n is not None
    assert "its volume there differs by" in uncertain(found)
    assert [m for m in materials if m.formula == found.formula and m.material_id is None] == []


TYPES = {  # ID -> structure type of the textbook
    "mp-149": "diamond",
    "mp-22862": "rock salt",
    "mp-23251": "rock salt",
    "mp-2534": "zinc blende",
    "mp-2133": "wurtzite",
    "mp-2741": "fluorite",
    "mp-1960": "antifluorite",
    "mp-1143": "corundum",
    "mp-5229": "perovskite",
    "mp-2657": "rutile",
}


@pytest.mark.parametrize("material_id", TYPES)
def test_well_known_crystals_have_the_structure_type_of_the_textbook(materials, material_id):
    (found,) = find_materials(materials, material_id)
    assert structure_type_of(found) == TYPES[material_id]


@pytest.mark.parametrize(
    ("query", "formula"),
    [("SrTiO3 perovskite", "SrTiO3"), ("half-Heusler HfNiSn", "HfNiSn"), ("Be2W hexagonal Laves", "Be2W")],
)
def test_a_formula_with_a_structure_type_leads_to_crystals_of_that_type_alone(materials, query, formula):
    found = find_materials(materials, query)
    assert found
    for material in found:
        assert material.formula == formula
        assert structure_type_of(material) in query


def test_a_formula_with_a_structure_type_that_it_does_not_have_finds_nothing(materials):
    assert find_materials(materials, "NaCl perovskite") == []
