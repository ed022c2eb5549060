"""Files of strangers: the crystal that the file means comes out, or a sentence that says why not."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from engine.crystals import reader, reader_process
from engine.crystals.reader import distinct_names, read_path, read_structures
from engine.errors import EngineError

LIMIT = reader.TIME_LIMIT  # s; as the tests find it, before they are given more
FILES = Path(__file__).parents[2] / "files"
A, C, U = 4.594, 2.959, 0.305  # rutile, Å
CELL_ALONG_X = np.array([[0, A, 0], [0, 0, A], [C, 0, 0]])  # how the files with a frame are oriented
RUTILE = (FILES / "rutile.cif").read_text()
FM3M = "_symmetry_space_group_name_H-M 'Fm-3m'\n"


def cif(
    sites: str, symmetry: str = "_symmetry_space_group_name_H-M 'P 1'\n", cell: str = "10.0 10.0 10.0"
) -> bytes:
    lengths = "".join(f"_cell_length_{name} {value}\n" for name, value in zip("abc", cell.split(), strict=True))
    angles = "".join(f"_cell_angle_{name} 90\n" for name in ("alpha", "beta", "gamma"))
    loop = "loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n"
    return f"data_x\n{lengths}{angles}{symmetry}{loop}{sites}\n".encode()


def poscar(elements: str = "Si", counts: str = "1", cell: str = "3 0 0\n0 3 0\n0 0 3") -> bytes:
    return f"comment\n1.0\n{cell}\n{elements}\n{counts}\nDirect\n0 0 0\n0.5 0.5 0.5\n".encode()


def xyz(lattice: str, atoms: int = 1) -> bytes:
    return (f"{atoms}\n{lattice}\n" + "".join(f"Si {i} 0 0\n" for i in range(atoms))).encode()


def pymatgen_json(element: str = "Si", occupancy: float = 1.0, **extra: object) -> bytes:
    site = {"species": [{"element": element, "occu": occupancy}], "abc": [0, 0, 0], "label": "Si"}
    return json.dumps({"lattice": {"matrix": (3 * np.eye(3)).tolist()}, "sites": [site], **extra}).encode()


def random_sites(count: int) -> str:
    return "\n".join(
        f"Si{i} {x:.4f} {y:.4f} {z:.4f}" for i, (x, y, z) in enumerate(np.random.default_rng(0).random((count, 3)))
    )


@pytest.mark.parametrize("name", ["rutile.cif", "rutile.vasp", "rutile.extxyz", "rutile.json"])
@pytest.mark.parametrize("named", [True, False])
def test_every_format_gives_the_same_crystal_whether_named_or_pasted(name, named):
    (structure,) = read_structures(name if named else "", (FILES / name).read_bytes())
    assert structure.composition.formula == "Ti2 O4"
    assert structure.volume == pytest.approx(A * A * C)
    assert SpacegroupAnalyzer(structure).get_space_group_number() == 136
    bonds = sorted(neighbour.nn_distance for neighbour in structure.get_neighbors(structure[0], 2.1))
    equatorial, apical = np.hypot(np.sqrt(2) * A * (0.5 - U), C / 2), np.sqrt(2) * A * U
    assert bonds == pytest.approx(4 * [equatorial] + 2 * [apical])


@pytest.mark.parametrize("ending", ["cif", "vasp", "extxyz", "json", "txt"])
@pytest.mark.parametrize("name", ["rutile.cif", "rutile.vasp", "rutile.extxyz", "rutile.json"])
def test_a_wrong_ending_does_not_matter(name, ending):
    (found,) = read_structures(f"mistaken.{ending}", (FILES / name).read_bytes())
    assert found.composition.formula == "Ti2 O4"


@pytest.mark.parametrize("name", ["rutile.vasp", "rutile.extxyz", "rutile.json"])
def test_a_file_with_cartesian_axes_keeps_them(name):
    (structure,) = read_path(FILES / name)
    np.testing.assert_allclose(structure.lattice.matrix, CELL_ALONG_X, atol=1e-12)
    np.testing.assert_allclose(structure.cart_coords[1], np.array([C, A, A]) / 2, atol=1e-7)


def test_a_skewed_crystal_survives_the_round_trip_through_each_format(tmp_path):
    crystal = Structure(
        Lattice([[3.1, 0.2, -0.4], [1.3, 4.2, 0.1], [-0.7, 1.9, 5.3]]),
        ["Ga", "As", "N"],
        [[0, 0, 0], [0.31, 0.42, 0.23], [0.66, 0.12, 0.71]],
    )
    crystal.to(fmt="poscar", filename=str(tmp_path / "POSCAR"))
    crystal.to(fmt="json", filename=str(tmp_path / "a.json"))
    crystal.to_ase_atoms().write(tmp_path / "a.extxyz")
    for path in tmp_path.iterdir():
        (back,) = read_path(path)
        np.testing.assert_allclose(back.lattice.matrix, crystal.lattice.matrix, atol=1e-7)
        np.testing.assert_allclose(back.frac_coords, crystal.frac_coords, atol=1e-7)
        assert back.atomic_numbers == crystal.atomic_numbers


def test_each_frame_of_an_extxyz_and_each_entry_of_a_list_is_a_structure():
    frames = (FILES / "rutile.extxyz").read_bytes()
    assert [len(s) for s in read_structures("two.xyz", frames + frames)] == [6, 6]
    document = (FILES / "rutile.json").read_bytes()
    assert [len(s) for s in read_structures("two.json", b"[" + document + b"," + document + b"]")] == [6, 6]


def test_symmetry_of_a_cif_is_expanded_and_duplicates_merged():
    (salt,) = read_structures("salt.cif", cif("Na 0 0 0\nCl 0.5 0.5 0.5", FM3M, "5.64 5.64 5.64"))
    assert salt.composition.formula == "Na4 Cl4"


def test_a_cif_block_without_atoms_is_passed_over():
    assert len(read_structures("paper.cif", b"data_global\n_journal_year 2020\n" + RUTILE.encode())) == 1


def test_windows_line_ends_and_a_byte_order_mark_do_not_matter():
    content = b"\xef\xbb\xbf" + (FILES / "rutile.vasp").read_bytes().replace(b"\n", b"\r\n")
    assert len(read_structures("CONTCAR", content)[0]) == 6


def test_a_script_in_a_label_or_comment_never_comes_out():
    script = "</script><script>alert(1)</script>"
    document = json.loads(pymatgen_json(properties={"a": script}))
    document["sites"][0]["label"] = script
    files = {
        "a.cif": cif(f"Si{script} 0 0 0"),
        "a.json": json.dumps(document).encode(),
        "a.vasp": poscar().replace(b"comment", script.encode()),
    }
    for name, content in files.items():
        (structure,) = read_structures(name, content)
        assert "<" not in json.dumps(structure.as_dict())


def test_a_callable_in_json_is_never_called(tmp_path):
    canary = tmp_path / "canary"
    call = {"@module": "os", "@callable": "system", "@bound": None, "args": [f"touch {canary}"]}
    read_structures("a.json", pymatgen_json(properties={"x": call, "@module": "os", "@callable": "system"}))
    with pytest.raises(EngineError, match="must be a pymatgen Structure"):
        read_structures("b.json", json.dumps(call).encode())
    assert not canary.exists()


MAGNETIC = "_space_group_magn.number_BNS 136.499\n_space_group_magn.transform_BNS_Pp_abc '9**9**9**9a,b,c;0,0,0'\n"
TWO_ON_ONE = poscar("Si Ge", "1 1").replace(b"0.5 0.5 0.5", b"0.0 0.0 1.01")
DISORDERED = RUTILE.replace("0.50000000  1", "0.50000000  0.5").encode()
HOSTILE = [
    ("empty", "a.cif", b" \n", "empty"),
    ("10 MB", "a.cif", b"data_x\n" * 1_500_000, "larger than 5 MiB"),
    ("compressed", "a.cif.zip", b"PK\x03\x04" + b"x" * 99, "compressed"),
    ("a bomb", "a.cif.gz", gzip.compress(b"#" * 10**8), "larger than 5 MiB"),
    ("2 MB", "a.cif", b"data_x\n" * 300_000, "larger than 1 MiB"),
    ("damaged gzip", "a.cif.gz", gzip.compress(b"x")[:4] + b"junk", "damaged"),
    ("binary", "a.cif", bytes(range(256)) * 100, "not a text file"),
    ("junk without zero bytes", "a.vasp", bytes(range(1, 256)) * 100, "lattice vector"),
    ("what a regular expression chokes on", "a.cif", b"\n" * 1_000_000 + b"x", "not a readable CIF"),
    ("the same, pasted", "", b"\n" * 1_000_000 + b"x", "not a known format"),
    ("prose", "notes.txt", b"the band gap is 3 eV", "not a known format"),
    ("501 sites in Fm-3m", "a.cif", cif(random_sites(501), FM3M), "at most 500 atoms"),
    ("100 sites in Fm-3m", "a.cif", cif(random_sites(100), FM3M), "at most 500 atoms"),
    ("chained powers", "a.mcif", cif("Si 0 0 0", MAGNETIC), "symmetry operation"),
    ("many operations", "a.cif", cif("Si 0 0 0", "loop_\n_symmetry_equiv_pos_as_xyz\n" + "x,y,z\n" * 9999),
     "more than any group"),
    ("a flat operation", "a.cif", cif("Si 0 0 0", "loop_\n_symmetry_equiv_pos_as_xyz\n'x,y,z'\n'x,y,0'\n"),
     "symmetry operation must"),
    ("unknown space group", "a.cif", cif("Si 0 0 0", FM3M.replace("Fm-3m", "Qq-9")), "space group"),
    ("no atoms", "a.cif", b"data_x\n_cell_length_a 3\n", "lists no atoms"),
    ("no cell", "a.cif", cif("Si 0 0 0").replace(b"_cell_length", b"_other"), "no lattice"),
    ("partial occupancy", "a.cif", DISORDERED, "disordered"),
    ("hydrogen left out", "a.cif", cif("O 0 0 0", "_chemical_formula_sum 'H2 O'\n"), "hydrogen atoms that have"),
    ("no element", "a.cif", cif("Qq 0 0 0"), "no element"),
    ("two elements on one site", "a.cif", cif("Si 0 0 0\nGe 0 0 0"), "nearer than any"),
    ("unknown coordinate", "a.cif", cif("Si 0 ? 0"), "has no coordinates"),
    ("huge cell", "a.cif", cif("Si 0 0 0", cell="1e300 3 3"), "at most 500 Å"),
    ("NaN in the lattice", "a.vasp", poscar(cell="nan 0 0\n0 3 0\n0 0 3"), "not finite"),
    ("flat cell", "a.vasp", poscar(cell="3 0 0\n0 3 0\n3 3 0"), "too small|POSCAR"),
    ("lengths in nm", "a.vasp", poscar(cell="0.3 0 0\n0 0.3 0\n0 0 0.3"), "too small"),
    ("huge lattice", "a.vasp", poscar(cell="3e9 0 0\n0 3 0\n0 0 3"), "at most 500 Å"),
    ("1e9 atoms", "a.vasp", poscar(counts="1000000000"), "at most 500 atoms"),
    ("two atoms on one place", "a.vasp", TWO_ON_ONE, "on one place"),
    ("elements not named", "POSCAR", poscar().replace(b"Si\n", b""), "name its elements"),
    ("no lattice", "a.xyz", xyz("water"), "no lattice"),
    ("a slab", "a.xyz", xyz('Lattice="9 0 0 0 9 0 0 0 9" pbc="T T F"'), "periodic along all three"),
    ("501 atoms", "a.xyz", xyz('Lattice="999 0 0 0 9 0 0 0 9"', 501), "at most 500 atoms"),
    ("a dummy atom", "a.xyz", xyz('Lattice="9 0 0 0 9 0 0 0 9"').replace(b"Si", b"X"), "no element"),
    ("cut off", "a.xyz", b"9\nLattice=\"9 0 0 0 9 0 0 0 9\"\nSi 0 0 0\n", "XYZ"),
    ("deep JSON", "a.json", b"[" * 500_000, "not a readable JSON|must be|too much"),
    ("infinite number", "a.json", pymatgen_json().replace(b"3.0", b"1e999"), "not finite"),
    ("half an atom", "a.json", pymatgen_json(occupancy=0.5), "disordered"),
    ("no such element", "a.json", pymatgen_json("Qq"), "element"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "reason"), [h[1:] for h in HOSTILE], ids=[h[0] for h in HOSTILE])
def test_a_hostile_or_meaningless_file_is_refused_with_a_reason(name, content, reason):
    with pytest.raises(EngineError, match=reason) as refusal:
        read_structures(name, content)
    assert str(refusal.value).startswith(name or "the pasted text")


def test_a_parser_that_does_not_come_back_is_killed(monkeypatch, tmp_path):
    """On the real clock: the child sleeps, which costs no CPU time, until it is killed."""
    sleeper = tmp_path / "sleeper.py"
    sleeper.write_text("import time; time.sleep(600)")
    monkeypatch.setattr(reader_process, "__file__", str(sleeper))
    monkeypatch.setattr(reader, "TIME_LIMIT", 1.0)
    with pytest.raises(EngineError, match=r"rutile\.cif: reading it took over 1 s"):
        read_structures("rutile.cif", RUTILE.encode())


def test_a_parser_may_compute_for_nine_seconds_and_an_answer_comes_within_ten():
    assert reader_process.CPU_SECONDS <= LIMIT < 10


def test_a_parser_that_asks_for_three_gigabytes_is_refused_them():
    greedy = (
        f"import runpy; script = runpy.run_path({reader_process.__file__!r});"
        "script['READERS']['cif'] = lambda text: bytearray(3 * 1024**3); script['main']()"
    )
    asked = b'{"kind": "cif", "bytes": 1, "most_atoms": ""}\nx'
    done = subprocess.run([sys.executable, "-c", greedy], input=asked, capture_output=True, check=True)
    assert "takes more memory" in json.loads(done.stdout)["refused"]


def test_reflections_in_a_cif_do_not_count():
    reflections = b"_shelx_hkl_file\n;\n" + b"   1   0   0   12.34    0.56\n" * 100_000 + b";\n"
    (rutile,) = read_structures("rutile.cif", RUTILE.encode() + reflections)
    assert len(rutile) == 6


def test_one_s_own_machine_may_read_larger_cells(monkeypatch):
    many = xyz('Lattice="999 0 0 0 9 0 0 0 9"', 501)
    monkeypatch.setenv("DIELECTRIC_MOST_ATOMS", "600")
    with pytest.raises(EngineError, match="at most 500 Å"):  # not the number of atoms any more
        read_structures("many.xyz", many)


def test_names_given_twice_are_told_apart_and_what_could_act_in_them_is_gone():
    given = ["POSCAR", "in/POSCAR", "a<b>.cif", "a[b].cif", "POSCAR-2", "\U00010330" * 90]
    found = distinct_names(given)
    assert found[:5] == ["POSCAR", "POSCAR-2", "a_b_.cif", "a_b_-2.cif", "POSCAR-2-2"]
    assert len(found[5].encode()) <= 200


def test_all_members_of_a_gzip_file_are_read():
    content = gzip.compress(RUTILE[:100].encode()) + gzip.compress(RUTILE[100:].encode())
    assert len(read_structures("rutile.cif.gz", content)[0]) == 6


def test_a_missing_file_is_named():
    with pytest.raises(EngineError, match=r"nowhere\.cif: no such file"):
        read_path("nowhere.cif")


SAMPLES = [(path.name, path.read_bytes()) for path in sorted(FILES.glob("rutile.*"))]


@settings(max_examples=12, deadline=None, derandomize=True)
@given(sample=st.sampled_from(SAMPLES), position=st.floats(0, 1), junk=st.binary(max_size=12),
       removed=st.integers(0, 40))  # fmt: skip
def test_a_damaged_file_gives_structures_or_a_plain_refusal(sample, position, junk, removed):
    name, content = sample
    cut = int(position * len(content))
    try:
        structures = read_structures(name, content[:cut] + junk + content[cut + removed :])
    except EngineError as error:
        refusal, structures = str(error), []
    else:
        refusal = name
    assert refusal.startswith(name)
    assert all(np.isfinite(structure.cart_coords).all() and len(structure) <= 500 for structure in structures)
