"""Make the locks anew: `make lock` keeps versions that still fit, `make lock UPGRADE=--upgrade` takes the newest.

uv resolves all requirements at once, for every system and every Python from 3.11 on, and writes the SHA-256 of
every file of a package. What is installed together then lies in one file:

    build.lock    what compiles                app.lock    the program, but
    sign-in.lock  Streamlit's own sign-in, for hosts that want it
    torch.lock    torch, torch_cluster and what torch brings on Linux: which build of them is installed depends on
                  the machine, so they have a step of their own (install_torch.py)
    dev.lock      what tests and style need besides
    tools.lock    uv and pip-audit, for `make lock` and `make audit`
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from supply.locks import BUILT, FOLDER, RELEASED, ROOT, Locked, parse, path

HEAD = "# Made by `make lock`, see supply/lock.py. The packages that are needed{}.\n"
WHAT = {
    "build": " to compile others",
    "app": " by the program",
    "torch": " in the builds that fit the machine",
    "sign-in": " by Streamlit's own sign-in",
    "dev": " by tests and style",
    "tools": " to lock and to audit",
}
DEVELOPMENT = ("requirements-dev.txt", "requirements-parallel.txt")  # all that the tests need besides
PROGRAM = ("requirements-engine.txt", "requirements-dashboard.txt")


def resolve(inputs: list[str], known: str, options: list[str]) -> list[Locked]:
    """What uv makes of files of requirements; the versions in `known`, an earlier answer, stay where they can."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.txt"
        answer.write_text(known)
        command = [str(Path(sys.executable).with_name("uv")), "pip", "compile", "--quiet", "--universal"]
        command += ["--config-file", "supply/uv.toml", "--python-version", "3.11", "--generate-hashes"]
        command += ["--no-header", "--no-emit-index-url", "--output-file", str(answer), *inputs, *options]
        subprocess.run(command, cwd=ROOT, check=True)
        return parse(answer.read_text())


def without_includes(name: str, folder: Path) -> str:
    """A copy of a file of requirements that names no other file and no page of wheels."""
    copy = folder / name
    copy.write_text(re.sub(r"^(-r|--find-links) .*\n", "", (ROOT / name).read_text(), flags=re.MULTILINE))
    return str(copy)


def write(lock: str, entries: list[Locked]) -> None:
    """Write one lock."""
    path(lock).write_text(HEAD.format(WHAT[lock]) + "\n" + "".join(entry.text for entry in entries))
    print(f"supply/{lock}.lock: {len({entry.name for entry in entries})} packages")


def split(entries: list[Locked], names: dict[str, set[str]]) -> dict[str, list[Locked]]:
    """The entries of each lock: of the first one whose names it is among, or else dev."""
    locks: dict[str, list[Locked]] = {lock: [] for lock in ("torch", *names, "dev")}
    for entry in entries:
        first = next((lock for lock, own in names.items() if entry.name in own), "dev")
        locks["torch" if BUILT.match(entry.name) else first].append(entry)
    return locks


def main() -> int:
    """Write every lock."""
    options = sys.argv[1:]
    known = "".join(path(lock).read_text() for lock in (*RELEASED, "dev") if path(lock).exists())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        others = [without_includes(file, folder) for file in ("requirements.txt", *DEVELOPMENT)]
        program = ["supply/build.txt", *PROGRAM, others[0]]
        inputs = {"build": program[:1], "app": program, "sign-in": [*program, "supply/sign-in.txt"]}
        together = resolve([*inputs["sign-in"], *others[1:]], known, options)
        pins = folder / "pins.txt"
        pins.write_text("".join(entry.text for entry in together))
        constraint = ["--constraint", str(pins)]
        names = {
            lock: {entry.name for entry in resolve(files, pins.read_text(), constraint)}
            for lock, files in inputs.items()
        }
        for lock, entries in split(together, names).items():
            write(lock, [mended(entry, folder) for entry in entries])
    tools = FOLDER / "tools.lock"
    write("tools", resolve(["supply/tools.txt"], tools.read_text() if tools.exists() else "", options))
    return 0


def mended(entry: Locked, folder: Path) -> Locked:
    """The entry with the names of copies turned back into those of the files."""
    return parse(entry.text.replace(f"{folder}/", ""))[0]


if __name__ == "__main__":
    sys.exit(main())
