"""What a person says of one object: clicks, boxes and strokes on a plane."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.errors import ParameterError
from stroma.prompts.contract import OBJECT, REST
from stroma.session.objects.windows import Window

Point = tuple[float, float]
Edges = tuple[float, float, float, float]

MOST_POINTS = 100_000
FINE = 16
"""Parts of a pixel that lines are drawn to."""


@dataclass(frozen=True)
class Stroke:
    """A line that a hand drew.

    Parameters
    ----------
    points : tuple of (y, x)
        In pixels; the first pixel reaches from 0 to 1.
    on : bool
        Whether it lies on the object, or beside it.
    radius : float
        In pixels.
    """

    points: tuple[Point, ...]
    on: bool = True
    radius: float = 1.0


@dataclass(frozen=True)
class Said:
    """What was said of one object.

    Parameters
    ----------
    points : tuple of (y, x)
        Clicks, in pixels; the first pixel reaches from 0 to 1.
    labels : tuple of int
        1 for clicks on the object, 0 beside it; all 1 where left out.
    boxes : tuple of (y0, x0, y1, x1)
        First and last corner of boxes that hold it.
    strokes : tuple of Stroke
        Lines on it, and beside it.
    """

    points: tuple[Point, ...] = ()
    labels: tuple[int, ...] = ()
    boxes: tuple[Edges, ...] = ()
    strokes: tuple[Stroke, ...] = ()

    def __post_init__(self) -> None:
        """Check the values."""
        all_points = list(self.places())
        if not all_points:
            raise ParameterError("Click on an object, or draw a box around it.")
        if len(all_points) > MOST_POINTS:
            raise ParameterError(f"At most {MOST_POINTS:,} points say which object is meant.")
        if not all(math.isfinite(v) for point in all_points for v in point):
            raise ParameterError("Points are two finite numbers each.")
        if not all(label in (0, 1) for label in self.labels):
            raise ParameterError("Clicks are labelled 1 on the object, 0 beside it.")
        if len(self.labels) not in (0, len(self.points)):
            raise ParameterError("Give one label for each click, or none at all.")

    def places(self) -> list[Point]:
        """Return all points, and the corners of boxes."""
        corners = [c for y0, x0, y1, x1 in self.boxes for c in ((y0, x0), (y1, x1))]
        return [*self.points, *corners, *(p for s in self.strokes for p in s.points)]

    def on(self, box: Box) -> list[tuple[int, int]]:
        """Return the pixels of a box that clicks on the object lie on."""
        labels = self.labels or (1,) * len(self.points)
        clicks = [p for p, label in zip(self.points, labels, strict=True) if label]
        at = [(math.floor(y) - box.top, math.floor(x) - box.left) for y, x in clicks]
        rows, columns = box.shape
        return [(y, x) for y, x in at if 0 <= y < rows and 0 <= x < columns]

    def hull(self) -> Box:
        """Return the box around all of it."""
        return _hull(self.places())

    def require_inside(self, whole: Box, name: str) -> None:
        """Check that something of it lies on a plane.

        Raises
        ------
        ParameterError
            If a click lies outside, or all of a box or stroke does.
        """
        for y, x in self.points:
            if not (0 <= y < whole.bottom and 0 <= x < whole.right):
                raise ParameterError(
                    f"The click at row {y:.0f}, column {x:.0f} lies outside the image {name!r}, "
                    f"which has {whole.bottom} rows and {whole.right} columns."
                )
        for places in self._outlines():
            if not _hull(places).clipped(whole).area:
                raise ParameterError(f"A box or stroke lies outside the image {name!r}.")

    def _outlines(self) -> Iterable[list[Point]]:
        yield from ([(y0, x0), (y1, x1)] for y0, x0, y1, x1 in self.boxes)
        yield from (list(s.points) for s in self.strokes)

    def asked(self, window: Window) -> dict[str, Any]:
        """Return it as an engine is asked that was given a window."""
        rows, columns = window.shape
        asked: dict[str, Any] = {}
        if self.points:
            asked["points"] = [_within(window.inner(y, x), window.shape) for y, x in self.points]
            asked["labels"] = list(self.labels or (1,) * len(self.points))
        if self.boxes:
            asked["boxes"] = [_corners(edges, window) for edges in self.boxes]
        if self.strokes:
            asked["strokes"] = drawn = np.zeros((rows, columns), np.uint8)
            for stroke in self.strokes:
                _draw(drawn, stroke, window)
        return asked


def _hull(places: list[Point]) -> Box:
    ys, xs = zip(*places, strict=True)
    top, left = math.floor(min(ys)), math.floor(min(xs))
    return Box(top, left, math.floor(max(ys)) + 1, math.floor(max(xs)) + 1)


def _within(place: Point, shape: tuple[int, int]) -> Point:
    y, x = (min(max(v, 0.0), n - 1.0) for v, n in zip(place, shape, strict=True))
    return y, x


def _corners(edges: Edges, window: Window) -> list[float]:
    """Return the first and last pixel of a box, whose edges lie between pixels."""
    (y0, y1), (x0, x1) = sorted(edges[::2]), sorted(edges[1::2])
    first = _within(window.inner(y0 + window.step / 2, x0 + window.step / 2), window.shape)
    last = _within(window.inner(y1 - window.step / 2, x1 - window.step / 2), window.shape)
    return [*np.minimum(first, last), *np.maximum(first, last)]


def _draw(target: NDArray[np.uint8], stroke: Stroke, window: Window) -> None:
    inner = [window.inner(y, x) for y, x in stroke.points]
    line = np.array([[round(x * FINE), round(y * FINE)] for y, x in inner], np.int32)
    wide = max(1, round(2 * stroke.radius / window.step))
    value = OBJECT if stroke.on else REST
    cv2.polylines(target, [line[:, None]], False, value, wide, cv2.LINE_8, FINE.bit_length() - 1)
