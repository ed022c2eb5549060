"""Every chart of every page: words for those who cannot see it, its image to keep, a name on each axis."""

import json
import re
from itertools import product
from pathlib import Path

import pytest
from streamlit.proto.PlotlyChart_pb2 import PlotlyChart
from streamlit.testing.v1 import AppTest

from engine import Run
from engine.data.parquet import write_materials
from engine.evaluation.parity import QUANTITIES
from pages.components.explore.scatter_charts import AXIS_LABELS
from tests.engine.small import config, materials
from tests.pages.test_pages import PATIENCE, POSCAR, ROOT

MATERIAL = "mp-2998"  # BaTiO3
WITHOUT_TENSOR = "Ag2GeO3"
TABS = ("Matrices", "Principal axes", "Plane cuts", "Infrared", "Measured", "Similar crystals")
ADDRESSES = [
    ("look_up", {}),
    *[("look_up", {"mp_id": MATERIAL, "view-tab": tab}) for tab in TABS],
    ("look_up", {"mp_id": WITHOUT_TENSOR}),
    *[("explore", {"across": label, "up": "PBE band gap (eV)"}) for label in AXIS_LABELS.values()],
    ("explore", {"view": "Elements"}),
    ("explore", {"view": "Elements", "colour": "median PBE band gap (eV)"}),
    ("explore", {"view": "Distributions", "holds": "O"}),
    ("explore", {"shown": "20"}),
    *[
        ("model", {"errors": view})
        for view in ("Where it errs", "Intervals", "Learning curve", "Against experiment")
    ],
    *[
        ("model", {"tensor": tensor, "quantity": quantity, "colour": colour})
        for tensor, quantity, colour in product(("electronic", "ionic", "total"), QUANTITIES, ("", "density"))
        if (tensor, quantity) != ("ionic", "anisotropy")  # which has a sentence instead
    ],
    ("theory", {}),
    *[("compare", {"of": "mp-149", "quantity": quantity}) for quantity in ("Reflectivity", "ε″", "ε′")],
    ("demo", {"crystal": "mp-1186"}),
    *[("predict", {"predict-0-tab": tab}) for tab in TABS],
    ("train", {}),
]
# Their axes carry the names of rows and columns: x, y and z, or the components of a degree.
MATRICES = re.compile(r"(-electronic|-ionic|-total|-Prediction|-turned|^tensor|^panels-0|^parts|^coefficients)$")
UNITS = {  # what an axis may show -> its unit
    "band gap": "(eV)",
    "distance": "(Å)",
    "angle": "(degrees)",
    "share": "(%)",
    "error": "(%)",
    "difference": "(% of the tensor)",
    "level": "(%)",
    "inside": "(%)",
    "within": "(%)",
    "wavenumber": "(cm⁻¹)",
    "wavelength": "(µm)",
    "absorption": "(cm⁻¹)",
}
PURE = (  # and what has no unit
    "permittivity", "refractive index", "birefringence", "ratio", "power", "weight", "loss", "degree ℓ", "epoch",
    "reflectivity",
    "atoms in the cell", "crystals", "crystal system",
)  # fmt: skip


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs that holds a short one."""
    folder = tmp_path_factory.mktemp("runs")
    data = folder / "small.parquet"
    write_materials(data, materials())
    Run.create(config(epochs=2), str(data), folder / "short").work(print)
    return folder


@pytest.fixture(scope="module", params=ADDRESSES, ids=lambda address: "-".join([address[0], *address[1].values()]))
def charts(request: pytest.FixtureRequest, finished_run: Path) -> list[PlotlyChart]:
    """All charts of a page as a visitor of that address gets them; the crystal drawn flat."""
    name, query = request.param
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIELECTRIC_RUNS", str(finished_run))
        patch.delenv("MP_API_KEY", raising=False)
        page = AppTest.from_file(str(ROOT / "pages" / f"{name}.py"), default_timeout=PATIENCE)
        page.query_params.update(query)
        page.run()
        if name == "predict":
            page.text_area(key="pasted").set_value(POSCAR.format(symbol="Mg")).run()
        for flat in [switch for switch in page.toggle if switch.label == "Without WebGL"]:
            flat.set_value(True).run()
    assert not page.exception
    found = [chart.proto for chart in page.get("plotly_chart")]
    assert found
    return found


def key(chart: PlotlyChart) -> str:
    """$$ID-hash-key -> key."""
    return chart.id.split("-", 2)[2]


def axis_titles(chart: PlotlyChart) -> dict[str, str]:
    """Title of each axis that is seen; empty where it has none."""
    figure = json.loads(chart.spec)
    flat = [t for t in figure["data"] if not re.search("3d|polar", t.get("type", "scatter"))]
    drawn = {t.get(f"{side}axis", side).replace(side, f"{side}axis") for t in flat for side in "xy"}
    axes = {name: figure["layout"].get(name, {}) for name in sorted(drawn)}
    return {n: axis.get("title", {}).get("text", "") for n, axis in axes.items() if axis.get("visible", True)}


def test_every_chart_says_in_words_what_it_shows(charts: list[PlotlyChart]) -> None:
    assert [key(chart) for chart in charts if len(chart.alt.split()) < 3] == []


def test_every_chart_can_be_kept_as_an_image(charts: list[PlotlyChart]) -> None:
    for chart in charts:
        settings = json.loads(chart.config)
        assert settings.get("displayModeBar", True) is not False
        assert "toImage" not in settings.get("modeBarButtonsToRemove", [])
        assert settings.get("modeBarButtons", [["toImage"]]) == [["toImage"]]
        assert settings["toImageButtonOptions"]["filename"]


def test_every_axis_names_its_quantity_and_unit(charts: list[PlotlyChart]) -> None:
    for chart in charts:
        for title in [] if MATRICES.search(key(chart)) else axis_titles(chart).values():
            units = {unit for quantity, unit in UNITS.items() if quantity in title}
            assert units or any(quantity in title for quantity in PURE), f"{key(chart)}: {title!r}"
            assert all(title.endswith(unit) for unit in units), f"{key(chart)}: {title!r}"


def test_every_colour_scale_names_its_quantity(charts: list[PlotlyChart]) -> None:
    for chart in charts:
        traces = json.loads(chart.spec)["data"]
        holders = [*traces, *(trace.get("marker", {}) for trace in traces)]
        assert all(holder["colorbar"]["title"]["text"] for holder in holders if "colorbar" in holder)


def test_no_name_stands_in_the_white_box_beside_the_pointer(charts: list[PlotlyChart]) -> None:
    for chart in charts:
        spec = json.loads(chart.spec)
        hidden = spec["layout"].get("hoverlabel", {}).get("namelength") == 0
        for trace in spec["data"]:
            template = trace.get("hovertemplate", "")
            assert re.findall("<extra>(.+?)</extra>", template) == [], key(chart)
            assert hidden or template or trace.get("hoverinfo") == "skip", key(chart)
