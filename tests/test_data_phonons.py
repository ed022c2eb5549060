"""Phonon data are built right from calculations whose every number is known, and bad archives are left out."""

import io
import runpy
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from engine.network.constants import UNIT

SCRIPT = Path(__file__).parents[1] / "data" / "phonons.py"
PHONONS = runpy.run_path(str(SCRIPT))
ALONG, ACROSS, CHARGE, INDEX = 3.0, 0.7, 1.9, 3.1  # rock salt: springs of a bond in eV/Å^2, e, ε∞
EDGE = 4.2  # Å
STEP = 0.01  # Å
CELL = np.array([[4.1, 0, 0], [0.7, 4.6, 0], [-0.5, 0.9, 5.2]])  # a crystal without symmetry, two atoms
PULL = np.array([[5.0, 0.4, -0.3], [0.4, 4.0, 0.6], [-0.3, 0.6, 3.0]])  # its force constants, eV/Å^2
BORN = np.array([[2.0, 0.3, -0.1], [0.5, 1.7, 0.2], [0.05, -0.4, 2.4]])  # [field, displacement], not symmetric
ELECTRONIC = np.array([[3.0, 0.2, 0.1], [0.2, 2.7, -0.15], [0.1, -0.15, 3.4]])


def archive(folder, name, files):
    """Pack texts as the database does: a folder in a tar in LZMA."""
    path = folder / name
    with tarfile.open(path, "w:xz") as packed:
        for file, text in files.items():
            member = tarfile.TarInfo(f"mp-1-20180417/{file}")
            member.size = len(text.encode())
            packed.addfile(member, io.BytesIO(text.encode()))
    return path


def lines(array):
    return "\n".join(" ".join(f"{number:.10f}" for number in line) for line in np.atleast_2d(array)) + "\n"


def poscar(cell, symbols, points):
    counts = [len(part) for part in points]
    head = f"crystal\n1.0\n{lines(cell)}{' '.join(symbols)}\n{' '.join(map(str, counts))}\nDirect\n"
    return head + lines(np.concatenate(points))


def force_sets(moved):
    """Text of FORCE_SETS: for each (atom, displacement, forces on all atoms)."""
    text = f"{len(moved[0][2])}\n{len(moved)}\n"
    return text + "".join(f"\n{atom + 1}\n{lines(step)}{lines(forces)}" for atom, step, forces in moved)


def rock_salt():
    """MgO in the cubic cell, doubled along each axis; springs between neighbours alone."""
    fcc = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    unit = np.concatenate([fcc, fcc + 0.5])
    shifts = np.array([[i, j, k] for k in (0, 1) for j in (0, 1) for i in (0, 1)])  # the order of phonopy
    places = (unit[:, None] + shifts).reshape(-1, 3) * EDGE
    moved = []
    for atom in (0, 32):
        away = places - places[atom]
        away -= 2 * EDGE * np.rint(away / (2 * EDGE))
        near = np.isclose(np.linalg.norm(away, axis=1), EDGE / 2)
        springs = np.where(np.isclose(np.abs(away[:, 0]), EDGE / 2), ALONG, ACROSS) * near
        forces = np.outer(springs, [STEP, 0, 0])
        forces[atom, 0] = -springs.sum() * STEP
        moved.append((atom, [STEP, 0, 0], forces))
    tensors = np.multiply.outer([INDEX, CHARGE, -CHARGE], np.eye(3).ravel())
    return {
        "POSCAR-unitcell": poscar(EDGE * np.eye(3), ["Mg", "O"], [fcc, (fcc + 0.5) % 1]),
        "FORCE_SETS": force_sets(moved),
        "BORN": "# epsilon and Z* of atoms 1 5\n" + lines(tensors),
        "phonopy.conf": "DIM = 2 0 0 0 2 0 0 0 2\nPRIMITIVE_AXIS = 0 1/2 1/2 1/2 0 1/2 1/2 1/2 0",
    }


