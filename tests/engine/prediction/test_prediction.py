"""What a user gets from Predictor: the contract's fields, honest warnings, plain errors."""

import io
import json
from pathlib import Path

import ase
import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from pymatgen.core import Lattice, Structure
from pymatgen.io.ase import AseAtomsAdaptor

from engine import DielectricCalculator, EngineError, Predictor, load_dataset
from engine.model import unlabelled_graphs
from engine.model.shipped_models import available_models
from engine.network.force_constants import effort
from engine.optics.measured import measurements
from engine.prediction.records import predict_files, records_to_csv, to_records
from engine.prediction.warnings import of_known_gap
from engine.tensors.axes import to_ieee
from tests.engine import shipped

RECORD = {
    "citation",
    "source",
    "formula",
    "natoms",
    "electronic",
    "ionic",
    "total",
    "frame",
    "n",
    "principal_values",
} | {
    "interval90",
    "ionic_method",
    "functional",
    "read_as",
    "dft",
    "warnings",
    "error",
}


@pytest.fixture(scope="module")
def predictor():
    return shipped.predictor()


@pytest.fixture(scope="module")
def layered():
    return next(m for m in load_dataset("petousis-2017") if m.material_id == "mp-22881")  # CdCl2


@pytest.fixture(scope="module")
def small():
    """Five crystals of two or three atoms."""
    return [m.structure for m in load_dataset("petousis-2017") if m.natoms <= 3][:5]


@pytest.fixture(scope="module")
def one_by_one(predictor, small):
    return [predictor.predict(structure) for structure in small]


def salt(metal="Na", halide="Cl", a=5.64):
    """Rock salt of this cubic lattice constant, in its primitive cell."""
    cell = Lattice(a / 2 * (np.ones((3, 3)) - np.eye(3)))
    return Structure(cell, [metal, halide], [[0, 0, 0], [0.5] * 3])


def rutile(a=4.594, c=2.959):
    return Structure.from_spacegroup(
        "P4_2/mnm", Lattice.tetragonal(a, c), ["Ti", "O"], [[0, 0, 0], [0.3053, 0.3053, 0]]
    )


def test_the_intervals_of_the_total_and_of_its_parts_contradict_each_other_nowhere(predictor, one_by_one):
    for prediction in [*one_by_one, predictor.predict(rutile())]:
        electronic, ionic, total = (prediction.interval(part) for part in ("electronic", "ionic", "total"))
        assert electronic[0] + ionic[0] <= total[0] + 1e-9
        assert total[1] <= electronic[1] + ionic[1] + 1e-9
        assert electronic[0] + ionic[1] <= total[1] + 1e-9
        assert electronic[1] + ionic[0] <= total[1] + 1e-9
        assert total[0] <= np.trace(prediction.total) / 3 <= total[1]
        for part in ("electronic", "ionic", "total"):
            low, high = prediction.principal_intervals(part).T
            values = np.linalg.eigvalsh(getattr(prediction, part))
            assert (low <= values + 1e-9).all()
            assert (values <= high + 1e-9).all()


def test_where_symmetry_leaves_no_ionic_part_its_interval_is_zero_and_the_total_that_of_the_electronic(predictor):
    silicon = predictor.predict(Structure.from_spacegroup("Fd-3m", Lattice.cubic(5.43), ["Si"], [[0, 0, 0]]))
    assert silicon.interval("ionic") == (0, 0)
    assert silicon.interval("total") == silicon.interval("electronic")


@pytest.mark.parametrize("cell", [(1.8 * 4.594, 1.8 * 2.959), (4.594, 2.959 / 2)])
def test_a_crystal_whose_atoms_are_too_far_apart_or_too_close_is_told_to_be_checked(predictor, cell):
    wrong = rutile(*cell)
    assert any("check the lengths of the cell" in one for one in predictor.predict(wrong).warnings)
    assert measurements(wrong) == []
    assert not any("check the lengths" in one for one in predictor.predict(rutile()).warnings)
    assert measurements(rutile())


