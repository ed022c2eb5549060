"""Born charges and tensors of PBEsol are judged on formulas that taught nothing."""

from dataclasses import replace

import numpy as np
import pytest

from engine.evaluation.phonon_errors import _frequencies, phonon_errors
from engine.model.checkpoint import Checkpoint
from engine.model.inference import predict_charges
from engine.training.loop import start_training, train
from engine.training.phonon_training import with_direct
from tests.engine.small import materials, taught_by_salts

LEFT_OUT = (frozenset({"MgO"}), frozenset({"KBr"}))


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return taught_by_salts(tmp_path_factory.mktemp("phonons"))


@pytest.fixture(scope="module")
def folds(settings):
    few = [material for material in materials(20) if material.natoms <= 3]
    trainings = [start_training(few, (), settings, formulas) for formulas in LEFT_OUT]
    for training in trainings:
        list(train(training))
    return trainings


def network(training):
    return with_direct(training.result, seed=0)


def checkpoint(training):
    return Checkpoint(networks=[network(training)], trained_on=(training.trained_on,), element_counts={})


def test_each_crystal_is_judged_by_the_fold_that_left_it_out(folds, settings):
    found = phonon_errors([checkpoint(one) for one in folds], LEFT_OUT, settings)
    assert (found.crystals, found.atoms, found.electronic.count) == (2, 4, 2)
    expected = []
    for training, other in zip(folds, reversed(folds), strict=True):
        known = [one for one in other.phonons if one.formula not in training.trained_on]
        assert len(known) == 1
        graphs = [g for g in other.phonon_graphs if g.atomic_numbers.tolist() == known[0].atomic_numbers.tolist()]
        charges = predict_charges(training.result, graphs).numpy()
        expected.append(np.abs(charges - graphs[0].born.numpy()).mean())
    assert found.charges.component == pytest.approx(np.mean(expected), rel=1e-5)


def test_without_a_crystal_left_out_there_is_nothing_to_judge(folds, settings):
    assert phonon_errors([checkpoint(folds[0])], (frozenset({"SiC"}),), settings) is None


def test_the_frequency_of_a_salt_is_that_of_two_masses_on_a_spring():
    salt = materials(1)[0]
    first, second = 22.99, 35.45  # amu
    block = np.eye(3)
    constants = 2.0 * np.block([[block, -block], [-block, block]])  # eV/Å^2
    salt = replace(salt, atomic_numbers=(11, 17), frac_coords=np.array([[0, 0, 0], [0.5, 0.5, 0.5]]))
    found = _frequencies(constants, salt)
    expected = np.sqrt(2.0 * (1 / first + 1 / second)) * 521.47  # cm^-1
    assert found == pytest.approx([expected] * 3, rel=1e-3)
    assert _frequencies(-constants, salt) == pytest.approx([-expected] * 3, rel=1e-3)
