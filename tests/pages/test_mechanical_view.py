"""What a visitor reads and sees of elastic and piezoelectric tensors."""

import json

import numpy as np
from streamlit.testing.v1 import AppTest

from engine.data.catalogue import catalogued, indexed
from engine.data.mechanical import mechanical_of
from engine.tensors.axes import ieee_rotation, turned
from engine.tensors.voigt import stiffness_matrix, stiffness_tensor
from pages.components.crystal.overlay import Overlay, make_mesh
from pages.components.crystal.scene import make_scene
from pages.components.crystal.viewer import legend_html
from pages.components.material.mechanical_view import overlays
from tests.pages.test_material_page import look_up, words

SILICON = next(material for material in indexed() if material.material_id == "mp-149")
NITRIDE = next(material for material in indexed() if material.material_id == "mp-661")


def charts_of(page: AppTest) -> list[dict]:
    return [json.loads(one.proto.spec) for one in page.get("plotly_chart")]


def matrix_of(page: AppTest) -> np.ndarray:
    """The numbers of the heat map, as they are written in its cells."""
    (heat,) = [trace for chart in charts_of(page) for trace in chart["data"] if trace["type"] == "heatmap"]
    return np.array([[float(text.replace("−", "-")) for text in row] for row in heat["text"]])


def test_silicon_has_its_stiffness_moduli_and_cuts_with_unit_and_source() -> None:
    page = look_up("mp-149", "Elastic")
    text = words(page)
    assert "**Stiffness C** (GPa)" in text
    assert "| Bulk modulus (GPa) | 83.01 |" in text
    assert "E, largest (GPa) | 172, [111]" in text
    assert "de Jong et al., Sci. Data 2, 150009 (2015)" in text
    assert sum(trace["type"] == "scatterpolar" for chart in charts_of(page) for trace in chart["data"]) == 3


def test_in_ieee_axes_the_stiffness_of_silicon_is_that_of_a_cubic_crystal() -> None:
    page = look_up("mp-149", "Elastic")
    page = page.segmented_control(key="view-axes").set_value("IEEE axes").run()
    there = turned(stiffness_tensor(mechanical_of(SILICON).elastic), ieee_rotation(SILICON.structure))
    np.testing.assert_allclose(matrix_of(page), stiffness_matrix(there), atol=0.5)
    assert (np.abs(matrix_of(page)[:3, 3:]) < 0.1).all()
    assert "in IEEE axes" in words(page)


def test_a_piezoelectric_tensor_has_its_largest_response_and_says_that_its_sign_is_open() -> None:
    text = words(look_up("mp-661", "Piezoelectric"))
    assert "Largest size of e(n) (C/m²) | 1.4" in text
    assert "along | [001]" in text
    assert "which end is positive is not known" in text
    assert "150053" in text


def test_a_tensor_whose_orientation_is_open_stays_in_the_axes_of_the_source() -> None:
    page = look_up("mp-5777", "Piezoelectric")  # BaTiO3, Amm2
    assert "in IEEE axes, as published" in words(page)
    assert not any("Piezoelectric" in option for option in page.selectbox(key="view-surface").options)


def test_a_crystal_without_such_tensors_has_no_such_tabs() -> None:
    labels = [tab.label for tab in look_up("mp-1943").tabs]
    assert "Matrices" in labels
    assert not {"Elastic", "Piezoelectric"} & set(labels)


def test_a_metal_without_dielectric_tensor_has_its_elastic_one_drawn_in_and_nothing_to_cut() -> None:
    page = look_up("mp-30", "Elastic")  # Cu
    assert page.selectbox(key="view-surface").value == "young"
    assert "**Stiffness C** (GPa)" in words(page)
    assert "there is none to cut" in words(look_up("mp-30", "Plane cuts"))


def test_youngs_modulus_can_be_drawn_into_the_crystal() -> None:
    page = look_up("mp-149", "Elastic")
    page = page.selectbox(key="view-surface").set_value("young").run()
    html = "".join(block.proto.body for block in page.get("html"))
    assert "Young's modulus E(direction), DFT" in html
    assert "172 GPa" in html


def drawn(name: str) -> Overlay:
    return overlays(SILICON if name == "young" else NITRIDE)[name]


def test_the_surface_of_youngs_modulus_is_farthest_out_where_the_crystal_is_stiffest() -> None:
    scene = make_scene(SILICON.structure, 1)
    mesh = make_mesh(drawn("young"), scene)
    out = mesh.vertices - scene.middle
    lengths = np.linalg.norm(out, axis=1)
    values = drawn("young").quantity.values(out / lengths[:, None])
    np.testing.assert_allclose(lengths / values, (lengths / values)[0], rtol=1e-9)


def test_the_lobes_of_a_piezoelectric_surface_are_coloured_by_their_sign() -> None:
    scene = make_scene(NITRIDE.structure, 1)
    mesh = make_mesh(drawn("piezoelectric"), scene)
    up = (mesh.vertices - scene.middle)[:, 2]
    yellow = mesh.colors[:, 0] - mesh.colors[:, 2]
    assert yellow[up.argmax()] * yellow[up.argmin()] < 0
    legend = legend_html([7, 13], drawn("piezoelectric"))
    assert "−1.4" in legend
    assert "C/m²" in legend


def test_a_catalogue_crystal_has_the_tensors_of_its_own_structure() -> None:
    metal = next(m for m in catalogued(indexed()) if m.source == "elastic-2015")
    assert mechanical_of(metal).elastic is not None
