"""Imports point down only: app -> pages -> components -> engine; the engine works without a browser."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ENGINE = sorted((ROOT / "engine").glob("*.py"))
LAYERS = (  # from the bottom; a module imports only from its own layer or one below; a new module is added here
    {"errors"},
    {"materials", "config", "structure_parser", "material_files"},
    {
        "graph", "tensors", "frames", "metrics", "structure_files", "selection", "distributions", "harmonics",
        "surfaces", "dispersion", "phases", "data_check", "reconciliation", "material_store", "materials_project",
        "inputs",
    },
    {"pretrained", "layers", "dataset", "dipoles", "springs", "principal_axes", "fetching", "provenance"},
    {"backbones", "heads", "parity", "force_constants", "exports", "experiment"},
    {"network", "sites"},
    {"calibration", "neighbourhood", "out_of_fold"},
    {"checkpoint", "features", "ensemble", "inference", "losses", "prediction", "shipped_models", "doubts"},
    {"labelled_graphs", "unlabelled_graphs", "training", "plain_network"},
    {"members", "dimensionality", "index_data", "plain_training", "equivariance", "run_files"},
    {"index_network", "index_kernel"},
    {"matbench", "unseen"},
    {"judging", "run_process"},
    {"run_training"},
    {"predictor", "runs", "evaluation", "records", "calculator", "report"},
    {"layered", "learning_curve", "tour"},
    {"cli", "__init__"},
    {"__main__"},
)
LAYER_OF = {module: height for height, modules in enumerate(LAYERS) for module in modules}


def imports(path: Path) -> set[str]:
    """Every module that a file names in an import, wherever in the file."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_the_whole_engine_imports_without_streamlit_or_the_materials_project_client():
    modules = [f"engine.{path.stem}" for path in ENGINE]
    code = f"import importlib, sys\nfor name in {modules}: importlib.import_module(name)\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert set(modules) <= loaded
    assert not {"streamlit", "mp_api", "pages"} & loaded


@pytest.mark.parametrize("path", ENGINE, ids=lambda path: path.stem)
def test_an_engine_module_imports_neither_pages_nor_what_lies_above_it(path):
    named = imports(path)
    assert not [name for name in named if name.split(".")[0] in ("pages", "app", "streamlit")]
    inner = {name.split(".")[1] for name in named if name.startswith("engine.")} & LAYER_OF.keys()
    above = {module for module in inner if LAYER_OF[module] > LAYER_OF[path.stem]}
    assert not above, f"{path.stem} lies in a lower layer than {above}"


def test_only_materials_project_py_imports_the_materials_project_client():
    scripts = [ROOT / "app.py", *ENGINE, *(ROOT / "pages").rglob("*.py")]
    importers = {path.stem for path in scripts if any(name.startswith("mp_api") for name in imports(path))}
    assert importers <= {"materials_project"}


@pytest.mark.parametrize(
    "name", ["charts", "model_charts", "parity_charts", "naming", "explore_charts", "elements"]
)
def test_charts_are_drawn_without_streamlit(name):
    named = imports(ROOT / f"pages/components/{name}.py")
    assert not [other for other in named if other.startswith("streamlit")]
