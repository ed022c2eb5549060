"""Make the locks anew: `make lock` keeps versions that still fit, `make lock UPGRADE=--upgrade` takes the newest.

uv resolves all requirements at once, for every system and every Python from 3.11 on, and writes the SHA-256 of
every file of a package. What is installed together then lies in one file:

    build.lock    what compiles                app.lock    the program, but
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

from supply.locks import BUILT, FOLDER, ROOT, Locked, parse, path

HEAD = "# Made by `make lock`, see supply/lock.py. The packages that are needed{}.\n"
WHAT = {
    "build": " to compile others",
    "app": " by the program",
    "torch": " in the builds that fit the machine",
    "dev": " by tests and style",
    "tools": " to lock and to audit",
}
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


def split(entries: list[Locked], build: set[str], program: set[str]) -> dict[str, list[Locked]]:
    """The entries of each lock, given the names that building and the program need."""
    locks: dict[str, list[Locked]] = {"build": [], "app": [], "torch": [], "dev": []}
    for entry in entries:
        if BUILT.match(entry.name):
            locks["torch"].append(entry)
        else:
            locks["build" if entry.name in build else "app" if entry.name in program else "dev"].append(entry)
    return locks


def main() -> int:
    """Write every lock."""
    options = sys.argv[1:]
    known = "".join(path(lock).read_text() for lock in ("build", "app", "torch", "dev") if path(lock).exists())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        others = [without_includes(file, folder) for file in ("requirements.txt", "requirements-dev.txt")]
        program = ["supply/build.txt", *PROGRAM, others[0]]
        together = resolve([*program, others[1]], known, options)
        pins = folder / "pins.txt"
        pins.write_text("".join(entry.text for entry in together))
        named = [
            {entry.name for entry in resolve(inputs, pins.read_text(), ["--constraint", str(pins)])}
            for inputs in ([program[0]], program)
        ]
        for lock, entries in split(together, *named).items():
            write(lock, [mended(entry, folder) for entry in entries])
    tools = FOLDER / "tools.lock"
    write("tools", resolve(["supply/tools.txt"], tools.read_text() if tools.exists() else "", options))
    return 0


def mended(entry: Locked, folder: Path) -> Locked:
    """The entry with the names of copies turned back into those of the files."""
    return parse(entry.text.replace(f"{folder}/", ""))[0]


if __name__ == "__main__":
    sys.exit(main())
