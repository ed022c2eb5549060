"""Errors whose message is written for the person who has to act on it."""

import errno
from typing import TypeVar

Value = TypeVar("Value")


class EngineError(ValueError):
    """Bad input: the message says what must hold, what was got and what to do."""


_SYSTEM = {
    errno.ENOSPC: "there is no room left on this disk; make room, and try again",
    errno.EDQUOT: "your share of this disk is used up; make room, and try again",
    errno.EFBIG: "the file would grow larger than it may here",
    errno.EROFS: "this disk can only be read; choose another folder",
    errno.EACCES: "you may not read or write here; choose another folder, or ask whoever runs this machine",
    errno.EPERM: "you may not read or write here; choose another folder, or ask whoever runs this machine",
    errno.ENOENT: "no such file or folder",
    errno.ENOTDIR: "this is not a folder",
    errno.EIO: "the disk does not answer as it should; what was written before is kept",
}


def in_words(error: OSError) -> str:
    """What the system refused, for the person who has to act on it; one line."""
    said = _SYSTEM.get(error.errno or 0)
    if said is None:
        return " ".join(str(error).split())
    return f"{error.filename}: {said}" if error.filename else said


def check(condition: bool, message: str) -> None:
    """Raise `EngineError(message)` unless `condition` holds."""
    if not condition:
        raise EngineError(message)


def required(value: Value | None, message: str) -> Value:
    """The value; raises `EngineError(message)` where it is None."""
    if value is None:
        raise EngineError(message)
    return value