def test_a_narrow_gap_that_is_known_is_told_unless_crystals_nearby_told_it():
    assert "narrow" in of_known_gap(0.3, [])[0]
    assert of_known_gap(0.3, of_known_gap(0.2, [])) == of_known_gap(2.0, []) == of_known_gap(None, []) == []


def test_a_prediction_has_every_field_of_the_contract(predictor, layered):
    prediction = predictor.predict(layered.structure)
    for tensor in (prediction.electronic, prediction.ionic, prediction.total):
        assert tensor.shape == (3, 3)
        assert tensor.dtype == np.float64
        assert np.array_equal(tensor, tensor.T)
    assert np.allclose(prediction.total, prediction.electronic + prediction.ionic)
    assert np.allclose(prediction.electronic_ieee, to_ieee(prediction.electronic, layered.structure))
    assert prediction.n == pytest.approx(np.sqrt(np.trace(prediction.electronic) / 3))
    assert np.allclose(prediction.principal_values, np.linalg.eigvalsh(prediction.electronic))
    assert prediction.optical_class == "uniaxial negative"
    assert prediction.birefringence > 0


@pytest.mark.parametrize("target", ["electronic", "ionic", "total"])
def test_intervals_hold_the_prediction_and_widen_with_the_level(predictor, layered, target):
    prediction = predictor.predict(layered.structure)
    low, high = prediction.interval(target, level=0.9)
    mean = np.trace(getattr(prediction, target)) / 3
    assert low < mean < high
    wider = prediction.interval(target, level=0.95)
    assert wider[0] <= low
    assert wider[1] > high


@pytest.mark.parametrize("target", ["electronic", "ionic", "total"])
def test_every_principal_value_lies_in_an_interval_of_its_own(predictor, layered, target):
    prediction = predictor.predict(layered)
    low, high = prediction.principal_intervals(target).T
    values = np.linalg.eigvalsh(getattr(prediction, target))
    assert (low < values).all()
    assert (values < high).all()


