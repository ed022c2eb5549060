"""The image serves as an unprivileged user who may write to its volume and nowhere else (tests/container.py)."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import report_problems
from tests.browser.server import PATIENCE, wait_until_healthy
from tests.browser.waiting import settled
from tests.container import ROOT, end, engine, let_through, small_root, stages

BUILD, IMAGE = stages((ROOT / "Dockerfile").read_text())
TAG = "dielectric-test"
ROCK_SALT = "rock salt\n1\n0 2.82 2.82\n2.82 0 2.82\n2.82 2.82 0\nNa Cl\n1 1\ndirect\n0 0 0\n.5 .5 .5\n"
OWNER = int(IMAGE.all("USER")[-1].partition(":")[0])
HOSTS = "127.0.0.1 dielectric.example.org"


class Served:
    """A running image: its address, its volume on this machine, what it prints, and its health check's status."""

    def __init__(self, port: int, folder: Path) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self.port = port
        self.folder = folder
        self.log = folder / "log"
        self.data = folder / "data"

    def healthy(self) -> int:
        raise NotImplementedError


class WithoutEngine(Served):
    """The last stage in a small root of its own."""

    @contextmanager
    def running(self) -> Iterator["WithoutEngine"]:
        with small_root(IMAGE, self.folder) as self.root, self.log.open("w") as printed:
            command = self.root.run(IMAGE.command, **variables(self.port))
            server = subprocess.Popen(command, stdout=printed, stderr=subprocess.STDOUT)
            try:
                wait_until_healthy(self.address)
                yield self
            finally:
                end(server)

    def healthy(self) -> int:
        command = self.root.run(IMAGE.health_check, **variables(self.port))
        return subprocess.run(command, stderr=subprocess.DEVNULL).returncode


class WithEngine(Served):
    """The image built and run by a container engine."""

    @contextmanager
    def running(self) -> Iterator["WithEngine"]:
        self.engine = engine()
        subprocess.run([self.engine, "build", "--tag", TAG, str(ROOT)], check=True)
        self.data.mkdir()
        self.data.chmod(0o777)
        given = [word for name, value in variables(self.port).items() for word in ("--env", f"{name}={value}")]
        command = [self.engine, "run", "--rm", "--detach", "--read-only", "--tmpfs", "/tmp", *given]  # noqa: S108
        command += ["--volume", f"{self.data}:/data", "--publish", f"127.0.0.1:{self.port}:{self.port}", TAG]
        self.name = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        try:
            wait_until_healthy(self.address)
            yield self
        finally:
            printed = subprocess.run([self.engine, "logs", self.name], capture_output=True, text=True)
            self.log.write_text(printed.stdout + printed.stderr)
            subprocess.run([self.engine, "rm", "--force", self.name], check=True)

    def healthy(self) -> int:
        return subprocess.run([self.engine, "exec", self.name, *IMAGE.health_check]).returncode


def variables(port: int) -> dict[str, str]:
    """What whoever runs the image sets, as docs/hosting.md has it."""
    return {
        "STREAMLIT_SERVER_PORT": str(port),
        "STREAMLIT_SERVER_ALLOWED_HOSTS": HOSTS,
        "OMP_NUM_THREADS": "1",
    }


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="dielectric-"))  # pytest's own folders are closed to other users
    folder.chmod(0o755)
    try:
        with (WithEngine if engine() else WithoutEngine)(port, folder).running() as image:
            yield image
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # an engine may leave files of its own user


@pytest.fixture(scope="module")
def page(served: Served, browser: Browser) -> Iterator[Page]:
    with browser.new_context() as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        problems: list[str] = []
        report_problems(page, served.address, problems)
        yield page
    assert problems == []


def test_the_image_is_built_in_stages_from_the_locks_and_runs_as_nobody_in_particular():
    assert "make .venv/app.stamp" in BUILD.all("RUN")
    assert "--from=build /app/.venv .venv" in IMAGE.all("COPY")
    assert OWNER > 0
    assert IMAGE.all("VOLUME") == ["/data"]
    inside = {name for name, value in IMAGE.variables.items() if value.startswith("/data")}
    assert inside >= {"HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "DIELECTRIC_RUNS", "DIELECTRIC_DATA"}


@pytest.mark.parametrize(
    ("name", "through"),
    [
        ("engine/cli.py", True),
        ("models/fast/weights.safetensors", True),
        ("benchmarks/results/fast.json", True),
        (".streamlit/config.toml", True),
        (".streamlit/secrets.toml", False),
        ("engine/__pycache__/cli.cpython-311.pyc", False),
        (".venv/bin/python", False),
        (".git/config", False),
        ("tests/files/rutile.cif", False),
        ("runs/mine/weights.safetensors", False),
    ],
)
def test_the_image_is_given_the_program_and_neither_secrets_nor_runs(name: str, through: bool):
    assert let_through(name) == through


def test_the_health_check_succeeds_while_it_serves(served: Served):
    assert served.healthy() == 0


def handshake(served: Served, host: str) -> int:
    """The status that a WebSocket asked for under a host's name is answered with."""
    request = [
        "GET /_stcore/stream HTTP/1.1",
        f"Host: {host}",
        f"Origin: http://{host}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]
    with socket.create_connection(("127.0.0.1", served.port), 10) as connection:
        connection.sendall("\r\n".join([*request, "", ""]).encode())
        return int(connection.recv(64).split()[1])


def test_it_answers_under_the_names_that_its_host_allowed_and_under_no_other(served: Served):
    assert handshake(served, "dielectric.example.org") == 101
    assert handshake(served, "stranger.example.com") == 403


def test_an_uploaded_crystal_is_predicted_and_its_force_constants_kept_in_the_volume(served: Served, page: Page):
    page.goto(f"{served.address}/predict")
    file = {"name": "POSCAR", "mimeType": "text/plain", "buffer": ROCK_SALT.encode()}
    page.locator("input[type=file]").set_input_files([file])
    expect(page.get_by_text("NaCl, POSCAR").first).to_be_visible(timeout=PATIENCE)
    settled(page)
    kept = list((served.data / "cache" / "dielectric-tensors" / "forces").rglob("*.safetensors"))
    assert kept


def test_a_training_that_the_page_starts_writes_its_run_into_the_volume(served: Served, page: Page):
    page.goto(f"{served.address}/train")
    page.get_by_role("radio", name="from scratch", exact=True).click()
    page.get_by_label("Epochs").fill("500")
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_role("button", name="Stop training")).to_be_visible(timeout=PATIENCE)
    (printed,) = (served.data / "runs").glob("*/log.txt")
    assert printed.stat().st_uid == OWNER or os.geteuid() != 0


def test_nothing_was_refused_a_place_to_write(served: Served):
    text = served.log.read_text()
    assert not [word for word in ("Traceback", "Read-only", "Permission denied", "Errno") if word in text], text
