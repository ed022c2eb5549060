"""Each structure of a large file is found once, where it lies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.screening.parts import Part
from engine.screening.stretches import stretches
from tests.engine.screening.inputs import crystals, json_lines, xyz


def found(kind, path, **bounds):
    content = path.read_bytes()
    return [content[start:stop].decode() for start, stop in stretches(kind, path, **bounds)]


def test_frames_of_an_extended_xyz_are_found_between_empty_lines(tmp_path):
    path = tmp_path / "many.extxyz"
    frames = [xyz([one]) for one in crystals()]
    path.write_text("\n".join(["", *frames, "", ""]))
    assert found("xyz", path) == frames


def test_a_wrong_count_of_atoms_makes_one_structure_of_the_rest(tmp_path):
    path = tmp_path / "broken.xyz"
    first, second = (xyz([one]) for one in crystals()[:2])
    path.write_text(f"{first}two atoms\n{second}")
    assert found("xyz", path) == [first, f"two atoms\n{second}"]


def test_a_frame_that_ends_early_is_found_to_the_end_of_the_file(tmp_path):
    path = tmp_path / "cut.xyz"
    path.write_text("5\ncomment\nNa 0 0 0\n")
    assert found("xyz", path) == ["5\ncomment\nNa 0 0 0\n"]


def test_blocks_of_a_cif_are_those_with_atoms_and_no_text_is_taken_for_one(tmp_path):
    path = tmp_path / "many.cif"
    atoms = "loop_\n_atom_site_label\nNa1\n"
    text = ";\ndata_in_a_text\n_atom_site_label in a text\n;\n"
    blocks = [f"data_one\n_note\n{text}{atoms}", f"DATA_two\n{atoms}"]
    path.write_text(
        "# a comment\ndata_global\n_publ_section 'x'\n" + blocks[0] + f"data_none\n_note\n{text}" + blocks[1]
    )
    assert found("cif", path) == blocks


@given(lines=st.lists(st.text("ab \r", max_size=5), max_size=20))
def test_lines_without_a_word_do_not_count(lines, tmp_path_factory):
    path = tmp_path_factory.mktemp("lines") / "listing.txt"
    path.write_bytes("\n".join(lines).encode())
    assert [one.rstrip("\n") for one in found_bytes(path)] == [line for line in lines if line.strip()]


def found_bytes(path):
    content = path.read_bytes()
    return [content[start:stop].decode() for start, stop in stretches("lines", path)]


@pytest.mark.parametrize(("kind", "write"), [("xyz", xyz), ("jsonl", json_lines)])
def test_halves_of_a_part_hold_its_structures_once(kind, write, tmp_path):
    path = tmp_path / "many"
    path.write_text(write(crystals()))
    whole = list(stretches(kind, path))
    part = Part(
        name="7", kind=kind, path=str(path), start=whole[2][0], stop=whole[8][1], first=3, count=7, shown="many"
    )
    first, second = part.halves()
    assert (first.count, second.count, second.first) == (3, 4, 6)
    assert [
        *stretches(kind, path, first.start, first.stop),
        *stretches(kind, path, second.start, second.stop),
    ] == whole[2:9]
