"""What a server's visitors may ask of it: one file says it, every process keeps to it.

The dashboard's process reads the file and calls `enforce`; a job that it starts is told its share by `GRANT` in
its environment. Where neither was done, as on the command line, there are no limits.
"""

import json
import math
import os
import tomllib
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from engine.errors import EngineError, check

FILE = "limits.toml"
FILE_VARIABLE, GRANT = "DIELECTRIC_LIMITS", "DIELECTRIC_GRANT"
GIB = 1024.0**3


@dataclass(frozen=True, kw_only=True)
class Limits:
    """See limits.toml; without a bound where nothing is said."""

    trainings_at_once: float = math.inf
    screenings_at_once: float = math.inf
    predictions_at_once: float = math.inf
    training_hours: float = math.inf
    screening_hours: float = math.inf
    upload_mib: float = math.inf
    upload_files: float = math.inf
    archive_files: float = math.inf
    uploads_mib: float = math.inf
    structures_a_day: float = math.inf
    memory_gib: float = math.inf
    kept_gib: float = math.inf


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What one process may take.

    Attributes:
        seconds: until it is asked to stop.
        memory: bytes, of it and of those that it starts.
        structures: a day, for whoever asked.
        usage, visitor: file that counts them, and whom they are counted for, see usage.py; empty where none does.
    """

    seconds: float = math.inf
    memory: float = math.inf
    structures: float = math.inf
    usage: str = ""
    visitor: str = ""


_in_force = Limits()


def read_limits(path: Path) -> Limits:
    """The limits in a file.

    Raises:
        EngineError: there is no such file, or it says something that is no limit.
    """
    try:
        said = tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise EngineError(f"{path}: the limits cannot be read ({error})") from error
    known = [field.name for field in fields(Limits)]
    for name, value in said.items():
        check(name in known, f"{path}: {name} is no limit; there are {', '.join(known)}")
        right = isinstance(value, int | float) and not isinstance(value, bool) and value > 0
        check(right, f"{path}: {name} must be a number above 0, got {value!r}")
    return Limits(**said)


def enforce(limits: Limits) -> None:
    """Have this process keep to these limits from now on."""
    global _in_force
    _in_force = limits


def in_force() -> Limits:
    """The limits that this process keeps to."""
    return _in_force


def as_variable(grant: Grant) -> dict[str, str]:
    """The environment by which a process is told what it may take."""
    said = {name: value for name, value in asdict(grant).items() if value not in ("", math.inf)}
    return {GRANT: json.dumps(said)}


def granted() -> Grant:
    """What this process may take: as it was told when it was started, or by the limits in force."""
    told = os.environ.get(GRANT)
    return Grant(**json.loads(told)) if told else Grant(memory=GIB * in_force().memory_gib)
