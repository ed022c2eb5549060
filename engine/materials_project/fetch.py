"""Materials fetched from Materials Project: one for a look-up, or all that have tensors for a data set."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from engine.crystals.material import Material
from engine.data.parquet import write_materials
from engine.errors import EngineError, check
from engine.materials_project.client import LONG_PATIENCE, MaterialsProject, Unavailable, plain_id
from engine.materials_project.documents import Dielectric
from engine.materials_project.reconciliation import reconcile
from engine.materials_project.store import MaterialStore

BATCH = 100  # materials a question: the most that a task search serves
TRIES = 6  # before a question is given up


@dataclass(frozen=True, kw_only=True)
class FetchProgress:
    """How far a fetch is, or with `waiting` why it is not going on just now.

    Attributes:
        rate: materials a second since this call began, on which `seconds_left` rests.
    """

    done: int = 0
    total: int = 0
    rate: float = 0.0
    seconds_left: float = 0.0
    waiting: str = ""


@dataclass(frozen=True, kw_only=True)
class Fetch:
    """What a fetch brought.

    Attributes:
        materials: in the order asked for.
        refused: ID -> why it did not come.
        db_version: of the database.
    """

    materials: list[Material]
    refused: dict[str, str]
    db_version: str

    def about(self) -> dict[str, str]:
        """Metadata of the file: version, date, and how many materials came by which route or were rejected."""
        ways = [material.fetched for material in self.materials if material.fetched]
        routes = Counter(way.route or "no tensor" for way in ways if not way.rejected)
        rejections = Counter(way.rejected for way in ways if way.rejected)
        blind = sum(not way.verifiable for way in ways)
        return {
            "source": "Materials Project",
            "db_version": self.db_version,
            "date": datetime.now(UTC).date().isoformat(),
            "routes": _counted(routes),
            "rejections": _counted(rejections),
            "not_verifiable": str(blind),
            "licence": "CC BY 4.0",
        }


def _counted(counts: Counter[str]) -> str:
    return "; ".join(f"{name}: {count}" for name, count in counts.most_common()) or "none"


def fetch_one(material_id: str, key: str, store: MaterialStore | None = None) -> Material:
    """The material as the service has it now; it is kept in the store.

    Raises:
        EngineError: a sentence that says why it did not come.
    """
    one = plain_id(material_id)
    project = MaterialsProject(key)
    materials, refused = _ask(project, [one])
    check(not refused, f"{one}: {refused.get(one)}")
    (store or MaterialStore()).put(materials)
    return materials[0]


def fetch(
    ids: Sequence[str] | None,
    key: str,
    store: MaterialStore | None = None,
    progress: Callable[[FetchProgress], None] | None = None,
) -> Fetch:
    """Materials by ID, or with None all that have tensors.

    What the store holds of the same version of the database is not asked for again, so that an interrupted
    fetch goes on where it was. When the service asks to wait, or does not answer, it is asked again later.

    Raises:
        EngineError: an ID is none, or a sentence that says why the service could not be asked.
    """
    wanted = None if ids is None else list(dict.fromkeys(map(plain_id, ids)))
    project, store = MaterialsProject(key, each=LONG_PATIENCE), store or MaterialStore()
    wanted = _all_ids(project, store) if wanted is None else wanted
    known = store.known(project.db_version)
    missing = [one for one in wanted if one not in known]
    refused: dict[str, str] = {}
    started, done = time.monotonic(), 0
    for start in range(0, len(missing), BATCH):
        batch = missing[start : start + BATCH]
        materials, reasons = _patiently(partial(_ask, project, batch), progress)
        store.put(materials)
        refused |= reasons
        done += len(batch)
        if progress:
            rate = done / (time.monotonic() - started)
            left = (len(missing) - done) / rate
            have = len(wanted) - len(missing) + done
            progress(FetchProgress(done=have, total=len(wanted), rate=rate, seconds_left=left))
    found = store.get_many([one for one in wanted if one not in refused])
    return Fetch(materials=found, refused=refused, db_version=project.db_version)


def write_fetch(path: Path, found: Fetch) -> None:
    """Write what was fetched as a data set; raises EngineError where nothing was."""
    check(bool(found.materials), "nothing was fetched, so there is nothing to write")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_materials(path, found.materials, found.about())


def _all_ids(project: MaterialsProject, store: MaterialStore) -> list[str]:
    found = store.index(project.db_version)
    if not found:
        found = sorted(set(project.ids_with_tensors()))
        store.put_index(project.db_version, found)
    return found


def _ask(project: MaterialsProject, ids: Sequence[str]) -> tuple[list[Material], dict[str, str]]:
    """The materials of these IDs, and why others did not come."""
    summaries, tensors = project.summaries(ids), project.dielectric(ids)
    origins = {one: _task_of(document) for one, document in tensors.items()}
    tasks = project.tasks([task for task in origins.values() if task])
    date = datetime.now(UTC).isoformat(timespec="seconds")
    materials: list[Material] = []
    refused: dict[str, str] = {}
    for one in ids:
        if one not in summaries:
            refused[one] = "Materials Project has no such material."
            continue
        task = tasks.get(origins.get(one, ""))
        try:
            found = reconcile(one, summaries[one], tensors.get(one), task, project.db_version, date)
            materials.append(found)
        except EngineError as error:
            refused[one] = str(error)
    return materials, refused


def _task_of(document: Dielectric) -> str:
    """ID of the calculation that the tensors come from; empty where the document does not say."""
    origins = document.get("origins") or []
    try:
        return plain_id(str(origins[0]["task_id"]))
    except (EngineError, IndexError, KeyError, TypeError):
        return ""


def _patiently(
    question: Callable[[], tuple[list[Material], dict[str, str]]],
    progress: Callable[[FetchProgress], None] | None,
) -> tuple[list[Material], dict[str, str]]:
    for _ in range(TRIES - 1):
        try:
            return question()
        except Unavailable as reason:
            if progress:
                progress(FetchProgress(waiting=str(reason)))
            time.sleep(reason.seconds)
    return question()
