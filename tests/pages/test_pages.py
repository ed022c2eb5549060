"""What a visitor reads on each page, through Streamlit's own test runner."""

import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import ase
import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from pymatgen.io.vasp import Poscar
from streamlit.testing.v1 import AppTest

from engine import EngineError, GraphConfig, ModelConfig, Run, TrainConfig, load_dataset
from engine.config import BACKBONES
from engine.data.parquet import write_materials
from engine.hosting import server
from engine.limits import Limits, enforce, in_force
from pages.components import charts, waiting
from pages.components.cached import search
from pages.components.material.tensor_view import Axes, tensors_of
from pages.components.widgets import decimals
from tests.disordered import SALT, SHARED, disordered_cif
from tests.low_dimensional import disulfide

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    "look_up": "Look up",
    "explore": "Explore",
    "compare": "Compare",
    "predict": "Predict",
    "screen": "Screen",
    "model": "Model",
    "train": "Train",
    "theory": "Theory",
    "demo": "Demo",
}
PATIENCE = 120  # seconds; the first run loads torch and reads the data
POSCAR = "{symbol}\n1.0\n4.2 0 0\n0 4.2 0\n0 0 4.2\n{symbol} O\n1 1\ndirect\n0 0 0\n0.5 0.5 0.5\n"

SALT_CELL = "NaCl\n1.0\n0 2.82 2.82\n2.82 0 2.82\n2.82 2.82 0\nNa Cl\n1 1\ndirect\n0 0 0\n0.5 0.5 0.5\n"
COPPER = "Cu\n1.0\n0 1.81 1.81\n1.81 0 1.81\n1.81 1.81 0\nCu\n1\ndirect\n0 0 0\n"


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for training runs."""
    monkeypatch.setenv("DIELECTRIC_RUNS", str(tmp_path))
    monkeypatch.delenv("MP_API_KEY", raising=False)
    return tmp_path


def open_page(name: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE).run()
    return app.switch_page(str(ROOT / "pages" / f"{name}.py")).run()


@cache
def look_up(query: str) -> AppTest:
    """The page of that address, one for all tests that look at it; whoever clicks has an address of their own."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE)
    app.query_params["mp_id"] = query
    return app.run()


def look_up_tab(query: str, tab: str, **state: object) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE)
    app.query_params.update({"mp_id": query, "view-tab": tab})
    for key, value in state.items():
        app.session_state[key] = value
    return app.run()


def upload(*files: tuple[str, str]) -> AppTest:
    page = open_page("predict")
    content = [(name, text.encode(), "text/plain") for name, text in files]
    return page.file_uploader(key="files").set_value(content).run()


def words(page: AppTest) -> str:
    """Everything that is written on the page."""
    groups = (page.title, page.header, page.markdown, page.caption, page.info, page.warning, page.error)
    assert not page.exception
    return "\n".join(element.value for group in groups for element in group)


@pytest.mark.parametrize("name", list(PAGES))
def test_every_page_opens_from_the_menu(name: str) -> None:
    assert open_page(name).title[0].value == PAGES[name]


@pytest.mark.parametrize("name", list(PAGES))
def test_every_page_opens_without_the_app_having_run(name: str) -> None:
    page = AppTest.from_file(str(ROOT / "pages" / f"{name}.py"), default_timeout=PATIENCE).run()
    assert page.title[0].value == PAGES[name]
    assert not page.exception


def test_a_link_with_an_id_opens_that_material() -> None:
    text = words(look_up("mp-2998"))
    assert "BaTiO₃" in text
    assert "| Electronic, mean | " in text
    assert "| Prediction | 90 % interval | DFT |" in text


def test_look_up_says_that_the_prediction_is_out_of_fold() -> None:
    assert "trained on no crystal of the formula BaTiO₃" in words(look_up("mp-2998"))
    assert "trained on no crystal of the formula OsOF₅" in words(look_up("OsOF5"))  # too large a cell to teach


