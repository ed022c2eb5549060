"""What all tests of the engine share."""

import pytest

from engine.network.potential import keep_memory


@pytest.fixture(scope="session", autouse=True)
def _kept_memory() -> None:
    """A process of tests is one of our own: it keeps its memory as the command line does."""
    keep_memory()
