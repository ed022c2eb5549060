"""What a visitor reads of one material."""

import json
import re
from html import unescape
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Structure
from streamlit.testing.v1 import AppTest

from engine.data.datasets import load_dataset
from engine.prediction.records import material_record, records_to_csv
from engine.prediction.shipped import STEP
from pages.components import cached
from pages.components.material.copy_view import cif, poscar

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120  # seconds; the first run loads torch and reads the data


def look_up(material_id: str, tab: str = "Matrices") -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE)
    app.query_params["mp_id"] = material_id
    app.query_params["view-tab"] = tab
    return app.run()


def words(page: AppTest) -> str:
    assert not page.exception
    return "\n".join(element.value for group in (page.header, page.markdown, page.caption) for element in group)


def test_a_uniaxial_crystal_has_its_own_value_along_c_and_one_across() -> None:
    text = words(look_up("mp-1943", "Principal axes"))
    assert "uniaxial (−)" in text
    assert "2.103, 2.743, 2.743" in text
    assert "4.422, [001]" in text
    assert "all directions ⟂ [001]" in text


def test_the_reflectance_follows_from_the_indices_and_says_where_it_holds() -> None:
    shares = [100 * ((n - 1) / (n + 1)) ** 2 for n in (2.103, 2.743, 2.743)]
    text = words(look_up("mp-1943"))
    assert ", ".join(f"{share:.1f}" for share in shares) in text
    assert "well below the band gap and well above the lattice vibrations" in text


def test_a_measurement_says_its_wavelength_and_that_it_names_no_polymorph() -> None:
    text = words(look_up("mp-1943", "Measured"))
    assert "Measured (polymorph not stated)" in text
    assert "| wavelength (µm) | 4.01 |" in text
    assert "Kato" in text


def test_measured_dispersion_stands_beside_the_indices_of_both_tensors() -> None:
    page = look_up("mp-1943", "Measured")
    (chart,) = [json.loads(one.proto.spec) for one in page.get("plotly_chart")]
    names = [trace["name"] for trace in chart["data"]]
    assert any("Kato" in name and "ray o" in name for name in names)
    assert any("Kato" in name and "ray e" in name for name in names)
    levels = [trace["y"][0] for trace in chart["data"] if trace["name"] == "DFT"]
    assert levels == [2.103, 2.743]
    assert names.count("Prediction") == 2


def test_a_measurement_on_another_polymorph_is_not_shown() -> None:
    text = words(look_up("mp-2691", "Measured"))  # CdSe, zincblende; measured are the hexagonal crystals
    assert "has no room-temperature measurement on a crystal of CdSe" in text
    assert "| Measured" not in text


def test_a_biaxial_crystal_has_the_angle_between_its_optic_axes() -> None:
    assert "biaxial (−), 2V = 39°" in words(look_up("mp-554278"))


def links(page: AppTest) -> dict[str, dict[str, str]]:
    """Text and query of each link among the similar crystals."""
    html = "".join(block.proto.body for block in page.get("html"))
    found = re.findall(r'<a href="\./\?([^"]*)">(.*?)</a>', html)
    return {unescape(text): dict(parse_qsl(query)) for query, text in found}


def follow(query: dict[str, str]) -> AppTest:
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE)
    page.query_params.update(query)
    return page.run()


def test_similar_crystals_lead_to_their_pages() -> None:
    text, query = next(iter(links(look_up("mp-2998", "Similar crystals")).items()))
    assert "distance" in text
    assert follow(query).header[0].value == text.split(" ·")[0] != "BaTiO₃"


def test_another_polymorph_without_an_id_is_opened_by_its_row() -> None:
    found = links(look_up("mp-2998", "Similar crystals"))
    query = next(query for text, query in found.items() if "Cm" in text and "row" in query)
    page = follow(query)
    assert "Cm" in words(page)
    assert page.selectbox(key="hit").value == query["row"]


def test_one_switch_names_the_axes_of_matrices_and_cuts() -> None:
    page = look_up("mp-1943")
    assert words(page).count("in structure Cartesian axes") == 3
    page.segmented_control(key="view-axes").set_value("IEEE axes").run()
    assert words(page).count("in IEEE axes") == 3
    cuts = look_up("mp-1943", "Plane cuts")
    cuts.segmented_control(key="view-axes").set_value("IEEE axes").run()
    assert words(cuts).count("in IEEE axes") == 1