def test_look_up_says_where_every_network_was_trained_on_the_formula() -> None:
    text = words(look_up("CsGeCl3"))  # taught by its refractive index, in every fold
    assert (
        "not out-of-fold: all networks of sevennet-l3i5 were trained on a crystal of the formula CsGeCl₃" in text
    )
    assert "never saw" not in text


def test_the_intervals_promise_nothing_for_a_single_crystal() -> None:
    text = words(look_up("mp-2998"))
    assert "crystals like these" not in text
    assert "no promise for a single crystal, nor for crystals unlike the data" in text


def test_an_unknown_id_gets_a_sentence_that_says_what_to_do() -> None:
    text = words(look_up("mp-0"))
    assert "**mp-0** is not on this machine" in text
    assert "With an API key it is fetched" in text


@pytest.mark.parametrize("query", ["<script>", "(", "Xx9", "no such thing"])
def test_a_query_that_means_nothing_gets_a_sentence_that_says_what_to_do(query: str) -> None:
    assert "Give a Materials Project ID" in words(look_up(query))


def test_a_chemical_system_of_two_elements_is_no_id() -> None:
    assert "crystals match" in look_up("Ti-O").selectbox(key="hit").label


def test_the_empty_search_offers_examples() -> None:
    page = look_up("")
    assert page.get("button_group")[0].label == "For example"
    assert not page.exception


def test_the_beginning_of_a_formula_gets_suggestions() -> None:
    page = look_up("BaTi")
    assert page.get("button_group")[0].label == "Did you mean"


def test_a_likely_metal_gets_no_tensor_until_one_is_asked_for() -> None:
    page = look_up("copper")
    assert "Likely a metal" in words(page)
    assert "Electronic, mean" not in words(page)
    page = page.toggle(key="view-metal").set_value(True).run()
    assert "Electronic, mean" in words(page)


def test_a_name_opens_its_crystal() -> None:
    page = look_up("table salt")
    assert "NaCl" in page.header[0].value
    assert "mp-22862" in words(page)


def test_a_formula_of_several_crystals_leaves_the_choice_to_the_visitor() -> None:
    page = look_up("TiO2")
    choice = page.selectbox(key="hit")
    assert choice.label == "6 crystals match"
    choice.select_index(1).run()
    assert "there is no DFT tensor to compare with" in words(page)


def test_a_link_can_name_one_of_several_polymorphs() -> None:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE)
    app.query_params["mp_id"] = "TiO2"
    app.query_params["row"] = str(search("TiO2")[3])
    assert app.run().selectbox(key="hit").index == 3


def test_the_choice_of_a_polymorph_is_forgotten_with_the_next_query() -> None:
    page = look_up("Ti O 2")
    page.selectbox(key="hit").select_index(2).run()
    assert page.query_params["row"]
    page.text_input(key="mp_id").set_value("mp-441").run()
    assert "row" not in page.query_params
    page.text_input(key="mp_id").set_value("tio2").run()
    assert page.selectbox(key="hit").index == 0


def test_polymorphs_are_told_apart_by_structure_type_and_distance_to_the_hull() -> None:
    options = " ".join(look_up("tio2").selectbox(key="hit").options)
    assert "rutile type" in options
    assert "0.01 eV above it" in options
    assert "on the hull" in " ".join(look_up("BaTiO3").selectbox(key="hit").options)


def test_a_metal_says_why_it_has_neither_spectrum_nor_tensor() -> None:
    assert "No predicted tensor is shown here" in words(look_up_tab("mp-30", "Infrared"))
    assert "free electrons of a metal" in words(look_up_tab("mp-30", "Infrared", **{"view-metal": True}))
    for tab in ("Matrices", "Principal axes", "Plane cuts"):
        assert "No dielectric tensor is shown here" in words(look_up_tab("mp-30", tab))


