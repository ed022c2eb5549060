"""A whole screening as it was asked, on disk, so that a later process can go on with it."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from engine.data.datasets import dataset_path
from engine.errors import check
from engine.files import read_json, write_text
from engine.screening.parts import STRUCTURES, Part, Settings
from engine.screening.stock import Stock

PLAN = "plan.json"
SHARES = 8  # parts a worker of a small input at least, so that none waits for another


@dataclass(frozen=True, kw_only=True)
class Plan:
    """`source` is the input, `size` and `modified` (s) those of its file, 0 where it is none."""

    source: str
    size: int
    modified: float
    settings: Settings
    parts: tuple[Part, ...]

    @property
    def structures(self) -> int:
        """Structures in the input; files, where each may hold several."""
        return sum(part.count for part in self.parts)


def make_plan(source: str, settings: Settings, folder: Path, workers: int) -> Plan:
    """Take stock of an input, see `Stock.parts`, and keep the plan in `folder`.

    Raises:
        EngineError: there is no such input, or no structure in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stock = Stock(folder, STRUCTURES[settings.method], max(1, workers) * SHARES)
    parts = tuple(replace(part, name=f"{number:07d}") for number, part in enumerate(stock.parts(source)))
    check(bool(parts), f"{source}: holds no structure")
    size, modified = _state(source)
    plan = Plan(source=source, size=size, modified=modified, settings=settings, parts=parts)
    write_text(folder / PLAN, json.dumps(asdict(plan)))
    return plan


def read_plan(folder: Path, source: str, settings: Settings) -> Plan:
    """The plan in `folder`, to go on with by `settings`.

    Raises:
        EngineError: it was made for another input or other settings, or the input has changed since.
    """
    kept = read_json(folder / PLAN)
    parts = tuple(Part(**part) for part in kept["parts"])
    plan = Plan(**{**kept, "settings": Settings(**kept["settings"]), "parts": parts})
    check(plan.source == source, f"{folder} goes on with {plan.source}, got {source}: give that, or delete it")
    check(
        replace(plan.settings, device=settings.device) == settings,
        f"{folder} was begun with {plan.settings}, got {settings}: ask for the same, or delete it",
    )
    unchanged = (plan.size, plan.modified) == _state(source)
    check(unchanged, f"{source} has changed since its screening began: delete {folder}, and begin anew")
    return replace(plan, settings=settings)


def _state(source: str) -> tuple[int, float]:
    path = dataset_path(source)
    if not path.is_file():
        return 0, 0.0
    found = path.stat()
    return found.st_size, found.st_mtime
