"""Where to write names beside points of a plot, so that none covers another name or a point that is named."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

FRAMES = ((240, 340), (540, 390))  # pixels of the plot itself, on a phone and on a screen
LETTER, HEIGHT = 7, 16  # pixels
POINT = 12  # pixels across
GAPS = (14, 30, 50)  # pixels between a point and its name
HIDDEN = 8  # points under a name, at most
TURNS = (0, 30, -30, 60, -60, 90, -90, 120, -120, 150, -150, 180)  # degrees from straight away from the diagonal
Offset = tuple[float, float]  # pixels to the right and up, from a point to the middle of its name


class Box(NamedTuple):
    """A rectangle in pixels: its middle and its size."""

    x: float
    y: float
    width: float
    height: float

    def meets(self, other: "Box") -> bool:
        """Whether the two share any place."""
        across = 2 * abs(self.x - other.x) < self.width + other.width
        return across and 2 * abs(self.y - other.y) < self.height + other.height

    def inside(self, frame: tuple[int, int]) -> bool:
        """Whether all of it lies between zero and the frame's width and height."""
        across = self.width / 2 < self.x < frame[0] - self.width / 2
        return across and self.height / 2 < self.y < frame[1] - self.height / 2


def offsets(points: np.ndarray, names: Sequence[str], every: np.ndarray, count: int) -> dict[int, Offset]:
    """Row -> offset of its name, for the first `count` that find room, however large the plot is drawn.

    Args:
        points: [n, 2] places in the plot, 0 to 1 from left to right and from below to above.
        names: of the points.
        every: [m, 2] places of all points that are drawn; a name takes a place that is near and hides few.
    """
    taken = [[Box(x, y, POINT, POINT) for x, y in points * frame] for frame in FRAMES]
    found: dict[int, Offset] = {}
    for row, (point, name) in enumerate(zip(points, names, strict=True)):
        if len(found) == count:
            break
        chosen = _best(point, name, every, taken)
        if chosen is not None:
            found[row] = chosen
            for others, box in zip(taken, _boxes(point, chosen, name), strict=True):
                others.append(box)
    return found


def _best(point: np.ndarray, name: str, every: np.ndarray, taken: Sequence[Sequence[Box]]) -> Offset | None:
    best, least = None, np.inf
    for gap, offset in _candidates(point, name):
        boxes = _boxes(point, offset, name)
        if _fits(boxes, taken) and (hidden := _hidden(boxes, every)) <= HIDDEN and hidden + gap / 10 < least:
            best, least = offset, hidden + gap / 10
    return best


def _candidates(point: np.ndarray, name: str) -> Iterator[tuple[int, Offset]]:
    """Gap and offset of each place to try, those on the point's own side of the diagonal first."""
    away = np.pi * (3 / 4 if point[1] > point[0] else -1 / 4)
    for gap in GAPS:
        for angle in away + np.radians(TURNS):
            yield gap, (np.cos(angle) * (gap + LETTER * len(name) / 2), np.sin(angle) * (gap + HEIGHT / 2))


def _boxes(point: np.ndarray, offset: Offset, name: str) -> list[Box]:
    """The name in each of the frames."""
    middles = [point * frame + offset for frame in FRAMES]
    return [Box(x, y, LETTER * len(name), HEIGHT) for x, y in middles]


def _fits(boxes: Sequence[Box], taken: Sequence[Sequence[Box]]) -> bool:
    return all(
        box.inside(frame) and not any(box.meets(other) for other in others)
        for box, frame, others in zip(boxes, FRAMES, taken, strict=True)
    )


def _hidden(boxes: Sequence[Box], every: np.ndarray) -> int:
    """Number of points under the name, in the frame where it is larger."""
    under = [
        np.abs(every * frame - (box.x, box.y)) < (box.width / 2, box.height / 2)
        for box, frame in zip(boxes, FRAMES, strict=True)
    ]
    return max(int(points.all(axis=1).sum()) for points in under)
