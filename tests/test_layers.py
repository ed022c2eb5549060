"""Imports point down only: app -> pages -> components -> engine; the engine works without a browser."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ENGINE = sorted((ROOT / "engine").rglob("*.py"))
ORDER = (  # from the bottom; a package imports from itself and from those below it; a new one is added here
    {"errors", "config", "limits", "files", "processes", "usage", "cluster"},
    {"tensors"},
    {"crystals"},
    {"data"},
    {"materials_project", "optics"},
    {"network"},
    {"model"},
    {"vibrations"},
    {"training"},
    {"prediction"},
    {"teaching", "evaluation", "screening"},
    {"runs"},
    {"hosting"},
    {"cli"},
    {"__init__"},
    {"__main__"},
)
HEIGHT = {package: height for height, packages in enumerate(ORDER) for package in packages}


def module_name(path: Path) -> str:
    """Dotted name of a file below `ROOT`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> set[str]:
    """Every module that a file names in an import, wherever in the file."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def package_of(path: Path) -> str:
    """The package below `engine` that a file belongs to, or its own name where it is in none."""
    return path.relative_to(ROOT / "engine").with_suffix("").parts[0]


def test_the_whole_engine_imports_without_streamlit_or_the_materials_project_client():
    modules = [module_name(path) for path in ENGINE]
    code = f"import importlib, sys\nfor name in {modules}: importlib.import_module(name)\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert set(modules) <= loaded
    assert not {"streamlit", "mp_api", "pages"} & loaded


@pytest.mark.parametrize("path", ENGINE, ids=lambda path: str(path.relative_to(ROOT / "engine")))
def test_an_engine_module_imports_neither_pages_nor_a_package_above_its_own(path):
    named = imports(path)
    assert not [name for name in named if name.split(".")[0] in ("pages", "app", "streamlit")]
    own = package_of(path)
    others = {name.split(".")[1] for name in named if name.startswith("engine.")} & HEIGHT.keys() - {own}
    above = {package for package in others if HEIGHT[package] >= HEIGHT[own] and HEIGHT[own] > 0}
    assert not above, f"{own} lies below {above} or beside it"


def test_data_records_and_the_giving_out_of_a_screening_import_no_network():
    modules = "engine.data.datasets, engine.prediction.records, engine.screening.screening"
    code = f"import sys, {modules}\nprint(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"e3nn", "torch_geometric", "sevenn"} & set(loaded.stdout.split())


def test_only_the_client_imports_the_materials_project_package():
    scripts = [ROOT / "app.py", *ENGINE, *(ROOT / "pages").rglob("*.py")]
    importers = {module_name(path) for path in scripts if any(name.startswith("mp_api") for name in imports(path))}
    assert importers <= {"engine.materials_project.client"}


@pytest.mark.parametrize(
    "name",
    [
        "charts",
        "elements",
        "explore/scatter_charts",
        "material/cut_charts",
        "material/infrared_charts",
        "model/error_charts",
        "model/naming",
        "model/parity_charts",
        "screen/front_chart",
        "theory/charts",
    ],
)
def test_charts_are_drawn_without_streamlit(name):
    named = imports(ROOT / f"pages/components/{name}.py")
    assert not [other for other in named if other.startswith("streamlit")]
