"""What a server writes down of itself: whole lines, of a bounded size, without secrets."""

import json
import os
import subprocess
import sys
import urllib.request
from itertools import product

import pytest

from engine.hosting.secrets import without_secrets
from tests.browser.server import ROOT

KEY = "CANARY0123456789abcdefghijKLMNOP"
OTHER = "hunter2-and-more"
TALK = f"""
import logging, sys
from engine.hosting import logs
from engine.hosting.logs import begin_logs, event
from engine.hosting.secrets import hide
logging.getLogger("streamlit.runtime")
logs.SIZE = 20_000
hide({OTHER!r})
print(begin_logs("streamlit"))
event("asked", key={KEY!r}, note={OTHER!r})
logging.getLogger("streamlit.runtime").error("failed with %s", {KEY!r})
logging.getLogger("elsewhere").error("failed with %s", {OTHER!r})
try:
    raise ValueError({KEY!r})
except ValueError:
    logging.getLogger("streamlit.runtime").exception("crash")
sys.stdin.readline()
for number in range(int(sys.argv[1])):
    event("filler", number=number)
raise RuntimeError("last words " + {OTHER!r})
"""


def talker(folder, lines=0):
    environment = os.environ | {"DIELECTRIC_LOGS": str(folder), "MP_API_KEY": KEY}
    return subprocess.Popen(
        [sys.executable, "-c", TALK, str(lines)], cwd=ROOT, env=environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def test_no_record_or_traceback_on_disk_or_on_the_terminal_holds_a_key(tmp_path):
    said, complained = talker(tmp_path).communicate("\n")
    (path,) = tmp_path.glob("*.jsonl")
    text = path.read_text()
    records = [json.loads(line) for line in text.splitlines()]
    assert {"asked", "crash"} <= {record["event"] for record in records}
    assert any("ValueError: [secret]" in record.get("error", "") for record in records)
    assert "RuntimeError: last words [secret]" in complained
    for secret, where in product((KEY, OTHER), (text, said, complained)):
        assert secret not in where


def test_logs_of_a_busy_server_stay_small(tmp_path):
    talker(tmp_path, lines=3000).communicate("\n")
    files = sorted(tmp_path.glob("dashboard-1.jsonl*"))
    assert len(files) == 6
    assert all(path.stat().st_size <= 20_000 for path in files)
    assert json.loads(files[0].read_text().splitlines()[-1])["number"] == 2999


def test_two_servers_on_one_folder_write_a_file_each(tmp_path):
    first = talker(tmp_path)
    assert first.stdout.readline().strip().endswith("dashboard-1.jsonl")
    second, _ = talker(tmp_path).communicate("\n")
    assert second.strip().endswith("dashboard-2.jsonl")
    first.communicate("\n")


def test_a_folder_that_cannot_be_written_to_is_said_and_stops_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    said, complained = talker(tmp_path / "file" / "logs").communicate("\n")
    assert said.strip() == "None"
    assert "no log is written" in complained
    assert "last words" in complained


@pytest.mark.parametrize(
    "text", ["a" * 32, "0123456789abcdef" * 2, "f" * 64, "crystal-of-some-thirty-two-letters"]
)
def test_hashes_and_words_are_no_keys(text):
    assert without_secrets(text) == text


def metrics(variable):
    code = (
        "from engine.hosting.metrics import PREDICTIONS, serve_metrics\n"
        "print(serve_metrics(), flush=True)\nPREDICTIONS.inc()\nimport sys; sys.stdin.readline()"
    )
    environment = os.environ | {"DIELECTRIC_METRICS": variable}
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def test_metrics_are_served_at_a_local_address_where_one_is_given(free_port):
    server = metrics(f"127.0.0.1:{free_port}")
    assert server.stdout.readline().strip() == f"127.0.0.1:{free_port}"
    with urllib.request.urlopen(f"http://127.0.0.1:{free_port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    server.communicate("\n")
    for name in ("predictions_total", "queue", "jobs", "prediction_seconds_bucket"):
        assert f"dielectric_{name}" in text


@pytest.mark.parametrize("address", ["0.0.0.0:9464", "example.org:9464", "127.0.0.1", "127.0.0.1:x"])
def test_metrics_go_nowhere_else(address):
    _, complained = metrics(address).communicate("\n")
    assert "of this machine" in complained


@pytest.fixture
def free_port():
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
