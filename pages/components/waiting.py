"""Waiting for work that others do: a moment on the page itself, then with a bar and a stop."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from functools import partial
from typing import Any

import streamlit as st

from engine.errors import EngineError
from engine.hosting import pool
from engine.hosting.predictions import Asked, outcome, share_done
from engine.prediction.prediction import Prediction
from pages.components.widgets import literal

AT_ONCE = 1.5  # s in which most questions are answered
PREDICTED = "crystals predicted", "being predicted"
Question = Callable[..., "Future[Any]"]


def finished(
    asked: Sequence["Future[Any]"],
    what: str,
    doing: tuple[str, str] = PREDICTED,
    stop: Callable[[], None] | None = None,
    share: float = 1.0,
) -> bool:
    """Whether all of this is done; until then a bar and a stop stand here, and the page is drawn again.

    Args:
        what: whose work it is, in the bar.
        doing: what is done with many of them, and with one.
        stop: what the button does; by itself, it cancels them.
        share: of the moment that the page itself waits, where it waits for several things.
    """
    wait(asked, AT_ONCE * share)
    if all(one.done() for one in asked):
        return True
    _follow(asked, what, doing, stop)
    return False


def answers(asked: Sequence[Asked], what: str) -> list[Prediction | EngineError]:
    """What came of these questions; until all are answered, a bar stands here and the page ends with it.

    Args:
        what: whose crystals they are, in the bar.
    """
    if not finished(asked, what):
        st.stop()
    return [outcome(one) for one in asked]


def computed(question: Question, *arguments: object, what: str, share: float = 1.0) -> Any:
    """What a question of `cached` gives, None while a bar or the reason stands in its place.

    Args:
        question: kept by Streamlit's cache for these arguments; asked anew where it was stopped.
        what: the work, in the bar.
        share: see `finished`.
    """
    asked = question(*arguments)
    if not finished([asked], what, ("", "being computed"), share=share):
        return None
    forget: Callable[..., None] = question.clear  # type: ignore[attr-defined]
    try:
        return pool.outcome(asked, "computed this")
    except EngineError as error:
        st.info(f"{what}: {error}", icon=":material/info:")
        if pool.is_final(asked):
            forget(*arguments)  # what is missing may be there the next time
        else:
            st.button("Compute it", on_click=forget, args=arguments, key=f"again-{what}")
        return None


@st.fragment(run_every=0.5)
def _follow(
    asked: Sequence["Future[Any]"], what: str, doing: tuple[str, str], stop: Callable[[], None] | None
) -> None:
    done = sum(one.done() for one in asked)
    if done == len(asked):
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        many = f"{done} of {len(asked)} {doing[0]}" if len(asked) > 1 else doing[1]
        st.progress(sum(map(share_done, asked)) / len(asked), text=f"{literal(what)}: {many}")
        st.button("Stop", on_click=stop or partial(_cancel, asked), icon=":material/stop:", key=f"stop-{what}")


def _cancel(asked: Sequence["Future[Any]"]) -> None:
    for one in asked:
        one.cancel()
