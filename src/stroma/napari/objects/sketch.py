"""What is proposed and what was drawn, as the values of a layer over the plane."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.session.events import Position
from stroma.session.objects.prompting import Proposal

PROPOSAL, WAITING, ON, BESIDE, LINE = range(1, 6)
"""Values: a proposal, one that is committed but not measured yet, what was drawn."""

FINE = 4
"""Bits of a pixel that lines are drawn to."""

Floats = NDArray[np.float64]

Marked = Callable[[Position, Box], NDArray[np.bool_]]
"""Given a plane and a box of it, returns which of its pixels are marked."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """A line, or what it encloses.

    Parameters
    ----------
    points : (n, 2) array
        Rows and columns in pixels of the plane; the first pixel reaches from 0 to 1.
    value : int
        What it is shown as.
    width : float
        Of the line, in pixels.
    closed : bool
        Whether it ends where it began.
    filled : bool
        Whether what it encloses is shown, and not the line.
    """

    points: Floats
    value: int
    width: float = 1.0
    closed: bool = False
    filled: bool = False


@dataclass(frozen=True, eq=False)
class Sketch:
    """All that is shown over a plane.

    Parameters
    ----------
    plane : dict of str to int
        The plane that lines are drawn on.
    proposals : sequence of (plane, Proposal, value)
        Masks, each on its plane.
    lines : sequence of Drawn
        Over these.
    marked : sequence of (Marked, value)
        What is marked on any plane, under the rest.
    """

    plane: Position = field(default_factory=dict)
    proposals: Sequence[tuple[Position, Proposal, int]] = ()
    lines: Sequence[Drawn] = ()
    marked: Sequence[tuple[Marked, int]] = ()

    def read(self, plane: Position, box: Box, step: int) -> NDArray[np.uint8]:
        """Return every step-th value in a box of a plane."""
        height, width = box.shape
        values = np.zeros((-(-height // step), -(-width // step)), np.uint8)
        for marks, value in self.marked:
            values[_stepped(marks(plane, box), step)] = value
        for of, found, value in self.proposals:
            if of == plane:
                _put_mask(values, found, value, box, step)
        if plane == self.plane:
            for line in self.lines:
                _put_line(values, line, box, step)
        return values


def _stepped(mask: NDArray[np.bool_], step: int) -> NDArray[np.bool_]:
    """Return every step-th value, from the middle of the steps."""
    rows, columns = (_middles(0, n, 0, n, step) for n in mask.shape)
    return mask[np.ix_(rows, columns)]


def _put_mask(values: NDArray[np.uint8], found: Proposal, value: int, box: Box, step: int) -> None:
    """Mark the pixels of a proposal."""
    shared = found.box.clipped(box)
    if not shared.area:
        return
    rows = _middles(shared.top, shared.bottom, box.top, box.bottom, step)
    columns = _middles(shared.left, shared.right, box.left, box.right, step)
    if not len(rows) or not len(columns):
        return
    at = (rows - box.top) // step, (columns - box.left) // step
    part = values[np.ix_(*at)]
    part[found.mask[np.ix_(rows - found.box.top, columns - found.box.left)]] = value
    values[np.ix_(*at)] = part


def _middles(low: int, high: int, start: int, stop: int, step: int) -> NDArray[np.intp]:
    """Return the middle pixels of steps from ``start`` to ``stop`` that lie in a range."""
    middles = np.minimum(np.arange(start, stop, step) + step // 2, stop - 1)
    return np.asarray(middles[(middles >= low) & (middles < high)], np.intp)


def _put_line(values: NDArray[np.uint8], line: Drawn, box: Box, step: int) -> None:
    """Draw a line."""
    inner = (line.points - (box.top, box.left)) / step - 0.5
    points = np.round(inner[:, ::-1] * 2**FINE).astype(np.int32)[:, None]
    if line.filled:
        cv2.fillPoly(values, [points], line.value, cv2.LINE_8, FINE)
        return
    wide = max(1, round(line.width / step))
    cv2.polylines(values, [points], line.closed, line.value, wide, cv2.LINE_8, FINE)
