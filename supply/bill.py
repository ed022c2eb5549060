"""Write docs/sbom.cdx.json, the bill of materials in CycloneDX 1.6 (`make bill`): packages, models, viewer.

    python -m supply.bill

The same locks and models give the same bytes: it holds no date and no serial number. The SHA-256 of the packages'
files are those of the locks, and are not said again.
"""

import hashlib
import importlib.resources
import json
import sys
import tomllib
from pathlib import Path
from typing import Any

from static.fetch import SHA256, VERSION
from supply.licences import Package, packages
from supply.locks import ROOT

BILL = ROOT / "docs" / "sbom.cdx.json"
PROGRAM = "dielectric-tensors"
WEIGHTS = "pretrained_potentials/SevenNet_l3i5/checkpoint_l3i5.pth"  # in the package sevenn


def digest(path: Path) -> list[dict[str, str]]:
    """The hash of a file as CycloneDX has it."""
    return [{"alg": "SHA-256", "content": hashlib.sha256(path.read_bytes()).hexdigest()}]


def licences(text: str) -> list[dict[str, Any]]:
    """A licence as CycloneDX has it: an expression of SPDX, or else a name."""
    return [{"license": {"name": text}}] if "(of " in text else [{"expression": text}]


def package(row: Package, version: str) -> dict[str, Any]:
    """A package of Python as a component."""
    purl = f"pkg:pypi/{row.name}@{version}"
    found = {"type": "library", "bom-ref": purl, "name": row.name, "version": version, "purl": purl}
    return {**found, "licenses": licences(row.licence)}


def model_files() -> list[dict[str, Any]]:
    """The weights that ship, those that `sevenn` brings, and the viewer's script."""
    shipped = sorted((ROOT / "models").glob("*/*.safetensors"))
    parts = [_file(str(path.relative_to(ROOT)), digest(path), "MIT") for path in shipped]
    weights = Path(str(importlib.resources.files("sevenn"))) / WEIGHTS
    parts.append(_file(f"sevenn/{WEIGHTS}", digest(weights), "MIT"))
    purl = f"pkg:npm/3dmol@{VERSION}"
    viewer = {"type": "library", "bom-ref": purl, "name": "3dmol", "version": VERSION, "purl": purl}
    file = {"type": "file", "name": "3Dmol-min.js", "hashes": [{"alg": "SHA-256", "content": SHA256}]}
    return [*parts, {**viewer, "licenses": licences("BSD-3-Clause"), "components": [file]}]


def _file(name: str, hashes: list[dict[str, str]], licence: str) -> dict[str, Any]:
    found = {"type": "machine-learning-model", "bom-ref": f"file:{name}", "name": name}
    return {**found, "hashes": hashes, "licenses": licences(licence)}


def dependencies(rows: list[Package], others: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Who needs whom, in all versions."""
    refs = {row.name: [f"pkg:pypi/{row.name}@{version}" for version in row.versions] for row in rows}
    needs: dict[str, set[str]] = {ref: set() for own in refs.values() for ref in own}
    for row in rows:
        for ref in (ref for other in row.needed_by for ref in refs[other]):
            needs[ref].update(refs[row.name])
    direct = {ref for row in rows if row.direct for ref in refs[row.name]} | {part["bom-ref"] for part in others}
    return [{"ref": ref, "dependsOn": sorted(on)} for ref, on in sorted({PROGRAM: direct, **needs}.items())]


def bill() -> dict[str, Any]:
    """The bill of materials."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    rows, others = packages(), model_files()
    program = {"type": "application", "bom-ref": PROGRAM, "name": PROGRAM, "version": project["version"]}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {**program, "licenses": licences(project["license"])}},
        "components": [*(package(row, version) for row in rows for version in row.versions), *others],
        "dependencies": dependencies(rows, others),
    }


def text() -> str:
    """The bill as it is written."""
    return json.dumps(bill(), indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    """Write the bill."""
    BILL.write_text(text())
    print(f"{BILL.relative_to(ROOT)}: {len(bill()['components'])} components")
    return 0


if __name__ == "__main__":
    sys.exit(main())
