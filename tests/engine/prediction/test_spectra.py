"""Files of ions and spectra, read back by the programs that they are for."""

import io
import json

import numpy as np
import pandas as pd
import phonopy
import pytest
import yaml
from phonopy.file_IO import parse_BORN
from phonopy.structure.atoms import PhonopyAtoms
from pydefect.analyzer.unitcell import Unitcell

from engine import EngineError
from engine.cli import main
from engine.prediction.spectra import Sweep, born_file, index_file, phonopy_file, spectrum_file, unitcell_file
from engine.vibrations.units import PER_THZ, from_wavenumber


def test_phonopy_reads_back_the_charges_of_all_atoms_from_those_of_a_few(prediction, tmp_path):
    path = tmp_path / "BORN"
    path.write_text(born_file(prediction))
    structure = prediction.structure
    atoms = PhonopyAtoms(
        numbers=structure.atomic_numbers, cell=structure.lattice.matrix, scaled_positions=structure.frac_coords
    )
    found = parse_BORN(atoms, filename=path)
    assert len(path.read_text().splitlines()) < 2 + len(structure)
    assert found["born"] == pytest.approx(prediction.born_charges, abs=1e-4)
    assert found["dielectric"] == pytest.approx(prediction.electronic, abs=1e-4)


def test_phonopy_takes_its_parameters_back_to_the_same_frequencies(prediction, tmp_path):
    path = tmp_path / "phonopy_params.yaml"
    path.write_text(phonopy_file(prediction))
    phonons = phonopy.load(path, log_level=0)
    phonons.run_qpoints([[0, 0, 0]])
    frequencies = phonons.qpoints.frequencies[0]
    assert np.abs(frequencies[:3]).max() < 1e-3
    assert frequencies[3:] * PER_THZ == pytest.approx(prediction.modes.wavenumbers, abs=1e-2)


def test_longitudinal_frequencies_of_phonopy_differ_by_what_the_mean_of_networks_does(prediction, tmp_path):
    path = tmp_path / "phonopy_params.yaml"
    path.write_text(phonopy_file(prediction))
    phonons = phonopy.load(path, log_level=0)
    phonons.run_qpoints([[0, 0, 0]], nac_q_direction=[1, 1, 1])
    wave = np.linalg.inv(phonons.primitive.cell).sum(1)
    found = phonons.qpoints.frequencies[0][3:] * PER_THZ
    assert found == pytest.approx(prediction.modes.longitudinal(wave), rel=0.05)


def test_pydefect_reads_both_tensors(prediction, tmp_path):
    path = tmp_path / "unitcell.yaml"
    path.write_text(unitcell_file(prediction))
    found = Unitcell.from_yaml(str(path))
    assert found.system == "CdCl2"
    assert np.array(found.ele_dielectric_const) == pytest.approx(prediction.electronic)
    assert np.array(found.dielectric_constant) == pytest.approx(prediction.total)


def test_comments_hold_the_total_tensor_for_doped_and_sxdefectalign(prediction):
    axes, _, doped, _, sxdefectalign = unitcell_file(prediction).splitlines()[:5]
    assert "axes of the structure" in axes
    assert doped.startswith("# dielectric = ")
    assert np.array(json.loads(doped.split(" = ")[1])) == pytest.approx(prediction.total, abs=1e-6)
    values = [float(one) for one in sxdefectalign.split("--tensor ")[1].split(",")]
    voigt = prediction.total[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
    assert values == pytest.approx(voigt, abs=1e-6)


def test_a_spectrum_names_its_unit_and_holds_the_permittivity(prediction):
    sweep = Sweep(start=1.0, stop=10.0, points=10, damping=0.2, unit="THz")
    table = pd.read_csv(io.StringIO(spectrum_file(prediction, sweep)))
    assert table["frequency_THz"].tolist() == pytest.approx(range(1, 11))
    expected = prediction.permittivity(np.arange(1, 11) * PER_THZ, 0.2 * PER_THZ)
    assert table["permittivity_yz_real"].to_numpy() == pytest.approx(expected[:, 1, 2].real)
    assert table["permittivity_xx_imaginary"].to_numpy() == pytest.approx(expected[:, 0, 0].imag)


def test_refractive_indices_are_tabulated_against_ascending_wavelengths(prediction):
    sweep = Sweep(start=100.0, stop=400.0, points=4)
    axis = np.linalg.eigh(prediction.electronic)[1][:, 0]
    (data,) = yaml.safe_load(index_file(prediction, sweep, axis))["DATA"]
    assert data["type"] == "tabulated nk"
    rows = np.array([line.split() for line in data["data"].splitlines()], dtype=float)
    assert rows[:, 0] == pytest.approx([25, 1e4 / 300, 50, 100], rel=1e-5)
    expected = prediction.permittivity([100.0], 8.0)[0]
    assert (rows[-1, 1] + 1j * rows[-1, 2]) ** 2 == pytest.approx(axis @ expected @ axis, rel=1e-3)


def test_no_single_index_is_given_for_a_field_between_principal_axes(prediction):
    axes = np.linalg.eigh(prediction.electronic)[1]
    with pytest.raises(EngineError, match="along a principal axis"):
        index_file(prediction, Sweep(), axes[:, 0] + axes[:, 2])


def test_the_command_line_writes_one_crystal_in_the_units_asked_for(layered, tmp_path, capsys):
    crystal, out, table = tmp_path / "CdCl2.cif", tmp_path / "BORN", tmp_path / "out.csv"
    layered.structure.to(filename=str(crystal))
    files = ["--born", str(out), "--spectrum", str(table), "--unit", "meV", "--from", "5", "--to", "50"]
    options = ["--points", "10", "--damping", "1", "--device", "cpu", "--ionic-method", "direct"]
    assert main(["predict", str(crystal), *files, *options]) == 0
    assert capsys.readouterr().out == ""
    assert out.read_text().startswith("# epsilon and Z* of atoms")
    assert pd.read_csv(table)["frequency_meV"].tolist() == pytest.approx(range(5, 51, 5))
    assert main(["predict", str(crystal), str(crystal), "--born", str(out), "--device", "cpu"]) == 1
    assert "write the file of one crystal" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("start", "stop", "unit", "step"),
    [(20, 1500, "cm^-1", 1), (50, 1500, "cm^-1", 1), (100, 400, "cm^-1", 0.2), (1, 10, "THz", 0.005)],
)
def test_the_frequencies_of_a_spectrum_are_round_numbers_unless_their_number_is_given(start, stop, unit, step):
    asked = {"start": start, "stop": stop, "unit": unit}
    found = from_wavenumber(Sweep(**asked).wavenumber, unit)
    assert np.diff(found) == pytest.approx(step)
    assert found[[0, -1]] == pytest.approx([start, stop])
    assert len(Sweep(**asked, points=7).wavenumber) == 7


@pytest.mark.parametrize("wrong", [{"start": 0}, {"start": 9, "stop": 3}, {"damping": -1}, {"points": 1}])
def test_a_sweep_that_cannot_be_is_refused(wrong):
    with pytest.raises(EngineError):
        Sweep(**wrong)