def test_a_cell_too_large_for_force_constants_gets_a_rougher_ionic_part_that_says_so(
    predictor, layered, monkeypatch, tmp_path
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # no force constants are known from before,
    crystal = layered.structure.copy()
    crystal.scale_lattice(1.001 * crystal.volume)  # and none are shipped
    with monkeypatch.context() as small_machine:
        small_machine.setattr(unlabelled_graphs, "MOST_EFFORT", 0)
        rough = predictor.predict(crystal)
    usual = predictor.predict(crystal)
    assert (usual.ionic_method, rough.ionic_method) == ("full", "direct")
    assert any("too much for force constants" in warning for warning in rough.warnings)
    assert np.allclose(rough.electronic, usual.electronic)
    assert not np.allclose(rough.ionic, usual.ionic, rtol=1e-3)
    wide, narrow = (np.divide(*p.interval("ionic")[::-1]) for p in (rough, usual))
    assert wide > narrow


def test_a_supercell_is_answered_as_its_primitive_cell_where_that_alone_is_small_enough(
    predictor, small, monkeypatch
):
    crystal = small[0]
    monkeypatch.setattr(unlabelled_graphs, "MOST_EFFORT", effort(crystal))
    alone, repeated = predictor.predict_many([crystal, crystal * [3, 1, 2]])
    assert repeated.ionic_method == "full"
    assert np.allclose(repeated.total, alone.total, rtol=1e-3, atol=1e-4)
    assert len(repeated.structure) == 6 * len(crystal)


def test_how_the_ionic_part_was_found_is_none_where_it_was_not_asked_for(predictor, layered):
    assert predictor.predict(layered, targets=("electronic",)).ionic_method is None


def test_the_direct_ionic_part_can_be_asked_for_and_never_asks_the_potential(predictor, layered, monkeypatch):
    full = predictor.predict(layered)
    monkeypatch.setattr(unlabelled_graphs, "known_force_constants", None)
    direct = predictor.predict(layered, ionic_method="direct")
    assert (full.ionic_method, direct.ionic_method) == ("full", "direct")
    assert direct.warnings == full.warnings
    assert not np.allclose(direct.ionic, full.ionic, rtol=1e-3)
    assert np.trace(direct.ionic) == pytest.approx(np.trace(full.ionic), rel=0.3)


def test_tensors_by_the_other_functional_are_near_those_by_pbe_and_say_whose_they_are(predictor, layered):
    usual, other = (predictor.predict(layered, functional=name) for name in ("PBE", "PBEsol"))
    assert (usual.functional, other.functional) == predictor.functionals == ("PBE", "PBEsol")
    assert usual.ionic_method == other.ionic_method == "full"
    assert any("PBEsol" in warning for warning in other.warnings)
    assert not any("PBEsol" in warning for warning in usual.warnings)
    ratio = np.trace(other.electronic) / np.trace(usual.electronic)
    assert 1e-4 < abs(ratio - 1) < 0.15


def test_both_functionals_can_be_asked_at_once(predictor, layered):
    both = predictor.predict(layered, also_by_pbesol=True)
    usual, other = (predictor.predict(layered, functional=name) for name in ("PBE", "PBEsol"))
    for one, alone in ((both, usual), (both.by_pbesol, other)):
        assert one.functional == alone.functional
        np.testing.assert_array_equal(one.total, alone.total)
        np.testing.assert_array_equal(one.modes.wavenumbers, alone.modes.wavenumbers)
    assert both.vibrating is both.by_pbesol
    assert usual.vibrating is usual
    assert not np.allclose(usual.modes.wavenumbers, other.modes.wavenumbers, rtol=1e-3)


def test_where_there_is_no_other_functional_or_no_ionic_part_one_is_answered(predictor, layered):
    scratch = shipped.predictor("e3nn-scratch").predict(layered, also_by_pbesol=True)
    electronic = predictor.predict(layered, targets=["electronic"], also_by_pbesol=True)
    assert scratch.by_pbesol is electronic.by_pbesol is None


def test_a_functional_that_the_model_does_not_know_is_refused_by_name(predictor, layered):
    with pytest.raises(EngineError, match="answers as PBE or PBEsol would, got 'HSE06'"):
        predictor.predict(layered, functional="HSE06")
    with pytest.raises(EngineError, match="answers as PBE would, got 'PBEsol'"):
        shipped.predictor("e3nn-scratch").predict(layered, functional="PBEsol")


def test_a_crystal_far_from_all_training_crystals_is_pointed_out(predictor, layered):
    assert not any("times as far" in warning for warning in predictor.predict(layered).warnings)
    squeezed = salt("Cs", "I", a=4.2)
    assert any("times as far" in warning for warning in predictor.predict(squeezed).warnings)


def test_structure_atoms_and_path_give_the_same_answer(predictor, tmp_path):
    structure = salt()
    path = tmp_path / "salt.vasp"
    structure.to(filename=str(path), fmt="poscar")
    expected = predictor.predict(structure).total
    assert np.allclose(
        predictor.predict(AseAtomsAdaptor.get_atoms(structure)).total, expected, rtol=1e-4, atol=1e-4
    )
    assert np.allclose(predictor.predict(path).total, expected, rtol=1e-4, atol=1e-4)
    assert np.allclose(predictor.predict(str(path)).total, expected, rtol=1e-4, atol=1e-4)


def test_many_at_once_equals_one_by_one_and_reports_progress(predictor, small, one_by_one):
    seen = []
    together = predictor.predict_many(small, batch_size=2, progress=lambda *counts: seen.append(counts))
    assert seen == [(2, 5), (4, 5), (5, 5)]
    for one, other in zip(together, one_by_one, strict=True):
        assert np.allclose(one.total, other.total, rtol=1e-4, atol=1e-4)


def test_out_of_fold_prediction_uses_only_networks_that_never_saw_the_formula(predictor, layered):
    everyone = predictor.predict(layered.structure)
    unseen = predictor.predict(layered.structure, out_of_fold=True)
    assert not everyone.held_out
    assert unseen.held_out
    assert not np.allclose(everyone.electronic, unseen.electronic)
    assert any("CdCl2 is a formula of the training set" in warning for warning in everyone.warnings)
    assert not any("training set" in warning for warning in unseen.warnings)


def test_every_training_crystal_was_held_out_by_the_members_of_exactly_one_fold(predictor):
    folds = set(predictor._checkpoint.trained_on)
    for material in load_dataset("petousis-2017"):
        assert sum(material.formula not in formulas for formulas in folds) == 1


def test_an_element_the_training_set_lacks_is_named(predictor):
    assert "Pu" not in predictor.element_counts
    warnings = predictor.predict(salt("Pu", "N", 5.0)).warnings
    assert any("Plutonium (Pu) is in no training crystal" in warning for warning in warnings)


def test_a_metal_is_named_as_one_and_an_insulator_is_not(predictor):
    copper = Structure(Lattice.cubic(3.61), ["Cu"] * 4, [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
    brass = Structure(Lattice.cubic(2.95), ["Cu", "Zn"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    element, alloy, insulator = predictor.predict_many([copper, brass, salt()], targets=["electronic"])
    for metal in (element, alloy):
        assert metal.likely_metal
        assert "Likely metallic" in metal.warnings[0]
    assert not insulator.likely_metal
    assert not any("metal" in warning for warning in insulator.warnings)


def test_isolated_atoms_are_pointed_out(predictor):
    lonely = Structure(Lattice.cubic(20), ["Ar"], [[0, 0, 0]])
    prediction = predictor.predict(lonely)
    assert any("no neighbour within" in warning for warning in prediction.warnings)
    assert np.isfinite(prediction.total).all()


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (Structure(Lattice.cubic(4), [{"Na": 0.5, "K": 0.5}], [[0, 0, 0]]), "partly occupied"),
        (Structure(Lattice.cubic(4), ["Na", "Cl"], [[0, 0, 0], [0, 0, 0.01]]), "closer than 0.5 Å"),
        (Structure(Lattice([[1, 0, 0], [0, 1, 0], [1, 1, 0]]), ["Na"], [[0, 0, 0]]), "no volume"),
        (Structure(Lattice.cubic(4), [], []), "holds no atom"),
        (Atoms("Na", cell=[4, 4, 4], pbc=[True, True, False]), "periodic in three directions"),
        (42, "got int"),
    ],
)
def test_what_is_no_crystal_is_refused_with_a_reason(predictor, bad, message):
    with pytest.raises(EngineError, match=message):
        predictor.predict(bad)


def test_an_unknown_model_is_refused_and_the_shipped_ones_named():
    with pytest.raises(EngineError, match=f"shipped are: {', '.join(available_models())}"):
        Predictor.load("no-such-model")


def test_a_record_has_the_tensors_that_a_run_of_vasp_holds(predictor):
    run = Path(ase.__file__).parent / "test/testdata/vasp/vasprun_dfpt.xml"  # NaCl, LEPSILON
    (record,) = to_records(predict_files(predictor, [str(run)], ["electronic"]))
    assert np.array(record["dft"]["electronic"]) == pytest.approx(2.69584350 * np.eye(3))
    assert record["dft"]["ionic"] is record["dft"]["total"] is None
    assert np.array(record["electronic"]) == pytest.approx(np.array(record["dft"]["electronic"]), rel=0.1, abs=0.1)


def test_records_follow_the_contract_and_one_bad_file_stops_no_other(predictor, tmp_path):
    good, bad = tmp_path / "salt.cif", tmp_path / "bad.cif"
    salt().to(filename=str(good))
    bad.write_text("not a crystal")
    first, second, third = to_records(predict_files(predictor, [str(good), str(bad), str(good)]))
    assert json.loads(json.dumps(first)) == first
    assert set(first) >= RECORD
    assert set(second) == set(first)
    assert first["error"] is None
    assert second["error"]
    assert second["electronic"] is None
    assert np.allclose(third["total"], first["total"], atol=1e-5)  # force constants are kept in single precision
    assert first["frame"] == "structure"
    assert (first["read_as"]["formula"], first["read_as"]["number"]) == ("NaCl", 225)
    assert first["read_as"]["density"] == pytest.approx(2.16, abs=0.02)
    assert first["read_as"]["assumed"] == []
    assert first["dft"] is None
    low, high = first["interval90"]
    assert low < np.trace(first["electronic"]) / 3 < high
    (tmp_path / "out.csv").write_text(records_to_csv([first, second]))
    table = pd.read_csv(tmp_path / "out.csv")
    assert table.total_xx[0] == pytest.approx(first["total"][0][0])
    for part in ("electronic", "ionic", "total"):
        low, high = first["intervals90"][part]["mean"]
        assert table[[f"{part}_interval90_low", f"{part}_interval90_high"]].iloc[0].tolist() == pytest.approx(
            [low, high]
        )
    assert (table.ionic_method[0], table.functional[0]) == ("full", "PBE")
    assert table.error.notna().tolist() == [False, True]


def test_the_ase_calculator_gives_the_total_tensor_in_the_axes_of_the_atoms(predictor):
    atoms = AseAtomsAdaptor.get_atoms(salt())
    atoms.rotate(30, "z", rotate_cell=True)
    atoms.calc = DielectricCalculator(device="cpu")
    assert DielectricCalculator.implemented_properties == ["dielectric_tensor", "born_effective_charges"]
    tensor = atoms.calc.get_property("dielectric_tensor", atoms)
    charges = atoms.calc.get_property("born_effective_charges", atoms)
    expected = predictor.predict(atoms)
    assert np.allclose(tensor, expected.total)
    assert np.allclose(charges, expected.born_charges)


def test_the_electronic_tensor_alone_is_the_same_and_needs_no_force_constants(predictor, layered, monkeypatch):
    both = predictor.predict(layered)
    monkeypatch.setattr(unlabelled_graphs, "known_force_constants", None)
    alone = predictor.predict(layered, targets=("electronic",))
    assert np.array_equal(alone.electronic, both.electronic)
    assert alone.interval("electronic") == both.interval("electronic")
    assert alone.ionic is None
    assert alone.total is None


def test_a_target_that_the_model_lacks_is_refused_by_name(predictor, layered):
    with pytest.raises(EngineError, match="predicts electronic and ionic, got total"):
        predictor.predict(layered, targets=("total",))


def test_silicon_has_no_ionic_part(predictor):
    silicon = Structure.from_spacegroup(
        "Fd-3m", Lattice.cubic(5.43), ["Si"], [[0, 0, 0]]
    ).get_primitive_structure()
    prediction = predictor.predict(silicon)
    assert np.abs(prediction.ionic).max() == 0
    assert np.array_equal(prediction.total, prediction.electronic)


def test_a_material_and_its_structure_have_the_same_prediction(predictor):
    for material in load_dataset("petousis-2017")[:3]:
        ours, theirs = predictor.predict(material), predictor.predict(material.structure)
        assert np.allclose(ours.electronic, theirs.electronic, rtol=1e-6)
        assert np.allclose(ours.ionic, theirs.ionic, rtol=1e-5, atol=1e-5)


def test_memory_running_out_halves_the_batch_and_changes_no_number(predictor, small, one_by_one, monkeypatch):
    import torch

    from engine.network.network import DielectricNetwork

    latent = DielectricNetwork.latent

    def small_memory(network, graph):
        if len(graph.cell) > 2:
            raise torch.OutOfMemoryError("injected")
        return latent(network, graph)

    monkeypatch.setattr(DielectricNetwork, "latent", small_memory)
    for one, other in zip(predictor.predict_many(small), one_by_one, strict=True):
        assert np.allclose(one.total, other.total, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", available_models())
def test_a_file_of_predictions_says_what_to_cite(layered, name):
    prediction = shipped.predictor(name).predict(layered.structure, targets=["electronic"])
    (record,) = to_records([("one", prediction)])
    assert record["citation"].startswith("Petousis et al., Sci. Data 4, 160134 (2017)")
    assert "\n" not in record["citation"]
    assert record["citation"] in pd.read_csv(io.StringIO(records_to_csv([record])))["citation"].iloc[0]
