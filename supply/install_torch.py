"""Install a package of torch.lock in the build that fits this machine, and say which one it is.

    python -m supply.install_torch torch
    python -m supply.install_torch torch-cluster --no-build-isolation --find-links PAGE

PyTorch has several builds of one version: PyPI's, and those of its own indexes, which carry a label (2.13.0+cpu).
pip chooses, as it is set up here. What it chose must be a file of PyPI by its SHA-256 in torch.lock, or a build of
torch or torch_cluster with a label. PyPI never holds those: such a build comes from an index or a folder that the
machine's owner named, and is said with its SHA-256. Then that file, and no other, is installed.
"""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import Version

from supply.locks import RELEASED, Locked, read

LABELLED = ("torch", "torch-cluster")
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A file that pip would install."""

    name: str
    version: str
    sha256: str


def choices(report: dict[str, Any]) -> list[Choice]:
    """What a report of pip would install."""
    return [
        Choice(
            name=canonicalize_name(item["metadata"]["name"]),
            version=item["metadata"]["version"],
            sha256=item["download_info"].get("archive_info", {}).get("hashes", {}).get("sha256", ""),
        )
        for item in report["install"]
    ]


def objection(choice: Choice, locked: list[Locked]) -> str | None:
    """Why a file must not be installed; None where it may."""
    entries = [entry for entry in locked if entry.name == choice.name]
    if not any(Version(choice.version).public == entry.version for entry in entries):
        versions = ", ".join(entry.version for entry in entries) or "no version"
        return f"{choice.name} must be as locked, {versions}, got {choice.version}; `make lock` renews the lock"
    if not choice.sha256:
        return f"{choice.name} {choice.version} must come as a file with a SHA-256, got none"
    labelled = choice.name in LABELLED and Version(choice.version).local is not None
    if not labelled and not any(choice.sha256 in entry.hashes for entry in entries):
        return f"{choice.name} {choice.version} must have a SHA-256 of supply/torch.lock, got {choice.sha256}"
    return None


def ask_pip(requirement: str, options: list[str], constraints: Path) -> dict[str, Any]:
    """pip's report of what it would install."""
    report = constraints.with_name("report.json")
    command = [*PIP, "--dry-run", "--report", str(report), "--constraint", str(constraints), requirement, *options]
    subprocess.run(command, check=True)
    return json.loads(report.read_text())


def install(requirement: str, options: list[str]) -> int:
    """Install one package and what it needs; 0, or 1 where a file is not the locked one."""
    locked = read(*RELEASED)
    needed = [entry for entry in locked if entry.needed_here]
    with tempfile.TemporaryDirectory() as name:
        constraints = Path(name) / "constraints.txt"
        constraints.write_text("".join(f"{entry.name}=={entry.version}\n" for entry in needed))
        chosen = choices(ask_pip(requirement, options, constraints))
        objections = [reason for choice in chosen if (reason := objection(choice, locked))]
        if objections:
            print("\n".join(objections), file=sys.stderr)
            return 1
        files = Path(name) / "files.txt"
        files.write_text("".join(f"{one.name}=={one.version} --hash=sha256:{one.sha256}\n" for one in chosen))
        if chosen:
            subprocess.run(
                [*PIP, "--no-compile", "--require-hashes", "--no-deps", "-r", files, *options], check=True
            )
    for one in chosen:
        if Version(one.version).local:
            print(
                f"{one.name} {one.version}: the build that pip is set up for here, SHA-256 {one.sha256}",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    os.chdir(Path(__file__).resolve().parents[1])
    try:
        sys.exit(install(sys.argv[1], sys.argv[2:]))
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
