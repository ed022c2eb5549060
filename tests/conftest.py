"""Which tests share a process when there are several."""

import re
from pathlib import PurePath

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

BROWSER, PHYSICS = "tests/browser/", "tests/engine/test_physics.py"
# About half of the work in the browser: each half has a server and a browser of its own.
BROWSER_HALF = [f"test_{name}.py" for name in ("dashboard", "explore_page", "live", "start_page", "theory_page")]
LONGEST = (BROWSER, PHYSICS, "tests/engine/prediction/", "tests/engine/test_cli.py")


class Scheduling(LoadScopeScheduling):
    """A file stays in one process, and the browser's files in two: what they share is made once in each."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::")[0]
        if file.startswith(BROWSER):
            return BROWSER + str(PurePath(file).name in BROWSER_HALF)
        model = re.search(r"\[(.*float\d\d)", nodeid) if file == PHYSICS else None
        return model[1] if model else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """How tests are given to processes, where there are several."""
    return Scheduling(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest come first, so that no process is left alone with one of them at the end.

    A test in the browser that fails is run once more, and the summary names it: on busy cores a click can be lost.
    """
    items.sort(key=_rank)
    for item in items:
        if item.nodeid.startswith(BROWSER):
            item.add_marker(pytest.mark.flaky(reruns=1))


def _rank(item: pytest.Item) -> int:
    starts = (number for number, start in enumerate(LONGEST) if item.nodeid.startswith(start))
    return next(starts, len(LONGEST))
