"""Files that visitors bring, read while the server answers others."""

from concurrent.futures import Future

from pymatgen.core import Structure

from engine.crystals.approximations import ordered_approximations
from engine.crystals.reader import Disordered, read_structures
from engine.errors import EngineError
from engine.hosting import pool
from engine.hosting.metrics import REFUSALS
from engine.hosting.pool import Pool

MOST = 2  # files at once
Reading = tuple[list[Structure], EngineError | None]  # none of them, and why; or all
POOL = Pool(lambda: MOST)


def ask_to_read(name: str, content: bytes, setting: str = "", orderings: bool = False) -> Future[Reading]:
    """Have a file read, or a pasted text where `name` is empty; `cancel` stops it.

    Args:
        setting: see `read_structures`.
        orderings: whether ordered crystals are to stand for a disordered one.
    """
    asked: Future[Reading] = POOL.schedule(_read, name, content, setting, orderings)
    asked.add_done_callback(_count)
    return asked


def what_was_read(asked: Future[Reading]) -> Reading:
    """The structures, or none and why; waits for them."""
    try:
        found: Reading = pool.outcome(asked, "read this file")
    except EngineError as error:
        return [], error
    return found


def _read(name: str, content: bytes, setting: str, orderings: bool) -> Reading:
    try:
        return read_structures(name, content, setting), None
    except Disordered as disordered:
        return _ordered(disordered) if orderings else ([], disordered)
    except EngineError as error:
        return [], error


def _ordered(disordered: Disordered) -> Reading:
    try:
        return ordered_approximations(disordered.structure), None
    except EngineError as error:
        return [], error


def _count(asked: Future[Reading]) -> None:
    if asked.cancelled():
        return
    _, reason = what_was_read(asked)
    if reason and not isinstance(reason, Disordered):
        REFUSALS.labels("file").inc()