def test_what_symmetry_forbids_of_a_tensor_is_not_drawn_and_said_to_be_left_out() -> None:
    material = next(one for one in load_dataset("petousis-2017") if one.formula == "Na2Se")
    drawn = tensors_of("electronic", {"DFT": material}, Axes(np.eye(3), ""))["DFT"]
    np.testing.assert_allclose(drawn, np.trace(drawn) / 3 * np.eye(3), atol=1e-6)
    assert not np.allclose(material.electronic, drawn, atol=0.01)
    for tab in ("Matrices", "Principal axes"):
        assert "symmetry forbids" in words(look_up_tab(material.material_id, tab))
    assert "symmetry forbids" not in words(look_up_tab("mp-8062", "Matrices"))


def test_a_doubtful_part_is_marked_wherever_it_is_shown() -> None:
    for tab in ("Matrices", "Principal axes"):
        assert "(?)" in words(look_up_tab("mp-2693", tab)).split("Axes of matrices and cuts")[-1]  # SnSe


def test_a_refused_file_gets_its_reason_and_the_others_still_come() -> None:
    page = upload(("broken.cif", "data_x\n"), ("MgO.vasp", POSCAR.format(symbol="Mg")))
    assert "broken.cif: " in words(page)
    assert any(box.label.startswith("**MgO**, MgO.vasp, ") for box in page.expander)


def test_many_structures_get_one_table_with_the_refused_ones_in_it() -> None:
    salt = POSCAR.format(symbol="Na").replace("4.2", "3.4")
    page = upload(("broken.cif", "data_x\n"), ("NaO.vasp", salt), ("Cu.vasp", COPPER))
    table = page.dataframe[0].value.set_index("file")
    assert list(table.index) == ["broken.cif", "NaO.vasp", "Cu.vasp"]
    assert table.loc["broken.cif", "remarks"]
    assert "Likely metallic" in table.loc["Cu.vasp", "remarks"]
    assert table.loc[["broken.cif", "Cu.vasp"], "n"].isna().all()


def test_the_table_of_many_structures_has_intervals_and_no_digits_beyond_them() -> None:
    page = upload(("a.vasp", SALT_CELL), ("b.vasp", SALT_CELL.replace("2.82", "2.85")))
    row = page.dataframe[0].value.set_index("file").loc["a.vasp"]
    for title in ("n", "electronic, mean", "total, mean"):
        low, high = map(float, row[f"{title}, 90 %"].split("–"))
        assert low <= row[title] <= high
        assert row[title] == round(row[title], decimals((low, high)))


def test_uploads_outlast_another_page() -> None:
    page = upload(("MgO.vasp", POSCAR.format(symbol="Mg")))
    page.switch_page(str(ROOT / "pages" / "model.py")).run()
    page.switch_page(str(ROOT / "pages" / "predict.py")).run()
    assert "Still here: MgO.vasp" in words(page)
    assert any(box.label.startswith("**MgO**, MgO.vasp, ") for box in page.expander)
    (button,) = (one for one in page.button if one.label == "Put them away")
    button.click().run()
    assert not any("MgO.vasp" in box.label for box in page.expander)


def test_a_crystal_of_which_nothing_can_be_said_gets_no_numbers_but_the_intervals() -> None:
    """MgO as in CsCl, at one and a half times its bond lengths: the interval of n spans more than a factor."""
    page = upload(("MgO.vasp", POSCAR.format(symbol="Mg")))
    rows = dict(row.split("|")[1:3] for row in words(page).splitlines() if row.startswith("| "))
    assert rows[" Refractive index n "] == rows[" Electronic, mean "] == " no useful prediction "
    assert "No useful prediction of the electronic tensor: its mean lies between" in words(page)
    assert any("no useful prediction" in box.label for box in page.expander)


def test_an_element_that_no_training_crystal_holds_is_named() -> None:
    assert "Plutonium (Pu)" in words(upload(("PuO.vasp", POSCAR.format(symbol="Pu"))))


