"""What all tests of the pages share."""

from collections.abc import Iterator

import pytest

from engine.hosting import predictions, readings
from pages.components import cached, waiting

PATIENCE = 120.0  # s


@pytest.fixture(scope="session", autouse=True)
def _own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Runs, counts of visitors and logs of these tests are nobody else's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIELECTRIC_RUNS", str(tmp_path_factory.mktemp("runs")))
        patch.setenv("DIELECTRIC_LOGS", str(tmp_path_factory.mktemp("logs")))
        patch.setattr(waiting, "AT_ONCE", PATIENCE)  # Streamlit's test runner asks no page again by itself
        yield
        for pool in (predictions.POOL, readings.POOL, cached.LESSONS):
            pool.end()
