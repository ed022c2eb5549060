"""The real client against a server on loopback: what comes back, and one sentence for whatever goes wrong."""

import socket
import time

import numpy as np
import pytest

from engine.data.datasets import load_dataset
from engine.errors import EngineError
from engine.materials_project import client
from engine.materials_project.client import ENDPOINT_VARIABLE, MaterialsProject, Unavailable, plain_id
from tests import materials_project_server as loopback

LIMIT = client.PATIENCE  # s


@pytest.fixture(autouse=True)
def busy_machine(monkeypatch):
    """An answer that waits for its turn on a busy machine is not late."""
    monkeypatch.setattr(client, "PATIENCE", 120.0)


@pytest.fixture(scope="module")
def documents() -> loopback.Documents:
    found, chance = loopback.Documents(), np.random.default_rng(0)
    for material in load_dataset("petousis-2017")[:3]:
        found.add(material, chance)
    return found


@pytest.fixture
def server(documents, monkeypatch):
    with loopback.running(documents) as server:
        monkeypatch.setenv(ENDPOINT_VARIABLE, server.address)
        yield server


def complaint(key: str = loopback.KEY) -> str:
    """What a person reads when a look-up goes wrong."""
    with pytest.raises(EngineError) as caught:
        MaterialsProject(key).summaries(["mp-149"])
    return str(caught.value)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (loopback.html_heartbeat, "does not speak its language"),
        (loopback.not_json, "does not speak its language"),
        (loopback.misshapen, "does not understand"),
        (loopback.failing(500), "an error of its own (500)"),
        (loopback.failing(502), "an error of its own (502)"),
        (loopback.failing(400), "refused the question"),
        (loopback.failing(403), "does not accept this API key"),
        (loopback.failing(429, [("Retry-After", "7")]), "asks to wait 7 s"),
    ],
)
def test_each_fault_of_the_service_is_one_sentence(server, fault, expected):
    server.fault = fault
    sentence = complaint()
    assert expected in sentence
    assert "\n" not in sentence
    assert loopback.KEY not in sentence


@pytest.mark.parametrize("fault", [loopback.silent, loopback.silent_to_queries, loopback.dripping])
def test_a_service_that_is_silent_is_given_up_in_time(server, monkeypatch, fault):
    """Long before the client's own limit; with the limit that ships, in test_live.py."""
    monkeypatch.setattr(client, "PATIENCE", 2.0)
    server.fault = fault
    started = time.monotonic()
    assert "did not answer in time" in complaint()
    assert time.monotonic() - started < loopback.OWN_LIMIT


def test_a_person_gets_an_answer_within_fifteen_seconds():
    assert LIMIT < 15


def test_the_client_is_imported_before_the_clock_of_a_look_up_starts(server, monkeypatch):
    """Its import takes seconds on a busy machine, which is no silence of the service."""
    asked_before, find = [], client._client_class

    def found():
        asked_before.append(len(server.questions))
        return find()

    monkeypatch.setattr(client, "_client_class", found)
    MaterialsProject(loopback.KEY)
    assert asked_before[0] == 0


def test_documents_without_an_id_are_one_sentence(server):
    server.fault = lambda handler, path: (
        path != "/heartbeat" and (handler.send({"data": [{"structure": None}], "meta": {"total_doc": 1}}) or True)
    )
    assert "does not understand" in complaint()


def test_a_wrong_key_is_said_and_not_repeated(server):
    wrong = "x" * 32
    assert "does not accept this API key" in complaint(wrong)
    assert wrong not in complaint(wrong)


@pytest.mark.parametrize("key", ["short", "k" * 33, "with a space in the middle of it", "ü" * 32])
def test_what_cannot_be_a_key_is_refused_before_anyone_is_asked(server, key):
    assert "32 letters and digits" in complaint(key)
    assert server.questions == []


def test_without_a_key_the_sentence_says_how_to_get_one(server):
    assert "next-gen.materialsproject.org/api" in complaint("")
    assert server.questions == []


def test_no_network_is_said(monkeypatch):
    with socket.socket() as taken:  # a port on which nobody listens
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv(ENDPOINT_VARIABLE, f"http://127.0.0.1:{taken.getsockname()[1]}/")
        assert "cannot be reached" in complaint()


def test_an_unknown_id_is_simply_not_there(server):
    assert MaterialsProject(loopback.KEY).summaries(["mp-999999"]) == {}


def test_documents_are_found_under_the_usual_form_of_their_id(server, documents):
    name = next(iter(documents.summary))
    project = MaterialsProject(loopback.KEY)
    assert list(project.summaries([plain_id(name)])) == [name]
    assert list(project.dielectric([name])) == [name]
    (task,) = (origin["task_id"] for origin in documents.dielectric[name]["origins"])
    assert list(project.tasks([plain_id(task)])) == [plain_id(task)]
    assert project.db_version == loopback.DB_VERSION


def test_the_service_is_told_who_asks(server):
    MaterialsProject(loopback.KEY).summaries(["mp-149"])
    assert "dielectric-tensors" in server.agents


@pytest.mark.parametrize("text", ["mp-149", " MP-149 ", "mp-aaaaaaft"])
def test_both_forms_of_an_id_mean_the_same(text):
    assert plain_id(text) == "mp-149"


@pytest.mark.parametrize(
    "text", ["", "149", "TiO2", "mp-", "mp-1-2", "mp-149; DROP TABLE", "Ba-O-Ti", "Ti-O", "Li-F", "mp-é"]
)
def test_a_malformed_id_is_refused(text):
    with pytest.raises(EngineError, match="reads like mp-149"):
        plain_id(text)


def test_a_limited_rate_says_how_long_to_wait(server):
    server.fault = loopback.failing(429, [("Retry-After", "3")])
    with pytest.raises(Unavailable) as caught:
        MaterialsProject(loopback.KEY).summaries(["mp-149"])
    assert caught.value.seconds == 3