def test_a_tensor_that_has_no_surface_says_why() -> None:
    page = look_up("mp-753594")  # BiOF; DFT gives no ionic part along two axes
    page.selectbox(key="view-surface").set_value("ionic").run()
    assert "Ionic ε(direction) of the DFT: the smallest principal value must be positive" in words(page)


def test_the_record_of_a_material_holds_its_tensors_with_their_axes() -> None:
    material = next(m for m in load_dataset("petousis-2017") if m.material_id == "mp-1943")
    record = material_record(material)
    np.testing.assert_array_equal(record["ionic"], material.ionic)
    assert record["frame"] == "structure"
    np.testing.assert_array_equal(record["lattice"], material.cell)
    header = records_to_csv([record]).splitlines()[0].split(",")
    assert {"total_xy", "lattice_cz", "frame"} <= set(header)


def test_a_tensor_can_be_copied_in_several_notations_with_all_digits() -> None:
    page = look_up("mp-1943")
    assert not page.code
    page.session_state["view-copy"] = True
    page = page.run()
    material = next(m for m in load_dataset("petousis-2017") if m.material_id == "mp-1943")
    page.segmented_control(key="view-copy-of-Prediction-DFT").set_value("DFT")
    page.toggle(key="view-copy-digits").set_value(True)
    page = page.segmented_control(key="view-copy-form").set_value("NumPy").run()
    found = eval(page.code[0].value, {"np": np})  # noqa: S307, our own text
    np.testing.assert_array_equal(found, material.electronic)
    page = page.segmented_control(key="view-copy-part").set_value("total").run()
    assert page.segmented_control(key="view-copy-form").set_value("LaTeX").run().code[0].value.count("&") == 6


def test_the_crystal_comes_as_a_file_in_the_axes_of_its_tensors_with_its_lattice_parameters() -> None:
    material = next(m for m in load_dataset("petousis-2017") if m.material_id == "mp-1943")
    text = words(look_up("mp-1943"))
    assert ", ".join(f"{length:.4f}" for length in material.structure.lattice.abc) in text
    read = Structure.from_str(poscar(material.structure), fmt="poscar")
    np.testing.assert_allclose(read.lattice.matrix, material.structure.lattice.matrix, atol=1e-9)
    np.testing.assert_allclose(read.cart_coords, material.structure.cart_coords, atol=1e-9)
    assert read.species == material.structure.species
    assert StructureMatcher().fit(Structure.from_str(cif(material.structure), fmt="cif"), material.structure)


def test_the_drawing_can_show_the_conventional_cell() -> None:
    page = look_up("mp-441")  # Rb2Te, three atoms in the primitive cell
    page = page.toggle(key="view-flat").set_value(True).run()
    (options,) = [one for one in page.get("button_group") if "conventional cell" in one.options]
    before = page.get("plotly_chart")[0].proto.spec
    page = options.set_value(["conventional cell"]).run()
    assert not page.exception
    assert len(page.get("plotly_chart")[0].proto.spec) > len(before)


def test_a_crystal_with_a_named_structure_type_says_it_beside_its_space_group() -> None:
    assert "rutile type" in words(look_up("mp-2657"))
    assert " type" not in words(look_up("mp-1943")).split("atoms in the cell")[0]


def test_a_crystal_with_an_id_is_answered_by_the_prediction_that_ships() -> None:
    """Which only the shipped ones' rounding tells from one that was computed."""
    (index,) = cached.search("mp-1143")
    constants = cached.prediction_of(index).ions.force_constants / STEP
    np.testing.assert_array_equal(constants, np.round(constants))


def test_a_crystal_whose_prediction_has_to_be_made_gets_its_surface_too() -> None:
    page = look_up("mp-8781")  # a sheet in a box, of which no prediction ships
    assert page.selectbox(key="view-surface").value == "electronic"
    assert "of the box" in words(page)


def test_a_crystal_that_dft_gives_an_index_is_not_hidden_as_a_metal() -> None:
    page = look_up("ceria")
    assert "| Electronic, mean | " in words(page)
    assert "Likely metallic" in page.warning[0].value
    assert "Likely a metal" not in words(page)
