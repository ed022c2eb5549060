"""Structures that each visitor of a server asked for today, counted in a file that all its processes share."""

import hashlib
import json
from contextlib import suppress
from datetime import date
from pathlib import Path

from engine.errors import EngineError, check
from engine.files import read_json, write_text
from engine.processes import locked

PATIENCE = 10.0  # s; nobody holds the file for longer than an instant
LOCK = "usage.lock"


def charge(path: Path, visitor: str, structures: int, most: float) -> None:
    """Count structures that a visitor asks for, or refuse them whole.

    Args:
        path: the file; a new day begins a new count.
        visitor: who asks; the file keeps a digest.
        most: a day.

    Raises:
        EngineError: they are more than are left of the day's.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    who = hashlib.sha256(visitor.encode()).hexdigest()[:16]
    with locked(path.parent, PATIENCE, LOCK):
        counts = _counts(path)
        left = most - counts.get(who, 0)
        check(
            structures <= left,
            f"{structures:,} more would exceed today's {most:,.0f} structures, of which {max(0, left):,.0f} are "
            "left; ask again tomorrow, or whoever runs this server (limits.toml)",
        )
        counts[who] = counts.get(who, 0) + structures
        write_text(path, json.dumps({"day": date.today().isoformat(), "visitors": counts}))


def _counts(path: Path) -> dict[str, int]:
    """Today's, none where the file is of another day, missing or damaged: nobody is shut out by it."""
    with suppress(EngineError, KeyError, TypeError, ValueError):
        kept = read_json(path)
        if kept.get("day") == date.today().isoformat():
            return dict(kept["visitors"])
    return {}
