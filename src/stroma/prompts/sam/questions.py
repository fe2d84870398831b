"""Prompts as Segment Anything takes them: a box and points for every mask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stroma.prompts.contract import OBJECT, REST, Prompts

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

ALONG_STROKES = 8
"""Points that strokes of one kind are taken for."""


@dataclass(frozen=True, eq=False)
class Question:
    """What one mask is asked for with.

    Parameters
    ----------
    points : (n, 2) float64
        Places in pixels.
    labels : (n,) bool
        Whether each lies on the object.
    box : (2, 2) float64 or None
        First and last corner.
    """

    points: Floats
    labels: Bools
    box: Floats | None

    @property
    def where(self) -> Floats:
        """Places (n, 2) that have to be seen: the box, and the points on the object."""
        parts = [self.points[self.labels], *([] if self.box is None else [self.box])]
        return np.concatenate(parts)

    @property
    def is_one_click(self) -> bool:
        """Whether it is a single point, which may mean several things."""
        return self.box is None and len(self.points) == 1


def questions(given: Prompts) -> list[Question]:
    """Return a question for every box, and one for the points on the object outside all boxes.

    An earlier mask alone is asked for by its box.
    """
    points, labels = _with_strokes(given)
    boxes = list(given.boxes)
    if not boxes and not labels.any() and given.mask is not None:
        places = np.argwhere(given.mask)
        boxes = [np.stack([places.min(0), places.max(0)]).astype(np.float64)]
    beside = points[~labels]
    asked, left = [], labels.copy()
    for box in boxes:
        within = labels & ((points >= box[0] - 0.5) & (points <= box[1] + 0.5)).all(axis=1)
        left &= ~within
        asked.append(_question(points[within], beside, box))
    return [*asked, _question(points[left], beside, None)] if left.any() else asked


def _question(on: Floats, beside: Floats, box: Floats | None) -> Question:
    labels = np.arange(len(on) + len(beside)) < len(on)
    return Question(np.concatenate([on, beside]), labels, box)


def _with_strokes(given: Prompts) -> tuple[Floats, Bools]:
    """Return the points, and some along the strokes."""
    points, labels = [given.points], [given.labels]
    if given.strokes is not None:
        for value in (OBJECT, REST):
            chosen = _spread(np.argwhere(given.strokes == value))
            points.append(chosen)
            labels.append(np.full(len(chosen), value == OBJECT))
    return np.concatenate(points), np.concatenate(labels)


def _spread(places: NDArray[np.int64]) -> Floats:
    """Return some places that lie far from each other; the first is the most central."""
    found = places.astype(np.float64)
    if len(found) <= ALONG_STROKES:
        return found
    chosen = [int(((found - found.mean(0)) ** 2).sum(1).argmin())]
    away = np.full(len(found), np.inf)
    while len(chosen) < ALONG_STROKES:
        away = np.minimum(away, ((found - found[chosen[-1]]) ** 2).sum(1))
        chosen.append(int(away.argmax()))
    return found[chosen]
