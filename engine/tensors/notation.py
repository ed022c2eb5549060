"""A tensor as one writes it elsewhere: to be copied."""

from typing import Literal

import numpy as np

Form = Literal["text", "LaTeX", "NumPy", "Voigt"]
FORMS: tuple[Form, ...] = ("text", "LaTeX", "NumPy", "Voigt")
VOIGT = {"xx": (0, 0), "yy": (1, 1), "zz": (2, 2), "yz": (1, 2), "xz": (0, 2), "xy": (0, 1)}


def written(tensor: np.ndarray, form: Form, decimals: int | None = None) -> str:
    """A tensor [3, 3] as lines of text.

    Args:
        tensor: symmetric where it is written by Voigt, whose six components are xx, yy, zz, yz, xz, xy.
        form: one of `FORMS`.
        decimals: None for all digits, which give back the same numbers.
    """
    rows = [[_number(value, decimals) for value in row] for row in tensor]
    match form:
        case "text":
            return "\n".join("  ".join(row) for row in _aligned(rows))
        case "LaTeX":
            lines = [f"    {' & '.join(row)}" for row in rows]
            return "\\begin{pmatrix}\n" + " \\\\\n".join(lines) + "\n\\end{pmatrix}"
        case "NumPy":
            return "np.array([\n" + "".join(f"    [{', '.join(row)}],\n" for row in rows) + "])"
        case "Voigt":
            values = [_number(tensor[place], decimals) for place in VOIGT.values()]
            return "\n".join("  ".join(row) for row in _aligned([list(VOIGT), values]))


def _number(value: float, decimals: int | None) -> str:
    """A zero without sign."""
    return repr(float(value) + 0.0) if decimals is None else f"{round(float(value), decimals) + 0.0:.{decimals}f}"


def _aligned(rows: list[list[str]]) -> list[list[str]]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [[text.rjust(width) for text, width in zip(row, widths, strict=True)] for row in rows]