def test_pasted_text_is_predicted_like_a_file() -> None:
    page = open_page("predict")
    page.text_area(key="pasted").set_value(POSCAR.format(symbol="Mg")).run()
    assert "| Refractive index n | " in words(page)


SILICON = """data_Si
_cell_length_a 5.431
_cell_length_b 5.431
_cell_length_c 5.431
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'F d -3 m'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Si 0.125 0.125 0.125
"""


def test_a_file_that_fits_two_settings_leaves_the_choice_to_the_visitor() -> None:
    page = upload(("Si.cif", SILICON))
    assert "fits more than one: Si16 as F d -3 m:1, or Si8 as F d -3 m:2" in words(page)
    page.button_group(key="setting-Si.cif").set_value("F d -3 m:2").run()
    text = words(page)
    assert "| Refractive index n | " in text
    assert "The setting F d -3 m:2 was chosen by hand." in text


def test_a_disordered_file_is_refused_and_its_ordered_approximations_are_offered() -> None:
    page = upload(("alloy.cif", disordered_cif(*SALT, SHARED)))
    assert "a site is partly occupied: Na1, K1" in words(page)
    assert not page.expander
    page.toggle(key="orderings-alloy.cif").set_value(True).run()
    text = words(page)
    assert "none of which is Na₀.₅K₀.₅Cl itself" in text
    assert "total mean" in text
    assert "over 2 ordered approximations" in text
    titles = [box.label for box in page.expander if "alloy.cif ordering" in box.label]
    assert [title.split(", n = ")[0] for title in titles] == [
        f"**KNaCl₂**, alloy.cif ordering {number}" for number in (1, 2)
    ]


def test_what_was_read_is_said_beside_the_answer() -> None:
    text = words(upload(("MgO.vasp", POSCAR.format(symbol="Mg"))))
    assert "Read as MgO, " in text
    assert "2 atoms in the cell" in text
    assert "The ionic part comes from Born charges and force constants" in text


def test_a_bar_says_how_many_of_several_crystals_are_predicted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "AT_ONCE", 0.0)
    three = "".join(
        f'2\nLattice="{a} 0 0 0 {a} 0 0 0 {a}"\nCs 0 0 0\nCl {a / 2} {a / 2} {a / 2}\n' for a in (4.1, 4.2, 4.3)
    )
    page = upload(("three.xyz", three))
    said, deadline = [], time.monotonic() + PATIENCE
    while len(page.expander) < 3:
        said += [bar.proto.text for bar in page.get("progress")]
        assert time.monotonic() < deadline
        page.run()
    assert said
    assert said == sorted(said, key=lambda text: ("predicted" in text, text))
    assert said[-1].endswith("of 3 crystals predicted")
    assert set(said) <= {"three.xyz: being read", *(f"three.xyz: {i} of 3 crystals predicted" for i in range(3))}


def test_a_prediction_that_is_stopped_says_so_and_can_be_had_after_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "AT_ONCE", 0.0)
    baria = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.6), ["Ba", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    baria.perturb(0.05, seed=int(time.time()))  # a new one, of which nothing is kept
    page = upload(("slow.vasp", Poscar(baria).get_str()))
    deadline = time.monotonic() + PATIENCE
    while not any("predicted" in bar.proto.text for bar in page.get("progress")):
        assert time.monotonic() < deadline
        page.run()
    next(button for button in page.button if button.label == "Stop").click().run()
    assert words(page).count("stopped before it was answered") == 1
    monkeypatch.setattr(waiting, "AT_ONCE", PATIENCE)
    next(button for button in page.button if button.label == "Go on with what was stopped").click().run()
    assert "stopped" not in words(page)
    assert "BaO" in page.expander[0].label


def test_reading_that_is_stopped_says_so_and_can_be_gone_on_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "AT_ONCE", 0.0)
    page = upload(("stopped.vasp", POSCAR.format(symbol="Ca").replace("4.2", "4.9")))
    assert [bar.proto.text for bar in page.get("progress")] == ["stopped.vasp: being read"]
    monkeypatch.setattr(waiting, "AT_ONCE", PATIENCE)
    next(button for button in page.button if button.label == "Stop").click().run()
    assert words(page).count("stopped before it was answered") == 1
    next(button for button in page.button if button.label == "Go on with what was stopped").click().run()
    assert "CaO" in page.expander[0].label


