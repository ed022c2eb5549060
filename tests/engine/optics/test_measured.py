"""Measured refractive indices are those of the right crystal at a wavelength that can be compared."""

import socket

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from engine.data.datasets import load_dataset
from engine.optics.measured import LONGEST, measurements
from tests import crystals


def rutile() -> Structure:
    return Structure.from_spacegroup(
        136, Lattice.tetragonal(4.594, 2.959), ["Ti", "O"], [[0, 0, 0], [0.3053, 0.3053, 0]]
    )


def anatase() -> Structure:
    return Structure.from_spacegroup(
        141, Lattice.tetragonal(3.785, 9.514), ["Ti", "O"], [[0, 0.75, 0.125], [0, 0.75, 0.3333]]
    )


def rock_salt(cation: str, anion: str, length: float) -> Structure:
    return Structure.from_spacegroup(225, Lattice.cubic(length), [cation, anion], [[0, 0, 0], [0.5, 0.5, 0.5]])


def zincblende(cation: str, anion: str, length: float) -> Structure:
    return Structure.from_spacegroup(216, Lattice.cubic(length), [cation, anion], [[0, 0, 0], [0.25, 0.25, 0.25]])


def test_rutile_has_its_ordinary_and_extraordinary_index():
    best = measurements(rutile())[0]
    assert best.phase == "rutile"
    assert best.rays == {"o": pytest.approx(2.45, abs=0.01), "e": pytest.approx(2.71, abs=0.01)}
    np.testing.assert_allclose(best.principal, [best.rays["o"], best.rays["o"], best.rays["e"]])
    assert best.name == "Devore 1951"
    assert "10.1364" in best.address or "book=TiO2&page=Devore-o" in best.address


def test_the_curve_of_each_ray_goes_through_the_index_that_stands_for_it():
    best = measurements(rutile())[0]
    assert set(best.curves) == set(best.rays)
    for ray, curve in best.curves.items():
        assert np.interp(best.wavelength, best.wavelengths, curve) == pytest.approx(best.rays[ray], abs=1e-6)
        known = curve[np.isfinite(curve)]
        assert len(known) > 100
        assert (np.diff(known) < 0).all()  # normal dispersion, as far as rutile is transparent


def test_an_entry_that_names_another_polymorph_is_left_out():
    assert all(measured.phase is None for measured in measurements(anatase()))


def test_a_measurement_along_rays_is_left_out_where_the_crystal_tells_no_rays_apart():
    wurtzite = measurements(crystals.wurtzite())  # ZnO
    assert [set(measured.rays) for measured in wurtzite] == [{"o", "e"}]
    assert measurements(zincblende("Zn", "O", 4.6)) == []


def test_polytypes_of_one_space_group_are_told_apart():
    named = {
        (material.natoms, measured.phase)
        for material in load_dataset("matbench-dielectric")
        if material.formula == "SiC" and material.space_group_number == 186
        for measured in measurements(material.structure)
    }
    assert (8, "4H") in named
    assert (12, "6H") in named
    assert not {(12, "4H"), (8, "6H"), (4, "4H"), (16, "6H")} & named
    assert {phase for natoms, phase in named if natoms == 4} == {"hexagonal, polytype not stated"}


# Electronic permittivities at room temperature: the dispersion formulas of Li, J. Phys. Chem. Ref. Data 5, 329
# (1976), at long wavelengths, without the terms of the lattice vibrations.
@pytest.mark.parametrize(
    ("cation", "anion", "length", "permittivity"),
    [("Na", "Cl", 5.64, 2.33), ("K", "Br", 6.60, 2.36), ("Li", "F", 4.03, 1.93), ("K", "I", 7.07, 2.65)],
)
def test_the_square_of_the_index_is_the_electronic_permittivity(cation, anion, length, permittivity):
    best = measurements(rock_salt(cation, anion, length))[0]
    assert best.n**2 == pytest.approx(permittivity, rel=0.015)
    assert 0.4 < best.wavelength < LONGEST


def test_gases_films_and_glasses_are_no_crystals():
    for material in load_dataset("petousis-2017") + load_dataset("matbench-dielectric"):
        if material.formula in ("SF6", "H2", "CO2", "HfO2", "Ta2O5"):
            assert measurements(material.structure) == [], material.formula


def test_each_measurement_says_where_it_comes_from_without_markup():
    for measured in measurements(rutile()) + measurements(rock_salt("Na", "Cl", 5.64)):
        assert len(measured.citation) > 20
        assert "<" not in measured.citation + measured.name
        assert measured.address.startswith("https://refractiveindex.info/")


def test_the_crystal_may_come_in_any_cell():
    salt = rock_salt("Na", "Cl", 5.64)
    for same in (salt, salt.get_primitive_structure(), salt * (1, 1, 2)):
        assert measurements(same)[0].n == measurements(salt)[0].n


def test_a_crystal_that_nobody_measured_has_none():
    assert measurements(crystals.crystal_of_point_group("-3m")) == []


def test_nothing_is_asked_of_a_network(monkeypatch):
    def refuse(*_: object) -> None:
        raise AssertionError("asked a network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert measurements(rutile())
