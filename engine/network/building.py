"""One thread at a time makes or copies modules: e3nn does both by torch.fx, which threads may not share."""

import threading
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Made = TypeVar("Made")
_building = threading.RLock()


def alone(build: Callable[Given, Made]) -> Callable[Given, Made]:
    """Have a function that makes or copies modules wait until no other thread of this process does."""

    @wraps(build)
    def wait_and_build(*args: Given.args, **kwargs: Given.kwargs) -> Made:
        with _building:
            return build(*args, **kwargs)

    return wait_and_build