def test_a_run_of_vasp_shows_its_own_tensor_as_dft_beside_the_prediction() -> None:
    run = Path(ase.__file__).parent / "test/testdata/vasp/vasprun_dfpt.xml"  # NaCl, LEPSILON
    text = words(upload(("vasprun.xml", run.read_text())))
    assert "| | Prediction | 90 % interval | DFT |" in text
    assert "tensors of the run that the file comes from" in text


def test_a_sheet_in_a_box_gets_its_own_polarisability_above_tensors_that_are_called_the_boxs() -> None:
    page = upload(("sheet.vasp", Poscar(disulfide(20)).get_str()))
    text = words(page)
    assert "A sheet in a box with 16.9 Å of vacuum" in text
    assert "| Electronic α, in the plane (Å) | 7.0" in text
    assert "| Electronic, mean, of the box |" in text
    assert "**Prediction, of the box**" in text
    assert text.index("Electronic α") < text.index("of the box |")
    for of_bulk in ("Birefringence", "Reflectance", "Refractive index n"):
        assert of_bulk not in text
    assert "index ellipsoid" not in page.selectbox(key="predict-0-surface").options


def test_look_up_shows_a_monolayer_as_one() -> None:
    page = look_up("mp-8781")  # SnS, two atoms thick, with 8 Å of vacuum
    text = words(page)
    assert "A sheet in a box with 8.4 Å of vacuum" in text
    assert "Birefringence" not in text
    assert "No spectrum is drawn" in words(look_up_tab("mp-8781", "Infrared"))


def test_tensors_by_another_functional_can_be_asked_for() -> None:
    page = upload(("MgO.vasp", POSCAR.format(symbol="Mg")))
    page.button_group(key="functional").set_value("PBEsol").run()
    assert "These are tensors as PBEsol gives them" in words(page)


def test_an_example_is_predicted_like_a_file_and_told_to_be_one() -> None:
    page = open_page("predict")
    page.button_group(key="try").set_value("mp-2998").run()
    text = words(page)
    assert "| Refractive index n | " in text
    assert "BaTiO₃ is a formula of the training set" in text
    assert any(box.label.startswith("**BaTiO₃**, example mp-2998.json, n = ") for box in page.expander)


def test_before_any_training_there_is_something_to_expect() -> None:
    text = words(open_page("train"))
    assert "**No run yet.**" in text
    assert "by the size of the training set" in text


def test_train_shows_a_run_that_its_address_names(runs: Path) -> None:
    config = TrainConfig(model=ModelConfig(targets=("ionic",)), graph=GraphConfig(r_max=3.0), epochs=7)
    for name in ("first", "second"):
        Run.create(config, "petousis-2017", runs / name)
    app = AppTest.from_file(str(ROOT / "pages" / "train.py"), default_timeout=PATIENCE)
    app.query_params["run"] = "first"
    page = app.run()
    assert page.selectbox(key="run").value == "first"
    assert "It ended before its first epoch had finished" in words(page)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_train_offers_every_backbone_and_shows_its_runs(backbone: str, runs: Path) -> None:
    Run.create(TrainConfig.for_backbone(backbone), "petousis-2017", runs / "one")
    page = open_page("train")
    page.button_group(key="backbone").set_value(backbone).run()
    assert not page.exception
    assert charts.BACKBONES[backbone] in page.selectbox(key="run").options[0]


