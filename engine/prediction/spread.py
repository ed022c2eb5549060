"""What the ordered approximations of a disordered crystal differ by: beside each one's interval, no part of it."""

from collections.abc import Sequence
from typing import Literal

from engine.crystals.approximations import Approximation, approximation_of
from engine.prediction.prediction import Prediction
from engine.tensors import tensors

Quantity = Literal["n", "electronic", "ionic", "total"]
_NAMES: dict[Quantity, str] = {
    "n": "n",
    "electronic": "electronic mean",
    "ionic": "ionic mean",
    "total": "total mean",
}


class Approximated(Approximation):
    """An ordering among the others: `spread` holds the lowest and highest of each quantity over all of them.

    Tensors are compared by the mean of the diagonal. What the model did not answer is left out, and the ionic part
    and the total also where not all orderings had their ionic part found in one way: methods differ by more.
    """

    spread: dict[Quantity, list[float]]


def approximated(answers: Sequence[Prediction | str]) -> list[Approximated | None]:
    """A mark for each answer, None where its crystal stands for itself; orderings follow one another in order."""
    found: list[Approximated | None] = []
    for position, answer in enumerate(answers):
        mark = None if isinstance(answer, str) else approximation_of(answer.structure)
        if mark is None:
            found.append(None)
            continue
        first = position - mark["number"] + 1
        others = [one for one in answers[first : first + mark["count"]] if isinstance(one, Prediction)]
        found.append(Approximated(**mark, spread=_spread(others)))
    return found


def _spread(predictions: Sequence[Prediction]) -> dict[Quantity, list[float]]:
    found: dict[Quantity, list[float]] = {}
    names: tuple[Quantity, ...] = ("n", "electronic")
    if len({one.ionic_method for one in predictions}) == 1:
        names += ("ionic", "total")
    for name in names:
        values = [value for one in predictions if (value := _value(one, name)) is not None]
        if values:
            found[name] = [min(values), max(values)]
    return found


def _value(prediction: Prediction, name: Quantity) -> float | None:
    if name == "n":
        return prediction.n
    tensor = getattr(prediction, name)
    return None if tensor is None else tensors.mean(tensor)


def in_words(mark: Approximated) -> str:
    """One line on what the orderings differ by."""
    ranges = (f"{_NAMES[name]} {low:.4g} to {high:.4g}" for name, (low, high) in mark["spread"].items())
    plural = "s" if mark["count"] > 1 else ""
    return f"{', '.join(ranges)} over {mark['count']} ordered approximation{plural} of {mark['of']}"
