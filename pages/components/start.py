"""The start of a server: what its first visitor would wait for is there before it answers."""

import importlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from streamlit.starlette import App

from engine.errors import EngineError

COMPONENTS = Path(__file__).resolve().parent
_spinners = logging.getLogger("streamlit.runtime.scriptrunner_utils.script_run_context")


@asynccontextmanager
async def ready(app: App) -> AsyncIterator[None]:
    """Import the components of all pages, and load the data and the default model; in the end, end all processes.

    What is damaged or missing is said by the page that needs it, and the others go on.
    """
    root = COMPONENTS.parents[1]
    for file in sorted(COMPONENTS.rglob("*.py")):
        importlib.import_module(".".join(file.relative_to(root).with_suffix("").parts))
    from engine.hosting import predictions, readings
    from pages.components import cached

    _spinners.disabled = True  # which have no page to turn on, and would say so
    for load in (cached.table, cached.named, lambda: cached.predictor(None)):
        with suppress(EngineError, OSError):
            load()
    _spinners.disabled = False
    cached.set_apart()
    yield
    for pool in (predictions.POOL, readings.POOL, cached.LESSONS):
        pool.end()
