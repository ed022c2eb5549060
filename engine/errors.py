"""Errors whose message is written for the person who has to act on it."""


class EngineError(ValueError):
    """Bad input: the message says what must hold, what was got and what to do."""


def check(condition: bool, message: str) -> None:
    """Raise `EngineError(message)` unless `condition` holds."""
    if not condition:
        raise EngineError(message)
