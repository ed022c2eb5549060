"""Modes at the zone centre: what mechanics, symmetry and causality say of them."""

from dataclasses import replace

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from engine.errors import EngineError
from engine.network.constants import SOFTEST, UNIT
from engine.vibrations.modes import modes_of
from engine.vibrations.units import PER_ROOT_CURVATURE, from_wavenumber, to_wavenumber
from tests import crystals
from tests.engine import ions

ELECTRONIC = np.diag([2.0, 2.5, 3.0])
IONIC = np.array([[5.0, 0.3, 0.1], [0.3, 4.0, 0.2], [0.1, 0.2, 2.0]])
LOW = np.linspace(0, 4000, 4001)
ORTHORHOMBIC = Structure.from_spacegroup(
    62, Lattice.orthorhombic(5.4, 7.6, 5.3), ["Mg", "O"], [[0.03, 0.25, 0.99], [0.47, 0.25, 0.08]]
)


def modes(structure, ionic, electronic=ELECTRONIC, seed=0):
    return modes_of(ions.drawn(structure, seed), np.arange(len(structure)), ionic, electronic)


@pytest.fixture(scope="module")
def triclinic():
    return modes(crystals.triclinic(), IONIC)


@pytest.fixture(scope="module")
def orthorhombic():
    return modes(ORTHORHOMBIC, np.diag([5.0, 4.0, 2.0]))


def salt(charge=1.1, k=3.0, ionic=None, electronic=2.4):
    """Rock salt on isotropic springs k between its two ions."""
    cell = Lattice(2.82 * (np.ones((3, 3)) - np.eye(3)))
    structure = Structure(cell, ["Na", "Cl"], [[0, 0, 0], [0.5] * 3])
    charges = charge * np.stack([np.eye(3), -np.eye(3)])
    crystal = ions.of(structure, charges, np.kron([[k, -k], [-k, k]], np.eye(3)))
    if ionic is None:
        ionic = UNIT / crystal.volume * charge**2 / k
    return modes_of(crystal, np.arange(2), ionic * np.eye(3), electronic * np.eye(3)), crystal


def test_two_ions_on_one_spring_follow_the_closed_form():
    found, crystal = salt(charge=1.1, k=3.0, electronic=2.4)
    reduced = 1 / (1 / crystal.masses).sum()
    plasma = UNIT / crystal.volume * 1.1**2 / reduced  # square of the ions' plasma frequency
    transverse = np.sqrt(3.0 / reduced) * PER_ROOT_CURVATURE
    assert found.wavenumbers == pytest.approx(transverse)
    assert found.longitudinal([1, 2, 3]) == pytest.approx(
        [transverse] * 2 + [np.sqrt(3.0 / reduced + plasma / 2.4) * PER_ROOT_CURVATURE]
    )
    assert found.strengths.sum(0) == pytest.approx(UNIT / crystal.volume * 1.1**2 / 3.0 * np.eye(3))
    assert found.displacements[0, 0] == pytest.approx(
        -found.displacements[0, 1] * crystal.masses[1] / crystal.masses[0]
    )


def test_the_permittivity_goes_from_the_static_to_the_electronic_tensor(triclinic):
    still, fast = triclinic.permittivity([0.0, 1e9], 8.0)
    assert still == pytest.approx(ELECTRONIC + IONIC)
    assert fast == pytest.approx(ELECTRONIC)


@pytest.mark.parametrize("symbol", ["1", "mm2", "32", "6mm", "-43m", "m-3m"])
def test_strengths_add_up_to_the_ionic_tensor_in_every_symmetry(symbol):
    structure = crystals.small_crystal_of_point_group(symbol)
    crystal = ions.drawn(structure)
    pull = crystal.charges.transpose(0, 2, 1).reshape(-1, 3)
    ionic = 0.7 * UNIT / crystal.volume * pull.T @ np.linalg.pinv(crystal.force_constants, rtol=1e-9) @ pull
    found = modes_of(crystal, np.arange(len(structure)), ionic, ELECTRONIC)
    assert found.infrared.any()
    assert found.strengths.sum(0) == pytest.approx(ionic, abs=1e-9)
    assert (np.linalg.eigvalsh(found.strengths) > -1e-12).all()


