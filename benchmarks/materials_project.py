"""Materials Project's loader against a server on loopback: frames, speed, interruptions, faults.

    python -m benchmarks.materials_project [--part routes|faults|many] [--json OUT]

All 1,056 embedded crystals go through server, client and loader by each route; each fault's sentence is waited for
in a fresh process; 7,000 documents are fetched, once in one go and once killed twenty times.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from engine.crystals.material import CRYSTAL_SYSTEMS, Material
from engine.data.datasets import load_dataset
from engine.data.parquet import read_materials
from engine.evaluation.provenance import code_version, machine
from engine.materials_project.client import ENDPOINT_VARIABLE, KEY_VARIABLE
from engine.materials_project.fetch import fetch
from engine.materials_project.reconciliation import SERVED_SYMPREC
from engine.materials_project.store import MaterialStore
from engine.tensors.axes import point_group_rotations, symmetry_average
from tests import materials_project_server as loopback

ROUTES = {  # what is served for each
    "task": {"with_task": True},
    "ieee": {"with_task": False},
    "ieee, strained 1 %": {"with_task": False, "strained": True},
}
RECOVERED = 1e-3
WRONG = {"task": 0.01, "ieee": 0.01, "ieee, strained 1 %": 0.03}  # relative; strain turns axes a little
MANY, KILLS = 7000, 20
FAULTS = {
    "silent": loopback.silent,
    "silent to queries": loopback.silent_to_queries,
    "a byte now and then": loopback.dripping,
    "heartbeat is HTML": loopback.html_heartbeat,
    "body is not JSON": loopback.not_json,
    "another JSON": loopback.misshapen,
    "status 500": loopback.failing(500),
    "status 502": loopback.failing(502),
    "status 400": loopback.failing(400),
    "rate limit": loopback.failing(429, [("Retry-After", "30")]),
}


def error_of(found: Material, material: Material, rotation: np.ndarray) -> float:
    """Largest relative error of electronic and total tensor; those in IEEE axes were symmetrised before."""
    errors = []
    for name in ("electronic", "total"):
        wanted = getattr(material, name)
        if found.fetched.route == "ieee":
            wanted = symmetry_average(wanted, point_group_rotations(material.structure, SERVED_SYMPREC))
        turned = rotation @ wanted @ rotation.T
        errors.append(np.linalg.norm(getattr(found, name) - turned) / np.linalg.norm(turned))
    return float(max(errors))


def naive_error(served: dict, material: Material, rotation: np.ndarray) -> float:
    """The same for the document's tensor beside the served structure, as they come."""
    wanted = rotation @ symmetry_average(material.total, point_group_rotations(material.structure)) @ rotation.T
    return float(np.linalg.norm(np.array(served["total"]) - wanted) / np.linalg.norm(wanted))


def frames_by_route(route: str) -> dict:
    """How each embedded crystal comes back by one route."""
    materials, chance = load_dataset("petousis-2017"), np.random.default_rng(0)
    documents = loopback.Documents()
    for material in materials:
        documents.add(material, chance, **ROUTES[route])
    with loopback.running(documents) as server, tempfile.TemporaryDirectory() as folder:
        os.environ[ENDPOINT_VARIABLE] = server.address
        started = time.perf_counter()
        brought = fetch(None, loopback.KEY, MaterialStore(Path(folder) / "store.sqlite")).materials
        seconds = time.perf_counter() - started
    found = {one.material_id: one for one in brought}
    counts = {system: Counter() for system in CRYSTAL_SYSTEMS}
    reasons: Counter = Counter()
    wrong = []
    for material in materials:
        one, rotation = found[material.material_id], documents.rotations[material.material_id]
        own = np.eye(3) if one.fetched.route == "task" else rotation
        naive = naive_error(documents.dielectric[material.material_id], material, rotation)
        count = counts[material.crystal_system]
        count["crystals"] += 1
        count["naive wrong"] += naive > WRONG[route]
        if one.fetched.rejected:
            count["rejected"] += 1
            reasons[one.fetched.rejected] += 1
            continue
        error = error_of(one, material, own)
        if error <= RECOVERED:
            count["recovered to 1e-3"] += 1
        elif error <= WRONG[route]:
            count[f"within {WRONG[route]:.0%}"] += 1
        else:
            count["wrong, verifiable" if one.fetched.verifiable else "wrong, not verifiable"] += 1
            wrong.append(f"{material.material_id} {material.formula} {one.crystal_system} {error:.3f}")
    return {"by_system": counts, "rejected": reasons, "wrong": wrong, "seconds": seconds}


def many_documents() -> loopback.Documents:
    """`MANY` documents: the embedded crystals again and again under other IDs, half with task documents."""
    materials, chance = load_dataset("petousis-2017"), np.random.default_rng(0)
    some = loopback.Documents()
    for index, material in enumerate(materials):
        some.add(material, chance, with_task=index % 2 == 0)
    documents = loopback.Documents()
    for number in range(MANY):
        source, name = materials[number % len(materials)].material_id, f"mp-{1_000_000 + number}"
        documents.summary[name] = some.summary[source] | {"material_id": name}
        task = f"mp-{2_000_000 + number}"
        origin = some.dielectric[source]["origins"][0]
        documents.dielectric[name] = some.dielectric[source] | {
            "material_id": name,
            "origins": [origin | {"task_id": task}],
        }
        known = some.tasks.get(loopback.AlphaID(origin["task_id"]).string)
        if known:
            documents.tasks[task] = known | {"task_id": task}
    return documents