def without_symmetry():
    """An ion pair in a triclinic cell, held by one spring tensor; no supercell, no smaller cell."""
    moved = []
    for atom, sign in ((0, -1), (1, 1)):
        for step in np.eye(3) * STEP:
            force = sign * PULL @ step
            moved.append((atom, step, np.array([force, -force])))
    return {
        "POSCAR-unitcell": poscar(CELL, ["Na", "Cl"], [np.array([[0.0, 0, 0]]), np.array([[0.43, 0.31, 0.57]])]),
        "FORCE_SETS": force_sets(moved),
        "BORN": "default\n" + lines(np.stack([ELECTRONIC.ravel(), BORN.ravel(), -BORN.ravel()])),
        "phonopy.conf": "DIM = 1 1 1\n",
    }


@pytest.fixture
def salt(tmp_path):
    return PHONONS["attempt"](archive(tmp_path, "materials-id-1265-mgo-fm-3m-225.tar.lzma", rock_salt()))


def test_rock_salt_is_held_by_the_springs_of_its_six_bonds(salt):
    held = 2 * ALONG + 4 * ACROSS
    expected = held * np.kron([[1, -1], [-1, 1]], np.eye(3))
    np.testing.assert_allclose(salt["force_constants"].reshape(6, 6), expected, atol=1e-5)
    assert salt["lowest"] == pytest.approx(2 * held, abs=1e-5)
    assert salt["drift"] < 1e-6


def test_rock_salt_answers_with_its_charge_squared_over_the_spring(salt):
    expected = UNIT * CHARGE**2 / (2 * ALONG + 4 * ACROSS) / (EDGE**3 / 4)
    np.testing.assert_allclose(salt["ionic"].reshape(3, 3), expected * np.eye(3), atol=1e-5)


def test_a_row_says_which_crystal_it_is(salt):
    assert (salt["material_id"], salt["formula"]) == ("mp-1265", "MgO")
    assert salt["file"] == "materials-id-1265-mgo-fm-3m-225.tar.lzma"
    np.testing.assert_allclose(salt["cell"].reshape(3, 3), EDGE / 2 * (1 - np.eye(3)), atol=1e-9)
    assert salt["atomic_numbers"].tolist() == [12, 8]
    np.testing.assert_allclose(salt["frac_coords"].reshape(2, 3)[1], 0.5, atol=1e-9)
    charges = np.multiply.outer([CHARGE, -CHARGE], np.eye(3))
    np.testing.assert_allclose(salt["born"].reshape(2, 3, 3), charges, atol=1e-6)


def test_without_symmetry_every_index_stands_where_the_file_says(tmp_path):
    row = PHONONS["attempt"](archive(tmp_path, "materials-id-7-nacl-p1-1.tar.lzma", without_symmetry()))
    np.testing.assert_allclose(row["cell"].reshape(3, 3), CELL)
    np.testing.assert_allclose(row["electronic"].reshape(3, 3), ELECTRONIC)
    np.testing.assert_allclose(row["born"].reshape(2, 3, 3), [BORN, -BORN], rtol=1e-6)
    expected = np.kron([[1, -1], [-1, 1]], PULL)
    np.testing.assert_allclose(row["force_constants"].reshape(6, 6), expected, atol=1e-5)
    ionic = UNIT * BORN @ np.linalg.inv(PULL) @ BORN.T / np.linalg.det(CELL)
    np.testing.assert_allclose(row["ionic"].reshape(3, 3), ionic, rtol=1e-5)


def test_one_atom_has_no_mode_but_translations():
    lowest, ionic = PHONONS["lattice_response"](np.zeros((1, 3, 3)), np.zeros((3, 3)), 20.0)
    assert lowest is None
    assert not ionic.any()


def changed(name, text):
    return {**rock_salt(), name: text}


