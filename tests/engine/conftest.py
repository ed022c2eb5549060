"""What all tests of the engine share."""

from collections.abc import Iterator

import pytest

from engine.crystals import reader
from engine.network.potential import keep_memory

PATIENCE = 120.0  # s


@pytest.fixture(scope="session", autouse=True)
def _kept_memory() -> None:
    """A process of tests is one of our own: it keeps its memory as the command line does."""
    keep_memory()


@pytest.fixture(scope="session", autouse=True)
def _busy_machine() -> Iterator[None]:
    """A reader that waits for its turn on a busy machine is not slow: processor time alone limits it here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "TIME_LIMIT", PATIENCE)
        yield
