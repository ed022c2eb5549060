"""The Dockerfile read, and its last stage run: by a container engine where one answers, else by the kernel alone.

Without an engine there is no base image and nothing is downloaded: this machine's /usr stands for the base, and
the virtual environment that runs the tests for the build stage's, which the same `make .venv/app.stamp` makes.
All else is as in the image: the files that COPY names and .dockerignore lets through, at /app, owned by root; the
variables, the user, the command and the health check of the Dockerfile; a root that nobody can write to, /tmp in
memory, and /data as the one place to write.
"""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ENGINES = ("docker", "podman")

# $1 an empty folder that becomes the root, $2 the program, $3 its environment, $4 the volume, $5 Python's folder,
# $6 options of chroot, $7 the working folder; then the variables and the command.
SMALL_ROOT = """
set -e
root=$1 app=$2 venv=$3 data=$4 python=$5 options=$6 at=$7; shift 7
mount --make-rprivate /
mount -t tmpfs -o mode=755 none "$root"
for name in bin sbin lib lib64 lib32 usr etc dev sys; do
    if [ -L /$name ]; then cp -P /$name "$root/"
    elif [ -d /$name ]; then mkdir "$root/$name"; mount --rbind /$name "$root/$name"; fi
done
mkdir -p "$root/proc" "$root/app" "$root/data" "$root/tmp" "$root$python"
mount -t proc proc "$root/proc"
mount --bind "$python" "$root$python"
mount --bind "$app" "$root/app"
mount --bind "$venv" "$root/app/.venv"
for name in usr etc app app/.venv "$python"; do mount -o remount,ro,bind "$root/$name"; done
mount --bind "$data" "$root/data"
mount -t tmpfs -o mode=1777 none "$root/tmp"
mount -o remount,ro "$root"
exec chroot $options "$root" env --ignore-environment --chdir="$at" "$@"
"""


@dataclass
class Stage:
    """One stage of a Dockerfile: its instructions in order, each a word and the rest of the line."""

    base: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def all(self, word: str) -> list[str]:
        """What follows each instruction of one kind."""
        return [rest for found, rest in self.steps if found == word]

    @property
    def variables(self) -> dict[str, str]:
        """The variables that ENV sets."""
        return dict(pair.split("=", 1) for line in self.all("ENV") for pair in shlex.split(line))

    @property
    def command(self) -> list[str]:
        """What CMD starts."""
        return json.loads(self.all("CMD")[-1])

    @property
    def health_check(self) -> list[str]:
        """What HEALTHCHECK runs."""
        return json.loads(self.all("HEALTHCHECK")[-1].split("CMD ", 1)[1])


def stages(text: str) -> list[Stage]:
    """The stages of a Dockerfile."""
    lines = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ").splitlines()
    found: list[Stage] = []
    for word, rest in (line.split(None, 1) for line in lines if line.strip()):
        if word == "FROM":
            found.append(Stage(base=rest))
        elif found:
            found[-1].steps.append((word, " ".join(rest.split()) if word != "RUN" else rest))
    return found


def let_through(name: str) -> bool:
    """Whether .dockerignore leaves a file of the checkout to the image; the last line that fits it decides."""
    through = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.removeprefix("!").removeprefix("**/")
        parents = [name, *map(str, Path(name).parents)]
        paths = [Path(parent).name for parent in parents] if "**/" in line else parents
        if line and not line.startswith("#") and any(fnmatch(one, pattern) for one in paths if one != "."):
            through = line.startswith("!")
    return through


def copy_files(stage: Stage, folder: Path) -> None:
    """What COPY takes from the checkout, or from the build stage where the checkout has it."""
    for line in stage.all("COPY"):
        made = line.startswith("--from")  # by the build stage, from nothing that .dockerignore keeps back
        *sources, target = [word for word in line.split() if not word.startswith("--from")]
        for pattern in (source.removeprefix("/app/") for source in sources):
            for source in sorted(ROOT.glob(pattern)):
                if source.name != ".venv":
                    inside = source.name if source.is_file() else ""
                    _copy(source, folder / target / inside, everything=made)
    (folder / ".venv").mkdir()


def _copy(source: Path, target: Path, everything: bool) -> None:
    files = [source] if source.is_file() else sorted(path for path in source.rglob("*") if path.is_file())
    for file in files:
        if everything or let_through(str(file.relative_to(ROOT))):
            place = target / file.relative_to(source) if source.is_dir() else target
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, place)


def engine() -> str | None:
    """A container engine that answers here."""
    found = [name for name in ENGINES if shutil.which(name)]
    answers = (
        name for name in found if subprocess.run([name, "info"], capture_output=True, timeout=60).returncode == 0
    )
    return next(answers, None)


@dataclass(frozen=True)
class SmallRoot:
    """The last stage without a container engine; `run` gives the command line that starts something in it."""

    stage: Stage
    app: Path
    data: Path
    empty: Path

    def run(self, command: list[str], **variables: str) -> list[str]:
        """The command line for a process in the image, its end that of all its children."""
        uid, _, gid = self.stage.all("USER")[-1].partition(":")
        as_root = os.geteuid() == 0
        names = ["--mount", "--pid", "--fork", "--kill-child", *([] if as_root else ["--map-root-user"])]
        options = f"--userspec={uid}:{gid} --groups=" if as_root else ""
        venv = str(Path(sys.prefix).resolve())
        given = [f"{name}={value}" for name, value in (self.stage.variables | variables).items()]
        (at,) = self.stage.all("WORKDIR")
        places = [self.empty, self.app, venv, self.data, str(Path(sys.base_prefix).resolve()), options, at]
        return ["unshare", *names, "sh", "-c", SMALL_ROOT, "sh", *map(str, places), *given, *command]


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process of `SmallRoot.run` and all that it started: the kernel ends them with the first of them.

    `unshare --kill-child` alone would not: a process that has changed its user is not told of its parent's death.
    """
    if process.poll() is None:
        for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
            os.kill(int(child), signal.SIGKILL)
    process.kill()
    process.wait()


@contextmanager
def small_root(stage: Stage, folder: Path) -> Iterator[SmallRoot]:
    """The last stage, its files copied, in a folder that any user can reach."""
    app, data, empty = folder / "app", folder / "data", folder / "root"
    for place in (app, data, empty):
        place.mkdir()
    copy_files(stage, app)
    if os.geteuid() == 0:
        uid, _, gid = stage.all("USER")[-1].partition(":")
        os.chown(data, int(uid), int(gid))
    yield SmallRoot(stage, app, data, empty)