def test_heavy_ions_on_the_same_springs_move_slowly():
    stiff, charges = 5 * np.kron([[1, -1], [-1, 1]], np.eye(3)), np.stack([np.eye(3), -np.eye(3)])
    cell = Lattice(2.82 * (np.ones((3, 3)) - np.eye(3)))
    found = []
    for metal in ("Li", "Cs"):
        crystal = ions.of(Structure(cell, [metal, "Cl"], [[0, 0, 0], [0.5] * 3]), charges, stiff)
        found.append(modes_of(crystal, np.arange(2), np.eye(3), None))
    light, heavy = found
    assert (light.wavenumbers > 1.5 * heavy.wavenumbers).all()


def test_mode_charges_are_those_of_the_ions_where_the_ionic_tensor_is_theirs():
    crystal = ions.drawn(crystals.triclinic())
    pull = crystal.charges.transpose(0, 2, 1).reshape(-1, 3)
    ionic = UNIT / crystal.volume * pull.T @ np.linalg.pinv(crystal.force_constants, rtol=1e-9) @ pull
    found = modes_of(crystal, np.arange(3), ionic, None)
    plain = np.einsum("iab,mib->ma", crystal.charges, found.vectors / np.sqrt(crystal.masses)[:, None])
    held = np.hypot(2, SOFTEST) / 2  # the softest drawn spring
    assert found.charges == pytest.approx(plain, rel=held - 1, abs=1e-3)


def test_the_lyddane_sachs_teller_relation_holds_along_each_principal_axis(orthorhombic):
    static, fast = orthorhombic.permittivity([0.0, 1e9], 0.0).real
    for axis in range(3):
        direction = np.eye(3)[axis]
        pairs = orthorhombic.longitudinal_pairs(direction)
        own = np.array([orthorhombic.wavenumbers[orthorhombic.sets[index][0]] for index in pairs])
        assert np.prod((np.array(list(pairs.values())) / own) ** 2) == pytest.approx(
            static[axis, axis] / fast[axis, axis], rel=1e-6
        )


def test_longitudinal_frequencies_are_where_the_permittivity_along_the_wave_is_zero(orthorhombic):
    for frequency in orthorhombic.longitudinal_pairs([0, 1, 0]).values():
        near = orthorhombic.permittivity(np.array([frequency - 1e-3, frequency + 1e-3]), 0.0)[:, 1, 1].real
        assert near[0] < 0 < near[1]


def test_longitudinal_modes_are_those_of_the_whole_dynamical_matrix(triclinic):
    direction = np.array([0.6, -0.3, 1.0])
    ladder = list(triclinic.longitudinal_pairs(direction).values())
    assert triclinic.longitudinal(direction) == pytest.approx(ladder)
    assert (triclinic.wavenumbers <= triclinic.longitudinal(direction)).all()


def test_no_light_is_created_whatever_its_direction_frequency_and_damping(triclinic):
    absorbed = triclinic.permittivity(LOW, np.linspace(1, 60, len(triclinic))).imag
    assert (np.linalg.eigvalsh(absorbed) > -1e-12).all()


def test_the_permittivity_obeys_the_relation_of_kramers_and_kronig(triclinic):
    grid = np.linspace(0, 40000, 400001)[1:]
    absorbed = triclinic.permittivity(grid, 30.0)[:, 0, 0].imag
    shift = (grid[1] - grid[0]) / 2
    for asked in (100 + shift, 700 + shift, 2500 + shift):  # between points: the pole is left out evenly
        integral = (grid * absorbed / (grid**2 - asked**2)).sum() * 2 * shift
        found = triclinic.permittivity([asked], 30.0)[0, 0, 0].real
        assert found == pytest.approx(ELECTRONIC[0, 0] + 2 / np.pi * integral, abs=2e-3)


def test_an_unstable_mode_is_named_and_its_frequency_written_as_below_zero():
    found, _ = salt(k=-0.5, ionic=2.0)
    assert found.unstable.all()
    assert found.soft.all()
    assert (found.wavenumbers < 0).all()
    assert found.strengths.sum(0) == pytest.approx(2 * np.eye(3))


