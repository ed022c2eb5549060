"""Keys that must be in no log: taken out of every record before any handler sees it."""

import logging
import os
import re
import sys
import traceback
from types import TracebackType

MARK = "[secret]"
LOOKS_LIKE_A_KEY = re.compile(r"(?<![0-9A-Za-z])(?=[0-9A-Za-z]*[G-Zg-z])[0-9A-Za-z]{32}(?![0-9A-Za-z])")
NAMES = re.compile(r"KEY|TOKEN|SECRET|PASSWORD", re.IGNORECASE)  # of variables of the environment
SHORTEST = 8  # letters; what is shorter would be found in ordinary words
_known: set[str] = set()


def hide(secret: str) -> None:
    """Take this out of every log record from now on."""
    if len(secret) >= SHORTEST:
        _known.add(secret)


def without_secrets(text: str) -> str:
    """The text with known secrets, and all that looks like a key of Materials Project, replaced by `MARK`."""
    for secret in sorted(_known, key=len, reverse=True):
        text = text.replace(secret, MARK)
    return LOOKS_LIKE_A_KEY.sub(MARK, text)


def redact_logs() -> None:
    """Have every log record of this process, and what it prints of an error at its end, be without secrets."""
    for name, value in os.environ.items():
        if NAMES.search(name):
            hide(value)
    made_before = logging.getLogRecordFactory()

    def make(*args: object, **kwargs: object) -> logging.LogRecord:
        record = made_before(*args, **kwargs)
        record.msg, record.args = without_secrets(record.getMessage()), ()
        if record.exc_info and record.exc_info[0]:
            record.exc_text = without_secrets("".join(traceback.format_exception(*record.exc_info)).rstrip())
        return record

    logging.setLogRecordFactory(make)
    sys.excepthook = _print_error


def _print_error(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    sys.stderr.write(without_secrets("".join(traceback.format_exception(kind, error, trace))))
