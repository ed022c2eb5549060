"""The start of a server: what pages import is there before its first visitor, who else waits for it."""

import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from streamlit.starlette import App

COMPONENTS = Path(__file__).resolve().parent


@asynccontextmanager
async def imported(app: App) -> AsyncIterator[None]:
    """Import the components of all pages; the server answers from then on."""
    root = COMPONENTS.parents[1]
    for file in sorted(COMPONENTS.rglob("*.py")):
        importlib.import_module(".".join(file.relative_to(root).with_suffix("").parts))
    yield