def test_a_mode_that_the_ionic_tensor_holds_stiffer_is_named_soft():
    assert salt(k=SOFTEST / 4)[0].soft.all()
    assert not salt(k=10 * SOFTEST)[0].soft.any()


def test_symmetry_says_what_light_sees_of_textbook_crystals():
    cubic, _ = salt()
    assert set(cubic.labels) == {"T1u"}
    assert cubic.infrared.all()
    assert not cubic.raman.any()
    silicon = modes(crystals.diamond().get_primitive_structure(), np.zeros((3, 3)))
    assert set(silicon.labels) == {"T2g"}
    assert silicon.raman.all()
    assert not silicon.infrared.any()
    assert not silicon.charges.any()
    zincite = modes(crystals.wurtzite(), np.diag([4.0, 4, 5]))
    assert sorted(zincite.labels) == sorted(["A1", "B1", "B1", "E1", "E1", "E2", "E2", "E2", "E2"])
    assert {label for label, active in zip(zincite.labels, zincite.infrared, strict=True) if active} == {
        "A1",
        "E1",
    }


def test_only_modes_that_symmetry_lets_absorb_have_a_charge():
    for structure in (crystals.wurtzite(), ORTHORHOMBIC):
        found = modes(structure, np.diag([4.0, 4, 5]))
        charged = np.linalg.norm(found.charges, axis=1) > 1e-9
        assert (charged == found.infrared).all()


def test_degenerate_modes_are_given_with_charges_at_right_angles():
    found, _ = salt()
    assert found.charges @ found.charges.T == pytest.approx(np.diag((found.charges**2).sum(1)), abs=1e-12)
    assert np.abs(found.charges).max(1) == pytest.approx(np.linalg.norm(found.charges, axis=1))


def test_a_crystal_of_one_atom_has_no_modes_and_the_electronic_permittivity():
    found = modes(crystals.fcc_primitive(), np.zeros((3, 3)))
    assert len(found) == 0
    assert found.permittivity([0.0, 100.0], 5.0) == pytest.approx(np.stack([ELECTRONIC] * 2))


def test_images_of_an_atom_move_alike_in_a_supercell():
    unit = crystals.wurtzite()
    whole = unit * (2, 1, 1)
    crystal = ions.drawn(unit)
    found = modes_of(crystal, crystal.images(whole), np.diag([4.0, 4, 5]), None)
    apart = whole.lattice.matrix[0] / 2
    for site, other in ((i, j) for i in range(8) for j in range(8)):
        gap = (whole[site].coords + apart - whole[other].coords) @ np.linalg.inv(whole.lattice.matrix)
        if np.allclose(gap, np.rint(gap)):
            assert np.array_equal(found.displacements[:, site], found.displacements[:, other])


def test_what_was_not_asked_for_and_what_cannot_be_is_refused(triclinic):
    with pytest.raises(EngineError, match="must not be negative"):
        triclinic.permittivity([-1.0], 8.0)
    with pytest.raises(EngineError, match="damping must not be negative"):
        triclinic.permittivity([1.0], -8.0)
    with pytest.raises(EngineError, match="ask for both targets"):
        modes(crystals.triclinic(), IONIC, None).permittivity([1.0], 8.0)


@pytest.mark.parametrize(("unit", "value"), [("THz", 2.99792458), ("meV", 12.3984198), ("µm", 100.0)])
def test_units_of_frequency_are_those_of_codata(unit, value):
    assert from_wavenumber(100.0, unit) == pytest.approx(value, rel=1e-6)
    assert to_wavenumber(value, unit) == pytest.approx(100.0, rel=1e-6)


def test_a_stable_mode_under_three_tenths_of_the_highest_frequency_is_delicate(orthorhombic):
    curvature = np.full(len(orthorhombic), 100.0)
    curvature[:3] = -1.0, 8.0, 10.0  # frequencies of i, 2.8 and 3.2 beside 10
    found = replace(orthorhombic, curvature=curvature)
    assert found.delicate.tolist() == [False, True] + [False] * (len(found) - 2)
