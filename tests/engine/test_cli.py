"""The command line of the contract: exit statuses, one-line errors, JSON on standard output."""

import json
import subprocess
import sys
from pathlib import Path

import ase
import pytest
from pymatgen.io.vasp import Poscar

from engine.cli import main
from engine.data.parquet import write_materials
from tests.disordered import ALLOY, PEROVSKITE, disordered_cif
from tests.engine.small import materials
from tests.low_dimensional import disulfide

RUTILE = str(Path(__file__).parents[1] / "files" / "rutile.cif")
SMALL = [
    "--backbone",
    "scratch",
    "--epochs",
    "1",
    "--mul",
    "4",
    "--num-layers",
    "1",
    "--r-max",
    "4",
    "--device",
    "cpu",
]


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "small.parquet"
    write_materials(path, materials())
    return str(path)


def test_the_program_runs_as_a_module_and_prints_only_json():
    options = ["--target", "electronic", "--json", "-", "--device", "cpu"]
    command = [sys.executable, "-m", "engine", "predict", RUTILE, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    (record,) = json.loads(done.stdout)
    assert record["formula"] == "TiO2"


def test_predict_writes_files_and_returns_one_when_a_file_is_refused(tmp_path, capsys):
    out, table = tmp_path / "out.json", tmp_path / "out.csv"
    status = main(["predict", RUTILE, "missing.cif", "--json", str(out), "--csv", str(table), "--device", "cpu"])
    assert status == 1
    records = json.loads(out.read_text())
    assert [record["error"] is None for record in records] == [True, False]
    assert len(table.read_text().splitlines()) == 3
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith("error: 1 of 2 refused: ")
    assert "missing.cif" in error


@pytest.mark.parametrize(
    ("target", "parts"), [("electronic", ["electronic"]), ("total", ["electronic", "ionic", "total"])]
)
def test_predict_computes_no_more_than_the_target_that_is_asked(target, parts, capsys):
    assert main(["predict", RUTILE, "--target", target, "--json", "-", "--device", "cpu"]) == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert [part for part in ("electronic", "ionic", "total") if record[part]] == parts


def test_predict_takes_the_setting_that_a_file_leaves_open(tmp_path, capsys):
    angles = "".join(f"_cell_angle_{name} 90\n" for name in ("alpha", "beta", "gamma"))
    lengths = "".join(f"_cell_length_{name} 5.431\n" for name in "abc")
    loop = "loop_\n_atom_site_label\n" + "".join(f"_atom_site_fract_{axis}\n" for axis in "xyz")
    silicon = tmp_path / "silicon.cif"
    silicon.write_text(
        f"data_x\n{lengths}{angles}_symmetry_space_group_name_H-M 'F d -3 m'\n{loop}Si 0.125 0.125 0.125\n"
    )
    assert main(["predict", str(silicon), "--json", "-", "--device", "cpu"]) == 1
    assert "Si8 as F d -3 m:2" in capsys.readouterr().err
    asked = ["predict", str(silicon), "--setting", "F d -3 m:2", "--target", "electronic", "--json", "-"]
    assert main([*asked, "--device", "cpu"]) == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert record["natoms"] == 8
    assert record["read_as"]["assumed"] == ["The setting F d -3 m:2 was chosen by hand."]


def test_predict_answers_a_disordered_file_by_orderings_where_they_are_asked_for(tmp_path, capsys):
    alloy = tmp_path / "alloy.cif"
    alloy.write_text(disordered_cif(*PEROVSKITE, ALLOY))
    asked = ["predict", str(alloy), "--target", "electronic", "--device", "cpu"]
    assert main(asked) == 1
    error = capsys.readouterr().err
    assert "Ba1, Sr1" in error
    assert "--orderings" in error
    out, table = tmp_path / "out.json", tmp_path / "out.csv"
    assert main([*asked, "--orderings", "--json", str(out), "--csv", str(table)]) == 0
    records = json.loads(out.read_text())
    means = [sum(record["electronic"][i][i] for i in range(3)) / 3 for record in records]
    for number, record in enumerate(records, start=1):
        mark = record["approximation"]
        assert (mark["of"], mark["number"], mark["count"]) == ("Ba0.5Sr0.5TiO3", number, 3)
        assert mark["spread"]["electronic"] == pytest.approx([min(means), max(means)])
        assert record["read_as"]["assumed"] == [
            f"This is an ordered approximation of Ba0.5Sr0.5TiO3, {number} of 3."
        ]
        low, high = record["interval90"]  # the model's own, whatever the others are
        assert low < means[number - 1] < high
    assert "1 of 3 of Ba0.5Sr0.5TiO3" in table.read_text()
    assert main([*asked, "--orderings"]) == 0
    assert "over 3 ordered approximations of Ba0.5Sr0.5TiO3" in capsys.readouterr().out.splitlines()[-1]


@pytest.mark.parametrize(
    ("option", "said"),
    [(["--ionic-method", "direct"], ("direct", "PBE")), (["--functional", "PBEsol"], ("full", "PBEsol"))],
)
def test_predict_takes_the_way_to_the_ionic_part_and_the_functional(option, said, capsys):
    assert main(["predict", RUTILE, *option, "--json", "-", "--device", "cpu"]) == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert (record["ionic_method"], record["functional"]) == said


def test_predict_says_what_belongs_to_a_sheet_itself(tmp_path, capsys):
    Poscar(disulfide(20)).write_file(tmp_path / "sheet.vasp")
    assert main(["predict", str(tmp_path / "sheet.vasp")]) == 0
    text = capsys.readouterr().out
    assert "sheet itself: electronic polarisability (Å) 7.0" in text
    assert "\n  n " not in text


def test_predict_shows_the_tensor_that_a_run_of_vasp_holds_beside_its_own(capsys):
    run = str(Path(ase.__file__).parent / "test/testdata/vasp/vasprun_dfpt.xml")  # NaCl, LEPSILON
    assert main(["predict", run, "--target", "electronic", "--device", "cpu"]) == 0
    assert "DFT, of the file:\n  electronic    2.696 " in capsys.readouterr().out


def test_train_prints_a_line_an_epoch_and_resume_finishes_at_once(data, tmp_path, capsys):
    run = str(tmp_path / "run")
    assert main(["train", "--data", data, "--run", run, *SMALL]) == 0
    assert sum(line.startswith("epoch 1/1") for line in capsys.readouterr().out.splitlines()) == 1
    assert main(["train", "--resume", run]) == 0
    assert main(["predict", RUTILE, "--model", run, "--device", "cpu"]) == 0


def test_evaluate_reports_every_crystal_out_of_fold_and_continues_where_it_stopped(data, tmp_path, capsys):
    out = tmp_path / "out.json"
    arguments = [
        "evaluate",
        "--data",
        data,
        "--folds",
        "3",
        "--seeds",
        "2",
        "--run",
        str(tmp_path / "e"),
        "--json",
        str(out),
        *SMALL,
    ]
    assert main(arguments) == 0
    assert "6 networks, 0 finished before" in capsys.readouterr().err
    first = json.loads(out.read_text())
    assert {row["target"]: row["count"] for row in first["metrics"]} == {
        "electronic": 60,
        "ionic": 60,
        "total": 60,
    }
    assert sum(fold[0]["count"] for fold in first["by_fold"]) == first["metrics_in_range"][0]["count"]
    assert main(arguments) == 0
    assert "6 networks, 6 finished before" in capsys.readouterr().err
    assert json.loads(out.read_text())["metrics"] == first["metrics"]
    assert {c["target"] for c in first["coverage"]} == {"electronic", "ionic", "total"}
    assert first["about"]["seeds"] == "0, 1"
    assert main(["predict", RUTILE, "--model", str(tmp_path / "e"), "--device", "cpu"]) == 0
    anew = [*arguments, "--judge", str(tmp_path / "e")]
    anew[anew.index("--run") + 1] = str(tmp_path / "anew")
    assert main(anew) == 0
    assert "networks" not in capsys.readouterr().err
    judged = json.loads(out.read_text())
    assert judged["metrics"] == first["metrics"]
    assert judged["about"]["training_code"] == first["about"]["code"]
    anew[anew.index("--folds") + 1] = "2"
    assert main(anew) == 1
    assert "no network is left for" in capsys.readouterr().err


def test_evaluate_of_the_ionic_tensor_alone_reports_that_alone(tmp_path, capsys):
    path, out = tmp_path / "small.parquet", tmp_path / "out.json"
    write_materials(path, [material for material in materials(400) if material.natoms <= 3])
    asked = ["evaluate", "--data", str(path), "--target", "ionic", "--folds", "2", "--seeds", "1", "--epochs", "1"]
    files = ["--index-data", "", "--run", str(tmp_path / "e"), "--json", str(out)]
    assert main([*asked, *files, "--device", "cpu"]) == 0
    found = json.loads(out.read_text())
    assert [row["target"] for row in found["metrics"]] == ["ionic"]
    assert {row["target"] for row in found["coverage"]} == {"ionic"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "--data", "nowhere.parquet"], "nowhere.parquet: no such data set"),
        (["train", "--resume", "nowhere"], "nowhere: holds no training run"),
        (["predict", RUTILE, "--model", "nowhere"], "nowhere: no such model"),
        (["evaluate", "--folds", "1"], "folds must be at least 2, got 1"),
        (["train", "--r-max", "-1"], "r_max must be positive, got -1.0"),
        (["train", "--backbone", "scratch", "--phonon-data", "x"], "phonon_data teaches a pretrained backbone"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_status_one(arguments, message, capsys):
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert message in error


def test_phonon_data_that_are_not_there_are_missed_before_any_feature_is_computed(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("DIELECTRIC_RUNS", str(tmp_path))
    monkeypatch.setattr("engine.training.loop.labelled_graphs", lambda *arguments: pytest.fail("features"))
    assert main(["train", "--phonon-data", "nowhere.parquet"]) == 1
    assert "nowhere.parquet: no such file" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["predict"], ["train", "--target", "magnetic"], ["fly"]])
def test_wrong_usage_exits_with_two(arguments):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
