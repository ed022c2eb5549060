"""A server on loopback that speaks Materials Project's wire format, with crystals of the embedded set.

Its dielectric documents are made by emmet from the embedded tensors, so that their IEEE axes are the real ones.
The summary documents hold the same crystals in another orientation and cell; for some materials there is a task
document too.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import numpy as np
from emmet.core.mpid import AlphaID
from emmet.core.polar import DielectricDoc
from pymatgen.core import Lattice, Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from engine.crystals.material import Material
from engine.tensors.axes import strained_copies

KEY = "k" * 31 + "7"
DB_VERSION = "2026.11.01"
MAX_LIMIT, DEFAULT_LIMIT = 1000, 100
NOW = datetime(2026, 11, 1, tzinfo=UTC)
FILTERS = ("material_ids", "task_ids", "n", "e_total", "e_ionic", "e_electronic", "deprecated")
SERVED = ("total", "ionic", "electronic", "n", "e_total", "e_electronic", "origins")
OWN_LIMIT = 80.0  # s that the client itself waits for a server that is silent
CONTROLS = ("_fields", "_all_fields", "_limit", "_skip")


def random_rotation(chance: np.random.Generator) -> np.ndarray:
    matrix = np.linalg.qr(chance.normal(size=(3, 3)))[0]
    return matrix * np.linalg.det(matrix)


def served_elsewhere(structure: Structure, chance: np.random.Generator) -> tuple[Structure, np.ndarray]:
    """The same crystal in another orientation, cell, origin and order of atoms; and the rotation to it."""
    rotation = random_rotation(chance)
    basis = np.eye(3, dtype=int)
    for _ in range(2):
        i, j = chance.choice(3, size=2, replace=False)
        basis[i] += int(chance.choice([-1, 1])) * basis[j]
    cell = basis @ structure.lattice.matrix
    order = chance.permutation(len(structure))
    frac = (structure.frac_coords @ np.linalg.inv(basis) + chance.random(3)) % 1
    species = [structure.species[i] for i in order]
    return Structure(Lattice(cell @ rotation.T), species, frac[order]), rotation


class Documents:
    """What the server knows: endpoint -> documents, each with the ID by which it is asked for."""

    def __init__(self) -> None:
        self.dielectric: dict[str, dict] = {}
        self.summary: dict[str, dict] = {}
        self.tasks: dict[str, dict] = {}
        self.rotations: dict[str, np.ndarray] = {}

    def add(
        self,
        material: Material,
        chance: np.random.Generator,
        *,
        material_id: str | None = None,
        with_tensors: bool = True,
        with_task: bool = True,
        strained: bool = False,
    ) -> None:
        """Serve a material of the embedded set; `strained` by 1 % in its summary document."""
        name, structure = material_id or material.material_id, material.structure
        task_id = f"mp-{3_000_000 + len(self.summary)}"
        elsewhere = strained_copies(structure, 0.01, 1)[0] if strained else structure
        served, self.rotations[name] = served_elsewhere(elsewhere, chance)
        found = SpacegroupAnalyzer(structure, symprec=0.01)
        self.summary[name] = {
            "material_id": name,
            "structure": served.as_dict(),
            "symmetry": {"number": found.get_space_group_number(), "symbol": found.get_space_group_symbol()},
            "band_gap": material.band_gap,
            "energy_above_hull": 0.01,
            "theoretical": False,
            "deprecated": False,
        }
        if not with_tensors:
            return
        document = DielectricDoc.from_ionic_and_electronic(
            epsilon_ionic=material.ionic.tolist(),
            epsilon_static=material.electronic.tolist(),
            structure=structure,
            material_id=name,
            deprecated=False,
            last_updated=NOW,
            origins=[{"name": "dielectric", "task_id": task_id, "last_updated": NOW}],
        ).model_dump(mode="json")
        self.dielectric[name] = {key: document[key] for key in SERVED} | {"material_id": name}
        if with_task:
            output = {"epsilon_static": material.electronic.tolist(), "epsilon_ionic": material.ionic.tolist()}
            self.tasks[task_id] = {
                "task_id": task_id,
                "input": {"structure": structure.as_dict()},
                "output": {**output, "structure": structure.as_dict()},
            }


class Server(ThreadingHTTPServer):
    """`fault` is what goes wrong: a function of the handler and the path that answers itself and returns True."""

    daemon_threads = True

    def __init__(self, documents: Documents) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.documents = documents
        self.fault: Callable[[_Handler, str], bool] | None = None
        self.asked: Counter[tuple[str, str]] = Counter()  # (endpoint, ID) -> how often it was served
        self.questions: list[str] = []  # the path of each question
        self.agents: set[str] = set()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no fault of the server's."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        self.server.questions.append(self.path)
        self.server.agents.add(self.headers.get("user-agent", ""))
        if self.server.fault and self.server.fault(self, url.path):
            return
        if url.path == "/heartbeat":
            self.send({
                "status": "OK", "time": NOW.isoformat(), "version": "0.87.3", "pymatgen": "2026.10.24",
                "db_version": DB_VERSION, "suffix": "", "access_controlled_batch_ids": [],
            })  # fmt: skip
        elif self.headers.get("x-api-key") != KEY:
            self.send({"message": "Invalid authentication credentials"}, 401)
        else:
            self._search(url.path, {name: values[0] for name, values in parse_qs(url.query).items()})

    def send(self, content: object, status: int = 200, headers: Sequence[tuple[str, str]] = ()) -> None:
        body = content.encode() if isinstance(content, str) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in (("Content-Type", "application/json"), *headers):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _search(self, path: str, query: dict[str, str]) -> None:
        endpoint = path.removeprefix("/materials/").removesuffix("/")
        table = getattr(self.server.documents, endpoint, None)
        bare = {name.removesuffix("_min").removesuffix("_max") for name in query}
        limit = int(query.get("_limit", DEFAULT_LIMIT))
        if table is None or not path.endswith("/"):
            return self.send({"detail": "Not Found"}, 404)
        if not bare <= {*FILTERS, *CONTROLS} or limit > MAX_LIMIT:
            return self.send({"detail": "unknown parameter or limit"}, 400)
        ids = query.get("material_ids") or query.get("task_ids")
        if ids:
            wanted = dict.fromkeys(AlphaID(one).string for one in ids.split(","))
            found = [table[one] for one in wanted if one in table]
        else:
            found = list(table.values())
        start = int(query.get("_skip", 0))
        page = found[start : start + limit]
        fields = query.get("_fields", "").split(",")
        if fields != ["material_id"]:
            self.server.asked.update((endpoint, one.get("material_id") or one["task_id"]) for one in page)
        if fields != [""]:
            page = [{name: one[name] for name in fields if name in one} for one in page]
        self.send({"data": page, "meta": {"total_doc": len(found), "max_limit": MAX_LIMIT}})
        return None


@contextmanager
def running(documents: Documents) -> Iterator[Server]:
    """The server on a free port of its own."""
    server = Server(documents)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def silent(handler: _Handler, path: str) -> bool:
    """Accepts and says nothing."""
    time.sleep(60)
    return True


def silent_to_queries(handler: _Handler, path: str) -> bool:
    """The heartbeat is there, and then nothing."""
    return path != "/heartbeat" and silent(handler, path)


def html_heartbeat(handler: _Handler, path: str) -> bool:
    """The login page of a network."""
    handler.send("<html>Sign in to the hotel's network</html>")
    return True


def not_json(handler: _Handler, path: str) -> bool:
    """A body that breaks off."""
    if path == "/heartbeat":
        return False
    handler.send('{"data": [')
    return True


def failing(status: int, headers: Sequence[tuple[str, str]] = ()) -> Callable[[_Handler, str], bool]:
    """Answers every search with this status."""

    def fault(handler: _Handler, path: str) -> bool:
        if path == "/heartbeat":
            return False
        handler.send({"detail": "out of order"}, status, headers)
        return True

    return fault


def dripping(handler: _Handler, path: str) -> bool:
    """A byte now and then, so that no time limit between bytes is ever reached."""
    handler.send_response(200)
    handler.end_headers()
    for _ in range(120):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.5)
    return True


def misshapen(handler: _Handler, path: str) -> bool:
    """JSON of another kind than the one expected."""
    if path == "/heartbeat":
        return False
    handler.send({"results": []})
    return True
