"""Waiting for predictions: a moment on the page itself, then with a bar and a stop, while others are served."""

from collections.abc import Sequence
from concurrent.futures import wait

import streamlit as st

from engine.errors import EngineError
from engine.hosting.predictions import Asked, outcome
from engine.prediction.prediction import Prediction

AT_ONCE = 1.5  # s in which most crystals are answered


def answers(asked: Sequence[Asked], what: str) -> list[Prediction | EngineError]:
    """What came of these questions; until all are answered, a bar stands here and the page ends with it.

    Args:
        what: whose crystals they are, in the bar.
    """
    wait(asked, AT_ONCE)
    if not all(one.done() for one in asked):
        _follow(asked, what)
        st.stop()
    return [outcome(one) for one in asked]


@st.fragment(run_every=0.5)
def _follow(asked: Sequence[Asked], what: str) -> None:
    done = sum(one.done() for one in asked)
    if done == len(asked):
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        many = f"{done} of {len(asked)} crystals predicted" if len(asked) > 1 else "being predicted"
        st.progress(done / len(asked), text=f"{what}: {many}")
        st.button("Stop", on_click=_stop, args=(asked,), icon=":material/stop:", key=f"stop-{what}")


def _stop(asked: Sequence[Asked]) -> None:
    for one in asked:
        one.cancel()