def command(server: loopback.Server, folder: Path, key: str = loopback.KEY) -> tuple[list[str], dict[str, str]]:
    """The command that fetches all, and its environment."""
    out = folder / "all.parquet"
    environment = os.environ | {
        ENDPOINT_VARIABLE: server.address,
        KEY_VARIABLE: key,
        "XDG_CACHE_HOME": str(folder),
        "OMP_NUM_THREADS": "1",
    }
    return [sys.executable, "-m", "engine", "fetch", "--all", "--out", str(out)], environment


def many_in_one_go(documents: loopback.Documents) -> dict:
    """Time and peak memory of the command that fetches all."""
    with loopback.running(documents) as server, tempfile.TemporaryDirectory() as folder:
        words, environment = command(server, Path(folder))
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(words, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
        rows = len(read_materials(Path(folder) / "all.parquet"))
        size = (Path(folder) / "all.parquet").stat().st_size
    return {
        "rows": rows,
        "seconds": seconds,
        "cpu_seconds": after.ru_utime - before.ru_utime,
        "peak_MiB": after.ru_maxrss / 1024,
        "file_MB": size / 1e6,
        "questions": len(server.questions),
    }


def many_killed(documents: loopback.Documents, seconds: float) -> dict:
    """The same, killed at random moments and continued; `seconds` is how long it takes undisturbed."""
    chance, again, lost = np.random.default_rng(0), 0, 0
    with loopback.running(documents) as server, tempfile.TemporaryDirectory() as folder:
        words, environment = command(server, Path(folder))
        store = MaterialStore(Path(folder) / "dielectric-tensors" / "materials-project.sqlite")
        kept: set[str] = set()
        for _ in range(KILLS):
            server.asked.clear()
            child = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(8 + chance.random() * seconds / KILLS)
            child.kill()
            child.wait()
            again += sum(one in kept for kind, one in server.asked if kind == "summary")
            now = store.known(loopback.DB_VERSION)
            lost += len(kept - now)
            kept = now
        server.asked.clear()
        subprocess.run(words, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        again += sum(one in kept for kind, one in server.asked if kind == "summary")
        rows = len({one.material_id for one in read_materials(Path(folder) / "all.parquet")})
    return {"kills": KILLS, "rows": rows, "kept_before_the_last": len(kept), "lost": lost, "asked_twice": again}


def seconds_to_sentence(fault: str, key: str = loopback.KEY) -> dict:
    """How long a fresh process takes from the question to the sentence."""
    script = (
        "import time; from engine.errors import EngineError\n"
        "from engine.materials_project.fetch import fetch_one\n"
        "started = time.perf_counter()\n"
        "try: fetch_one('mp-149', __import__('os').environ['MP_API_KEY'])\n"
        "except EngineError as error: print(f'{time.perf_counter() - started:.2f} {error}')"
    )
    documents = loopback.Documents()
    with loopback.running(documents) as server, tempfile.TemporaryDirectory() as folder:
        server.fault = FAULTS.get(fault)
        environment = command(server, Path(folder), key)[1]
        if fault == "no network":
            environment |= {ENDPOINT_VARIABLE: "http://127.0.0.1:9/"}
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
        )
    seconds, _, sentence = done.stdout.strip().partition(" ")
    return {"seconds": float(seconds), "sentence": sentence}


def all_routes() -> dict:
    """`frames_by_route` of each."""
    return {route: frames_by_route(route) for route in ROUTES}


def all_faults() -> dict:
    """`seconds_to_sentence` of each."""
    keys = dict.fromkeys([*FAULTS, "unknown ID", "no network"], loopback.KEY)
    keys |= {"wrong key": "x" * 32, "key of another length": "short"}
    return {fault: seconds_to_sentence(fault, key) for fault, key in keys.items()}


def many() -> dict:
    """`MANY` documents, in one go and killed."""
    documents = many_documents()
    whole = many_in_one_go(documents)
    return {"in one go": whole, "killed": many_killed(documents, whole["seconds"])}


PARTS = {"routes": all_routes, "faults": all_faults, "many": many}


def main() -> None:
    """Measure all of it, or one part, and print it; a part replaces what the file held of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", choices=tuple(PARTS))
    parser.add_argument("--json", type=Path, metavar="OUT")
    options = parser.parse_args()
    found: dict = json.loads(options.json.read_text()) if options.json and options.json.is_file() else {}
    for part in [options.part] if options.part else PARTS:
        found[part] = {"code": code_version(), "machine": machine()} | PARTS[part]()
        print(part, json.dumps(found[part], indent=1), flush=True)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
