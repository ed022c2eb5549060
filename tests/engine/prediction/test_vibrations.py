"""Born charges, modes and permittivity as a prediction gives them, on the shipped model."""

import numpy as np
import pytest

from engine import EngineError, load_dataset
from engine.tensors.tensors import symmetrise
from tests.engine import shipped

SUPERCELL = np.array([[1, 1, 0], [-1, 1, 0], [0, 0, 1]])


def test_charges_add_up_to_zero_and_obey_the_point_group(prediction):
    charges = prediction.born_charges
    assert charges.shape == (len(prediction.structure), 3, 3)
    assert charges.sum(0) == pytest.approx(np.zeros((3, 3)), abs=1e-12)
    for op in prediction.ions.operations:
        turned = op.rotation_cartesian @ charges @ op.rotation_cartesian.T
        assert charges[op.permutation] == pytest.approx(turned, abs=1e-9)


def test_charges_are_those_of_the_networks_to_the_rounding_of_single_precision(prediction):
    assert prediction.born_charges == pytest.approx(prediction.ions.charges, abs=1e-3)


def test_modes_carry_the_tensors_of_the_prediction(prediction):
    assert prediction.modes.strengths.sum(0) == pytest.approx(prediction.ionic, abs=1e-9)
    still, fast = prediction.permittivity([0.0, 1e9], 8.0)
    assert still == pytest.approx(prediction.total)
    assert fast == pytest.approx(prediction.electronic)


def test_a_supercell_has_the_charges_modes_and_permittivity_of_its_crystal(prediction, layered):
    larger = layered.structure.make_supercell(SUPERCELL, in_place=False)
    found = shipped.predictor().predict(larger, ionic_method="direct")
    single = shipped.predictor().predict(layered, ionic_method="direct")
    assert found.born_charges.shape == (2 * len(layered.structure), 3, 3)
    assert found.modes.displacements.shape == (len(single.modes), 2 * len(layered.structure), 3)
    assert found.modes.wavenumbers == pytest.approx(single.modes.wavenumbers, abs=0.05)
    for site, charge in zip(larger, found.born_charges, strict=True):
        at = layered.structure.lattice.get_distance_and_image
        place = next(
            i for i, one in enumerate(layered.structure) if at(one.frac_coords, _in(layered, site))[0] < 0.01
        )
        assert charge == pytest.approx(single.born_charges[place], abs=1e-3)


def _in(material, site):
    return material.structure.lattice.get_fractional_coords(site.coords)


def test_intervals_of_modes_hold_the_modes_and_widen_with_their_level(prediction):
    wide, narrow = (prediction.mode_intervals(level).wavenumber for level in (0.9, 0.5))
    modes = prediction.modes
    seen = modes.first(modes.infrared)
    own = modes.first(modes.wavenumbers)[seen]
    assert (wide[seen, 0] < narrow[seen, 0]).all()
    assert ((wide[seen, 0] < own) & (own < wide[seen, 1])).all()


def test_a_model_without_vibrations_says_that_it_has_none(layered):
    plain = shipped.predictor("e3nn-scratch").predict(layered)
    assert plain.born_charges is None
    assert plain.modes is None
    with pytest.raises(EngineError, match="does not make it of vibrations"):
        plain.permittivity([100.0], 8.0)


def test_the_electronic_tensor_alone_comes_without_modes(layered):
    assert shipped.predictor().predict(layered, targets=["electronic"]).modes is None


def test_the_permittivity_turns_with_the_crystal(prediction):
    found = prediction.permittivity(np.linspace(50, 400, 8), 8.0)
    assert found == pytest.approx(symmetrise(found))
    for op in prediction.ions.operations:
        assert op.rotation_cartesian @ found @ op.rotation_cartesian.T == pytest.approx(found, abs=1e-2)


def test_a_crystal_with_an_unstable_vibration_comes_with_a_warning(prediction):
    perovskite = next(m for m in load_dataset("petousis-2017") if m.material_id == "mp-2998")  # cubic BaTiO3
    found = shipped.predictor().predict(perovskite, out_of_fold=True)
    count = int(found.modes.unstable.sum())
    assert count
    assert any(f"{count} of the vibrations at the zone centre are unstable" in one for one in found.warnings)
    assert not any("unstable" in one for one in prediction.warnings)


def test_a_polar_mode_that_is_left_over_from_cancelling_forces_comes_with_a_warning(prediction):
    salt = next(m for m in load_dataset("petousis-2017") if m.material_id == "mp-557835")  # TlF
    found = shipped.predictor().predict(salt, out_of_fold=True)
    assert np.linalg.eigvalsh(found.ionic)[-1] > 8 * np.linalg.eigvalsh(found.electronic)[-1]
    assert any("nearly cancel" in one for one in found.warnings)
    assert not any("nearly cancel" in one for one in prediction.warnings)