def trained(folder: Path, title: str, epochs: int = 2) -> Run:
    """A small network that has learnt for some epochs."""
    config = TrainConfig(
        graph=GraphConfig(r_max=3.0),
        model=ModelConfig(targets=("electronic",), mul=4, num_layers=1),
        epochs=epochs, batch_size=64, device="cpu",
    )  # fmt: skip
    write_materials(folder.with_suffix(".parquet"), load_dataset("petousis-2017")[:60])
    run = Run.create(config, str(folder.with_suffix(".parquet")), folder, title)
    run.work(lambda result: None)
    return run


def test_a_trained_run_can_be_used_judged_compared_and_deleted(runs: Path) -> None:
    first, second = trained(runs / "a", "first try"), trained(runs / "b", "second try")
    page = open_page("train")
    assert any(
        "second try · from scratch · electronic · 2 epochs" in one for one in page.selectbox(key="run").options
    )
    assert "Use this model on the Predict page" in [button.label for button in page.button]
    assert any(chart.proto.id.endswith("-losses") for chart in page.get("plotly_chart"))
    model = AppTest.from_file(str(ROOT / "pages" / "model.py"), default_timeout=PATIENCE)
    model.query_params["model"] = first.name
    assert "tensors within 25 % (EwT25)" in words(model.run()).replace("\u00a0", " ")
    (delete,) = (button for button in page.button if button.label == "Delete this run")
    delete.click().run()
    assert [run.name for run in Run.all()] == [first.name]
    assert not second.folder.exists()


def test_a_run_that_failed_says_why(runs: Path) -> None:
    run = Run.create(TrainConfig(), "petousis-2017", runs / "stale")
    asked = run.folder / "run.json"
    asked.write_text(asked.read_text().replace('"data_sha256": "', '"data_sha256": "0'))
    with pytest.raises(EngineError):
        run.work(print)
    text = words(open_page("train"))
    assert "has changed since this run began; start a new run" in text
    assert "It ended before its first epoch had finished" in text


@pytest.fixture
def bounded() -> Iterator[Callable[[Limits], None]]:
    """Has the server keep to some limits during one test."""
    before = in_force()
    yield enforce
    enforce(before)


def test_more_files_than_the_server_takes_are_let_go_and_the_next_ones_are_welcome(bounded):
    page = open_page("predict")
    bounded(Limits(upload_files=2))
    poscar = POSCAR.format(symbol="Mg").encode()
    page.file_uploader(key="files").set_value([(f"{i}.vasp", poscar, "text/plain") for i in range(3)]).run()
    assert [error.value for error in page.error] == ["3 files were brought, and this server takes 2 at once."]
    assert not page.expander
    page.file_uploader(key="files-1").set_value([("1.vasp", poscar, "text/plain")]).run()
    assert not page.error
    assert any("MgO" in box.label for box in page.expander)


def test_a_visitor_who_has_had_the_day_s_structures_is_told_so(bounded):
    page = open_page("predict")
    bounded(Limits(structures_a_day=1))
    page.file_uploader(key="files").set_value(
        [("a.vasp", POSCAR.format(symbol="Ca").encode(), "text/plain")]
    ).run()
    assert not page.error
    page.file_uploader(key="files").set_value(
        [("b.vasp", POSCAR.format(symbol="Sr").encode(), "text/plain")]
    ).run()
    assert "1 more would exceed today's 1 structures" in page.error[0].value


def test_a_server_whose_limits_cannot_be_read_says_so_on_every_page(monkeypatch, tmp_path):
    (tmp_path / "limits.toml").write_text("memory_gib = -1")
    monkeypatch.setenv("DIELECTRIC_LIMITS", str(tmp_path / "limits.toml"))
    server._begin.cache_clear()
    page = open_page("explore")
    assert "This server is not set up" in page.error[0].value
    assert not page.selectbox
    monkeypatch.delenv("DIELECTRIC_LIMITS")
    assert not page.run().error