SALT = rock_salt()
UNUSABLE = {
    "no BORN file": {name: text for name, text in SALT.items() if name != "BORN"},
    "no FORCE_SETS file": {name: text for name, text in SALT.items() if name != "FORCE_SETS"},
    "FORCE_SETS ends too early": changed("FORCE_SETS", SALT["FORCE_SETS"][:2000].rsplit("\n", 1)[0]),
    "cannot be read (RuntimeError: Number of atoms": changed("FORCE_SETS", "32\n1\n"),
    "cannot be read (BORNFileParseError": changed("BORN", "".join(SALT["BORN"].splitlines(True)[:3])),
    "cannot be read (ValueError": changed("phonopy.conf", "DIM = 2 2\n"),
    "electronic eigenvalue below 1": changed("BORN", SALT["BORN"].replace("3.1", "0.9")),
    "charges add up to more than 0.5 e": changed("BORN", SALT["BORN"].replace("-1.9", "-1.2")),
    "a number is not finite": changed("BORN", SALT["BORN"].replace("-1.9000000000", "nan")),
}


@pytest.mark.parametrize("reason", UNUSABLE)
def test_an_archive_that_cannot_be_used_says_why(tmp_path, reason):
    path = archive(tmp_path, "materials-id-1-mgo.tar.lzma", UNUSABLE[reason])
    assert PHONONS["attempt"](path).startswith(reason)


@pytest.mark.parametrize("keep", [slice(0), slice(40), slice(-200), slice(300, None)])
def test_a_damaged_archive_is_called_so(tmp_path, keep):
    path = archive(tmp_path, "materials-id-1-mgo.tar.lzma", SALT)
    path.write_bytes(path.read_bytes()[keep])
    assert PHONONS["attempt"](path) == "damaged archive"


def test_archives_come_in_the_order_of_their_number_and_nothing_else_does(tmp_path):
    (tmp_path / "inner").mkdir()
    for name in ("materials-id-10-a.tar.lzma", "inner/materials-id-9-b.tar.lzma", "README.md", "other.tar.lzma"):
        (tmp_path / name).touch()
    names = [path.name for path in PHONONS["archives"](tmp_path)]
    assert names == ["materials-id-9-b.tar.lzma", "materials-id-10-a.tar.lzma"]


def test_a_file_is_written_whole_or_not_at_all(tmp_path, salt):
    out = tmp_path / "out.parquet"
    PHONONS["write"](out, [salt])
    before = out.read_bytes()
    with pytest.raises(Exception, match="convert"):
        PHONONS["write"](out, [{**salt, "cell": "no numbers"}])
    assert out.read_bytes() == before
    assert [path.name for path in tmp_path.glob("out*")] == ["out.parquet"]


def test_the_command_keeps_what_it_can_and_counts_the_rest(tmp_path):
    archive(tmp_path, "materials-id-1265-mgo.tar.lzma", SALT)
    archive(tmp_path, "materials-id-2-mgo.tar.lzma", UNUSABLE["no BORN file"])
    (tmp_path / "materials-id-3-mgo.tar.lzma").write_text("version https://git-lfs.github.com/spec/v1\n")
    out = tmp_path / "out.parquet"
    command = [sys.executable, str(SCRIPT), str(tmp_path), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "3 of 3 archives, 1 crystals" in done.stdout
    assert "left out, no BORN file: 1 (materials-id-2-mgo.tar.lzma)" in done.stdout
    assert "left out, damaged archive: 1 (materials-id-3-mgo.tar.lzma)" in done.stdout
    table = pq.read_table(out)
    assert table.schema.equals(PHONONS["SCHEMA"])
    assert table["material_id"].to_pylist() == ["mp-1265"]


@pytest.mark.parametrize(("folder", "words"), [("", "must hold archives"), ("missing", "no such folder")])
def test_an_empty_or_missing_folder_is_an_error(tmp_path, monkeypatch, folder, words):
    monkeypatch.setattr(sys, "argv", ["phonons.py", str(tmp_path / folder), str(tmp_path / "out.parquet")])
    with pytest.raises(SystemExit, match=words):
        PHONONS["main"]()
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_known_before_the_work(tmp_path, monkeypatch):
    archive(tmp_path, "materials-id-1-mgo.tar.lzma", SALT)
    monkeypatch.setattr(sys, "argv", ["phonons.py", str(tmp_path), str(tmp_path / "missing" / "out.parquet")])
    with pytest.raises(SystemExit, match="make it first"):
        PHONONS["main"]()
