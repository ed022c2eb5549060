"""What a server did, a JSON object a line: files of a bounded size in the user's folder of logs."""

import json
import logging
import os
from contextlib import ExitStack
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

from platformdirs import user_log_path

from engine.errors import EngineError
from engine.hosting.secrets import redact_logs, without_secrets
from engine.processes import locked

FOLDER_VARIABLE = "DIELECTRIC_LOGS"
SIZE, KEPT = 5 * 1024**2, 5  # bytes of a file, and older files beside it
MOST_SERVERS = 20  # that share a folder
FIELDS = "fields"  # of a record
_log = logging.getLogger("dielectric")
_held = ExitStack()  # the lock of this process's file


def log_folder() -> Path:
    """$DIELECTRIC_LOGS, or the user's folder of logs."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    return Path(chosen) if chosen else user_log_path("dielectric-tensors")


def begin_logs(others: str) -> Path | None:
    """Write events, and what the loggers below `others` say, into a file that no other server writes to.

    Returns:
        The file; None where the folder cannot be written to, which is said and stops nothing.
    """
    redact_logs()
    _log.setLevel(logging.INFO)
    try:
        path = _own_file(log_folder())
        handler = RotatingFileHandler(path, maxBytes=SIZE, backupCount=KEPT, delay=True)
    except OSError as error:
        _log.warning("no log is written: %s", error)
        return None
    handler.setFormatter(_AsJson())
    names = [name for name in logging.root.manager.loggerDict if name.split(".")[0] == others]
    for name in (_log.name, *names):
        logging.getLogger(name).addHandler(handler)
    return path


def event(name: str, **fields: str | float | None) -> None:
    """Log that something happened; nothing of what a visitor brought belongs into the fields."""
    _log.info(name, extra={FIELDS: fields})


def _own_file(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, MOST_SERVERS + 1):
        name = f"dashboard-{number}"
        try:
            _held.enter_context(locked(folder, lock=f"{name}.lock"))
        except EngineError:
            continue
        return folder / f"{name}.jsonl"
    raise OSError(f"{folder}: {MOST_SERVERS} servers write there already")


class _AsJson(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        said = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "from": record.name,
            "event": record.getMessage(),
            **getattr(record, FIELDS, {}),
        }
        if record.exc_text:
            said["error"] = record.exc_text
        return without_secrets(json.dumps(said))
