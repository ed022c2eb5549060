"""How long the processes of a job have worked on it, in all its attempts."""

import json
import time
from contextlib import suppress
from pathlib import Path

from engine.errors import EngineError
from engine.files import read_json, write_text

SPENT = "spent.json"


def begin(folder: Path) -> None:
    """Say that a process begins now; what earlier ones took is added up."""
    write_text(folder / SPENT, json.dumps({"before": seconds(folder), "begun": time.time()}))


def seconds(folder: Path) -> float:
    """Until the last sign of life in the folder; never less than what earlier attempts had come to."""
    if not (folder / SPENT).is_file():
        return 0.0
    with suppress(EngineError, KeyError):
        kept = read_json(folder / SPENT)
        return float(kept["before"]) + max(0.0, _last_sign(folder) - kept["begun"])
    return 0.0


def _last_sign(folder: Path) -> float:
    """When any file in the folder, or in one that lies in it, was written last."""
    written = 0.0
    for path in (*folder.glob("*"), *folder.glob("*/*")):
        with suppress(OSError):  # it vanished meanwhile
            written = max(written, path.stat().st_mtime)
    return written
