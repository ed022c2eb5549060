"""What is drawn into a crystal, or beside it, is what the tensor says."""

import json

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from engine.tensors import surfaces
from pages.components.crystal.flat import flat_drawing
from pages.components.crystal.frame import frame_html
from pages.components.crystal.overlay import SHARE, Overlay, make_mesh, outlines
from pages.components.crystal.scene import make_scene
from pages.components.crystal.viewer import legend_html
from pages.components.material.cut_charts import polar_cut

SALT = Structure.from_spacegroup(221, Lattice.cubic(4.1), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
TENSOR = np.array([[4.0, 0.5, 0.0], [0.5, 6.0, 0.0], [0.0, 0.0, 9.0]])


def drawn(shape: surfaces.Shape = "permittivity") -> Overlay:
    return Overlay(quantity=surfaces.of_tensor(TENSOR, shape), name="Electronic ε(direction), DFT")


@pytest.mark.parametrize("shape", surfaces.SHAPES)
def test_the_surface_stands_in_the_middle_of_the_crystal_aligned_with_its_axes(shape: surfaces.Shape) -> None:
    scene = make_scene(SALT, 1)
    mesh = make_mesh(drawn(shape), scene)
    out = mesh.vertices - scene.middle
    lengths = np.linalg.norm(out, axis=1)
    radii = surfaces.radius(TENSOR, out / lengths[:, None], shape)
    np.testing.assert_allclose(lengths / radii, (lengths / radii)[0], rtol=1e-9)
    np.testing.assert_allclose(scene.middle, [2.05] * 3)
    np.testing.assert_allclose(lengths.max(), SHARE * scene.reach, rtol=1e-2)


def test_the_colours_run_from_the_smallest_to_the_largest_radius() -> None:
    mesh = make_mesh(drawn(), make_scene(SALT, 1))
    lengths = np.linalg.norm(mesh.vertices - 2.05, axis=1)
    yellow = mesh.colors[:, 0] - mesh.colors[:, 2]
    assert yellow[lengths.argmax()] > 0.5 > 0 > yellow[lengths.argmin()]


def test_the_frame_holds_every_vertex_of_the_surface() -> None:
    scene = make_scene(SALT, 1)
    html = frame_html(scene, drawn())
    mesh = make_mesh(drawn(), scene)
    spec = json.JSONDecoder().raw_decode(html[html.index("addCustom(") + len("addCustom(") :])[0]
    there = np.array([[vertex[axis] for axis in "xyz"] for vertex in spec["vertexArr"]])
    np.testing.assert_allclose(there, mesh.vertices, atol=1e-4)
    assert len(spec["faceArr"]) == 3 * len(mesh.faces)
    assert len(spec["color"]) == len(spec["normalArr"]) == len(there)
    assert "addCustom" not in frame_html(scene)


def test_the_flat_drawing_shows_the_three_cuts_of_the_surface() -> None:
    scene = make_scene(SALT, 1)
    names = [trace.name for trace in flat_drawing(scene, drawn()).data if trace.name]
    assert names == ["xy plane", "yz plane", "zx plane"]
    for axis, plane in ((2, "xy"), (0, "yz"), (1, "zx")):
        curve, colors = outlines(drawn(), scene)[plane]
        np.testing.assert_allclose(curve[:, axis], scene.middle[axis])
        assert curve.shape == colors.shape


def test_the_legend_names_the_surface_and_its_smallest_and_largest_radius() -> None:
    low, _, high = np.linalg.eigvalsh(TENSOR)
    text = legend_html([17, 55], drawn())
    assert "Electronic ε(direction), DFT" in text
    assert f"{low:.3f}" in text
    assert f"{high:.3f}" in text
    sphere = Overlay(quantity=surfaces.of_tensor(5 * np.eye(3), "permittivity"), name="ε")
    assert "5.000 in every direction" in legend_html([17], sphere)


def test_a_polar_cut_reads_the_tensor_along_the_axes_that_it_names() -> None:
    curve = surfaces.cut(surfaces.of_tensor(TENSOR, "permittivity"), "zx")
    figure = polar_cut({"DFT": curve, "Prediction": curve}, "zx", 9.0)
    at = dict(zip(np.round(figure.data[0].theta, 6), figure.data[0].r, strict=True))
    axis = figure.layout.polar.angularaxis
    assert dict(zip(axis.tickvals, axis.ticktext, strict=True)) == {0: "z", 90: "x", 180: "−z", 270: "−x"}
    assert at[0] == pytest.approx(TENSOR[2, 2])
    assert at[90] == pytest.approx(TENSOR[0, 0])
    assert figure.layout.polar.radialaxis.range[0] == 0
    assert len({trace.line.color for trace in figure.data}) == len({trace.line.dash for trace in figure.data}) == 2
