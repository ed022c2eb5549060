"""The elastic and piezoelectric tensors that ship lie in their crystals as symmetry wants it."""

from dataclasses import replace

import numpy as np
import pytest

from engine.data.catalogue import catalogued, indexed
from engine.data.datasets import load_dataset
from engine.data.mechanical import mechanical_of
from engine.prediction.records import material_record
from engine.tensors.axes import point_group_rotations, residual_under
from engine.tensors.elasticity import is_stable, moduli
from engine.tensors.piezoelectricity import longitudinal
from engine.tensors.voigt import piezoelectric_tensor, stiffness_tensor

ALLOWED = 0.05  # Neumann residual, as data/README.md promises
ROUNDED = 1e-3  # C/m^2, what five digits after the point leave of the smallest tensors


@pytest.fixture(scope="module")
def found():
    learnt = [*load_dataset("petousis-2017"), *indexed()]
    pairs = ((one, mechanical_of(one)) for one in [*learnt, *catalogued(learnt)])
    return [(material, tensors) for material, tensors in pairs if tensors is not None]


def of(material_id, found):
    return next(tensors for material, tensors in found if material.material_id == material_id)


def test_every_id_of_the_file_has_one_crystal_that_its_tensors_belong_to(found):
    ids = [material.material_id for material, _ in found]
    assert len(ids) == len(set(ids)) == 2069
    assert sum(tensors.elastic is not None for _, tensors in found) == 1174
    assert sum(tensors.piezoelectric is not None for _, tensors in found) == 519


def test_every_tensor_obeys_the_point_group_of_the_crystal_that_is_shown(found):
    wrong = []
    for material, tensors in found:
        held = []
        if tensors.elastic is not None:
            held.append(stiffness_tensor(tensors.elastic))
        if tensors.piezoelectric is not None:
            held.append(piezoelectric_tensor(tensors.piezoelectric))
        if held:
            group = point_group_rotations(material.structure)
            wrong += [material.material_id for one in held if residual_under(group, one) > ALLOWED + ROUNDED]
    assert not wrong


def test_every_elastic_tensor_is_symmetric_and_stable(found):
    for _, tensors in found:
        if tensors.elastic is not None:
            np.testing.assert_array_equal(tensors.elastic, tensors.elastic.T)
            assert is_stable(tensors.elastic)


def test_a_turned_piezoelectric_tensor_says_along_directions_what_the_published_one_says(found):
    turned = [tensors for _, tensors in found if tensors.piezoelectric is not None]
    for tensors in turned[::10]:
        here, published = longitudinal(tensors.piezoelectric), longitudinal(tensors.piezoelectric_ieee)
        assert here.high == pytest.approx(published.high, abs=1e-4)


def test_silicon_and_aluminium_nitride_are_as_textbooks_have_them(found):
    silicon = moduli(of("mp-149", found).elastic)
    assert silicon.bulk == pytest.approx(98, rel=0.2)  # GPa, measured; PBE is softer
    assert silicon.shear == pytest.approx(66, rel=0.2)
    nitride = of("mp-661", found)
    assert abs(nitride.piezoelectric[2, 2]) == pytest.approx(1.46, abs=0.1)  # Bernardini et al. (1997), e33
    assert np.sign(nitride.piezoelectric[2, 2]) == -np.sign(nitride.piezoelectric[2, 0])


def test_quartz_is_drawn_but_its_matrix_stays_in_the_axes_of_the_source(found):
    """Axes turned by 180° about c give e14 the other sign beside e11, and the surface the same form."""
    quartz = of("mp-6930", found)
    assert quartz.orientation == "longitudinal"
    material = next(material for material, _ in found if material.material_id == "mp-6930")
    record = material_record(material)["mechanical"]
    assert record["piezoelectric_C_per_m2"] is None
    np.testing.assert_array_equal(record["piezoelectric_ieee_C_per_m2"], quartz.piezoelectric_ieee)
    assert list(record["citations"]) == ["piezoelectric"]
    assert "150053" in record["citations"]["piezoelectric"]


def test_another_structure_under_the_same_id_gets_no_tensor(found):
    material, _ = found[0]
    assert mechanical_of(replace(material, source="mine.parquet")) is None
    assert mechanical_of(replace(material, material_id=None)) is None
