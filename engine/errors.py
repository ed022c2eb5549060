"""Errors whose message is written for the person who has to act on it."""

from typing import TypeVar

Value = TypeVar("Value")


class EngineError(ValueError):
    """Bad input: the message says what must hold, what was got and what to do."""


def check(condition: bool, message: str) -> None:
    """Raise `EngineError(message)` unless `condition` holds."""
    if not condition:
        raise EngineError(message)


def required(value: Value | None, message: str) -> Value:
    """The value; raises `EngineError(message)` where it is None."""
    if value is None:
        raise EngineError(message)
    return value
