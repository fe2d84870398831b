"""Outlines, lines and points, drawn into label images.

Coordinates are in pixels with corners at whole numbers: pixel 3 reaches from 3.0 to 4.0, its centre
lies at 3.5. A pixel belongs to an area if its centre does, to a line if its centre is at most
half a width away.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
"""(n, 2) x and y."""

Bounds = tuple[float, float, float, float]
"""Left, top, right and bottom."""


@dataclass(frozen=True, eq=False)
class Area:
    """What lies inside an odd number of closed rings (so a ring within a ring is a hole).

    Parameters
    ----------
    rings : sequence of (n, 2) float arrays
        Corners; the last is joined to the first.
    """

    rings: tuple[Points, ...]

    @property
    def bounds(self) -> Bounds:
        """Left, top, right and bottom."""
        return _bounds(np.concatenate([np.empty((0, 2)), *self.rings]), 0.0)

    def draw(self, plane: NDArray[np.uint16], label: int) -> None:
        """Set the pixels of the area."""
        edges = [np.hstack([ring, np.roll(ring, -1, axis=0)]) for ring in self.rings if len(ring)]
        if not edges:
            return
        every = np.concatenate(edges)
        (left, top), (right, bottom) = every[:, :2].min(axis=0), every[:, :2].max(axis=0)
        rows, columns = _reach(top, bottom, plane.shape[0]), _reach(left, right, plane.shape[1])
        within = plane[rows, columns]
        within[_inside(every - np.tile([columns.start, rows.start], 2), *within.shape)] = label


@dataclass(frozen=True, eq=False)
class Line:
    """A line through points, with a width in pixels and round ends.

    Parameters
    ----------
    points : (n, 2) float array
        What it passes through.
    width : float
        Width in pixels.
    """

    points: Points
    width: float = 3.0

    @property
    def bounds(self) -> Bounds:
        """Left, top, right and bottom."""
        return _bounds(self.points, self.width / 2)

    def draw(self, plane: NDArray[np.uint16], label: int) -> None:
        """Set the pixels of the line."""
        for start, end in zip(self.points[:-1], self.points[1:], strict=True):
            _draw_segment(plane, start, end, self.width / 2, label)


@dataclass(frozen=True, eq=False)
class Dots:
    """Round dots.

    Parameters
    ----------
    points : (n, 2) float array
        Their centres.
    width : float
        Diameter in pixels.
    """

    points: Points
    width: float = 3.0

    @property
    def bounds(self) -> Bounds:
        """Left, top, right and bottom."""
        return _bounds(self.points, self.width / 2)

    def draw(self, plane: NDArray[np.uint16], label: int) -> None:
        """Set the pixels of the dots."""
        for point in self.points:
            _draw_segment(plane, point, point, self.width / 2, label)


@dataclass(frozen=True, eq=False)
class Ellipse:
    """An upright ellipse in a box.

    Parameters
    ----------
    x, y, width, height : float
        The box around it.
    """

    x: float
    y: float
    width: float
    height: float

    @property
    def bounds(self) -> Bounds:
        """Left, top, right and bottom."""
        return self.x, self.y, self.x + self.width, self.y + self.height

    def draw(self, plane: NDArray[np.uint16], label: int) -> None:
        """Set the pixels of the ellipse."""
        if self.width <= 0 or self.height <= 0:
            return
        rows = _reach(self.y, self.y + self.height, plane.shape[0])
        columns = _reach(self.x, self.x + self.width, plane.shape[1])
        y = (np.arange(rows.start, rows.stop) + 0.5 - self.y) / self.height * 2 - 1
        x = (np.arange(columns.start, columns.stop) + 0.5 - self.x) / self.width * 2 - 1
        plane[rows, columns][y[:, None] ** 2 + x**2 <= 1] = label


Shape = Area | Dots | Ellipse | Line
"""What can be drawn."""


def rectangle(x: float, y: float, width: float, height: float) -> Area:
    """Return an upright rectangle."""
    corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
    return Area((np.array(corners, dtype=np.float64),))


def _bounds(points: Points, radius: float) -> Bounds:
    """Return the box around points, wider by a radius; of no points, one that meets nothing."""
    if not len(points):
        return math.inf, math.inf, -math.inf, -math.inf
    (left, top), (right, bottom) = points.min(axis=0) - radius, points.max(axis=0) + radius
    return float(left), float(top), float(right), float(bottom)


def _reach(low: float, high: float, n: int) -> slice:
    """Return the pixels between two coordinates, within n."""
    start = int(np.clip(np.floor(low), 0, n))
    return slice(start, int(np.clip(np.ceil(high), start, n)))


def _draw_segment(
    plane: NDArray[np.uint16], start: Points, end: Points, radius: float, label: int
) -> None:
    low, high = np.minimum(start, end) - radius, np.maximum(start, end) + radius
    rows, columns = _reach(low[1], high[1], plane.shape[0]), _reach(low[0], high[0], plane.shape[1])
    x = np.arange(columns.start, columns.stop) + 0.5 - start[0]
    y = np.arange(rows.start, rows.stop)[:, None] + 0.5 - start[1]
    along = end - start
    length = float(along @ along)
    at = np.clip((x * along[0] + y * along[1]) / length, 0, 1) if length else np.zeros(1)
    distance = (x - at * along[0]) ** 2 + (y - at * along[1]) ** 2
    plane[rows, columns][distance <= radius**2 + 1e-9] = label


def _inside(edges: NDArray[np.float64], height: int, width: int) -> NDArray[np.bool_]:
    """Return the pixels whose centres have an odd number of edges to their left."""
    x0, y0, x1, y1 = edges.T
    # Rows whose centre line an edge crosses; a row belongs to the lower end, not to the upper.
    first = np.clip(np.ceil(np.minimum(y0, y1) - 0.5), 0, height).astype(np.int64)
    last = np.clip(np.ceil(np.maximum(y0, y1) - 0.5), 0, height).astype(np.int64)
    parity = np.zeros((height, width + 1), dtype=bool)
    counts = last - first
    for chunk in _chunks(counts):
        n = counts[chunk]
        edge = np.repeat(chunk, n)
        row = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n) + first[edge]
        slope = (x1[edge] - x0[edge]) / (y1[edge] - y0[edge])
        x = x0[edge] + (row + 0.5 - y0[edge]) * slope
        column = np.clip(np.ceil(x - 0.5), 0, width).astype(np.int64)
        np.logical_xor.at(parity, (row, column), True)
    return np.logical_xor.accumulate(parity, axis=1)[:, :width]


def _chunks(counts: NDArray[np.int64], size: int = 2**22) -> Sequence[NDArray[np.int64]]:
    """Split the edges into groups that cross about ``size`` rows together, for bounded memory."""
    used = np.flatnonzero(counts)
    group = np.cumsum(counts[used]) // size
    return np.split(used, np.flatnonzero(np.diff(group)) + 1) if len(used) else []
